// A register in an AXI4-Stream that cuts every combinational path: no output depends on an input of
// the same cycle, in either direction. It holds up to two beats, so that a beat passes every cycle.
//
// Latency is one cycle. A beat once offered at m_axis stays until it is taken. For more storage use
// fifo; it does not resize beats.

module stream_register #(
  parameter int Width = 8
) (
  input  logic             ap_clk,
  input  logic             ap_rst_n,
  input  logic [Width-1:0] s_axis_tdata,
  input  logic             s_axis_tvalid,
  output logic             s_axis_tready,
  output logic [Width-1:0] m_axis_tdata,
  output logic             m_axis_tvalid,
  input  logic             m_axis_tready
);

`ifndef __ICARUS__  // Icarus 11 has no elaboration tasks
  if (Width < 1) begin : gen_no_width
    $fatal(1, "stream_register %m: Width must be at least 1");
  end
`endif

  // The beat that came while the output was held.
  logic [Width-1:0] spare_q;
  logic             spare_valid_q;

  logic accepted, moves;
  assign accepted = s_axis_tvalid && s_axis_tready;
  assign moves = !m_axis_tvalid || m_axis_tready;

  assign s_axis_tready = !spare_valid_q;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      m_axis_tvalid <= 1'b0;
      spare_valid_q <= 1'b0;
    end else begin
      if (moves) begin
        m_axis_tvalid <= spare_valid_q || accepted;
      end
      spare_valid_q <= (spare_valid_q || accepted) && !moves;
    end
  end

  always_ff @(posedge ap_clk) begin
    if (moves) begin
      m_axis_tdata <= spare_valid_q ? spare_q : s_axis_tdata;
    end
    if (accepted) begin
      spare_q <= s_axis_tdata;
    end
  end

endmodule
