// The end of a pipeline whose steps ask, as they begin, whether its AXI4-Stream has room for their beats.
//
// A step begins with begins_i, and ends with ends_i at most Stages - 1 steps later; where write_i is high
// then, beat_i joins the queue, which needs free_o. A step that begins with full_o low finds free_o high
// whenever it ends, whatever the steps before it write: each of them counts as a beat until it has ended. A
// step that begins with full_o high may have to wait.
//
// There are Stages + 1 places, so that full_o stays low where every beat is taken at once. A beat is offered
// in the cycle after its step ended, or behind those before it, and stays until it is taken. full_o is no
// function of an input of the same cycle.

module output_queue #(
  parameter int Width = 8,
  parameter int Stages = 2
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             begins_i,
  input  logic             ends_i,
  input  logic             write_i,
  input  logic [Width-1:0] beat_i,
  output logic             full_o,
  output logic             free_o,
  output logic [Width-1:0] tdata_o,
  output logic             tvalid_o,
  input  logic             tready_i
);

`ifndef __ICARUS__  // Icarus 11 has no elaboration tasks
  if (Width < 1 || Stages < 2) begin : gen_illegal
    $fatal(1, "output_queue %m: Width %0d must be at least 1 and Stages %0d at least 2", Width, Stages);
  end
`endif

  localparam int PlaceWidth = $clog2(Stages < 2 ? 2 : Stages);
  localparam int CountWidth = $clog2(Stages + 1);
  localparam logic [PlaceWidth-1:0] LastPlace = PlaceWidth'(Stages - 1);
  localparam logic [CountWidth-1:0] Most = CountWidth'(Stages);

  function automatic logic [PlaceWidth-1:0] following(input logic [PlaceWidth-1:0] place);
    following = place == LastPlace ? '0 : place + 1'b1;
  endfunction

  // The beats behind the one that is offered.
  (* ram_style = "distributed" *)
  logic [Width-1:0]      words [Stages];
  logic [PlaceWidth-1:0] write_q, read_q;
  logic [CountWidth-1:0] stored_q;

  // Places that no beat and no step has, less one: negative where there are none.
  logic [CountWidth:0] spare_q;

  logic written, taken, moves, stores, loads;
  assign written = ends_i && write_i && free_o;
  assign taken = tvalid_o && tready_i;
  assign moves = !tvalid_o || tready_i;
  assign loads = moves && stored_q != '0;
  assign stores = written && !(moves && stored_q == '0);

  assign full_o = spare_q[CountWidth];
  assign free_o = stored_q != Most || tready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      tvalid_o <= 1'b0;
      stored_q <= '0;
      write_q <= '0;
      read_q <= '0;
      spare_q <= {1'b0, Most};
    end else begin
      if (moves) begin
        tvalid_o <= loads || written;
      end
      stored_q <= stored_q + CountWidth'(stores) - CountWidth'(loads);
      if (stores) begin
        write_q <= following(write_q);
      end
      if (loads) begin
        read_q <= following(read_q);
      end
      spare_q <= spare_q + (CountWidth + 1)'(taken) + (CountWidth + 1)'(ends_i && !write_i)
          - (CountWidth + 1)'(begins_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (stores) begin
      words[write_q] <= beat_i;
    end
    if (moves) begin
      tdata_o <= loads ? words[read_q] : beat_i;
    end
  end

endmodule
