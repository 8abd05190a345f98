// The beats that a unit's steps have written and the unit has not given away yet, against what the unit
// offers. For proofs only.
//
// Depth is the most beats that the unit can hold. A beat may wait for one cycle in each of the unit's Stages
// that is left, not counting the cycles with free_i low, in which an output is not taken and the unit need
// not move.

module expected_beats #(
  parameter int unsigned Width = 8,
  parameter int unsigned Stages = 2,
  parameter int unsigned Depth = 2
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             free_i,
  // The step that is taken now writes beat_i.
  input  logic             written_i,
  input  logic [Width-1:0] beat_i,
  // The unit's output.
  input  logic [Width-1:0] tdata_i,
  input  logic             tvalid_i,
  input  logic             tready_i,
  // The unit offers what no step wrote; takes back what it offered; keeps a beat too long or loses it.
  output logic             wrong_o,
  output logic             withdrawn_o,
  output logic             late_o,
  // The beat to be offered next, and whether there is one.
  output logic [Width-1:0] next_o,
  output logic             known_o
);

  localparam int unsigned AgeWidth = $clog2(Stages + 1);

  // The oldest beat is at index 0.
  logic [Depth:0]               held_q, held, held_d;
  logic [Depth:0][Width-1:0]    beats_q, beats, beats_d;
  logic [Depth:0][AgeWidth-1:0] ages_q, ages, ages_d;
  logic                         waits_q, taken;

  assign taken = tvalid_i && tready_i;
  assign held = taken ? held_q >> 1 : held_q;
  assign beats = taken ? beats_q >> Width : beats_q;
  assign ages = taken ? ages_q >> AgeWidth : ages_q;

  always_comb begin
    held_d = written_i ? {held[Depth-1:0], 1'b1} : held;
    for (int unsigned place = 0; place <= Depth; place++) begin
      beats_d[place] = held[place] ? beats[place] : beat_i;
      ages_d[place] = held[place] ? ages[place] + AgeWidth'(free_i && ages[place] != AgeWidth'(Stages)) : '0;
    end
  end

  always_ff @(posedge clk_i) begin
    held_q <= rst_ni ? held_d : '0;
    waits_q <= rst_ni && tvalid_i && !tready_i;
    beats_q <= beats_d;
    ages_q <= ages_d;
  end

  assign wrong_o = tvalid_i && !(held_q[0] && tdata_i == beats_q[0]);
  assign withdrawn_o = waits_q && !tvalid_i;
  assign late_o = held_q[Depth] || (held_q[0] && ages_q[0] >= AgeWidth'(Stages - 1) && !tvalid_i);
  assign next_o = beats_q[0];
  assign known_o = held_q[0];

endmodule
