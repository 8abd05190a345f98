// Marks the last beat of each frame on an AXI4-Stream that carries frames of `BeatsPerFrame` beats.
//
// Combinational from input to output, with a counter of accepted beats; it adds no cycle and holds no
// beat. It does not check that the stream starts at the beginning of a frame: it does after reset.
module tlast_marker #(
    parameter int Width = 8,
    parameter int BeatsPerFrame = 1
) (
    input  logic             ap_clk,
    input  logic             ap_rst_n,
    input  logic [Width-1:0] s_axis_tdata,
    input  logic             s_axis_tvalid,
    output logic             s_axis_tready,
    output logic [Width-1:0] m_axis_tdata,
    output logic             m_axis_tvalid,
    input  logic             m_axis_tready,
    output logic             m_axis_tlast
);

`ifndef __ICARUS__  // Icarus 11 has no elaboration tasks
  if (BeatsPerFrame < 1) begin : gen_check
    $fatal(1, "%m: BeatsPerFrame is %0d; a frame has at least 1 beat", BeatsPerFrame);
  end
`endif

  localparam int CountWidth = BeatsPerFrame > 1 ? $clog2(BeatsPerFrame) : 1;
  localparam logic [CountWidth-1:0] LastBeat = CountWidth'(BeatsPerFrame - 1);

  logic [CountWidth-1:0] beat_q;

  assign s_axis_tready = m_axis_tready;
  assign m_axis_tdata  = s_axis_tdata;
  assign m_axis_tvalid = s_axis_tvalid;
  assign m_axis_tlast  = beat_q == LastBeat;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      beat_q <= '0;
    end else if (s_axis_tvalid && s_axis_tready) begin
      beat_q <= m_axis_tlast ? '0 : beat_q + 1'b1;
    end
  end

endmodule
