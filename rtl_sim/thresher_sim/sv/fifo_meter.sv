// Counts the beats in a FIFO from the handshakes on its two sides: those accepted, less those taken.
//
// `most` is the most there were at the end of a cycle since reset.
module fifo_meter (
    input logic ap_clk,
    input logic ap_rst_n,
    input logic s_tvalid,
    input logic s_tready,
    input logic m_tvalid,
    input logic m_tready
);

  longint unsigned most  /*verilator public_flat_rd*/;
  longint unsigned held_q, held;

  assign held = held_q + 64'(s_tvalid && s_tready) - 64'(m_tvalid && m_tready);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      held_q <= 0;
      most <= 0;
    end else begin
      held_q <= held;
      if (held > most) most <= held;
    end
  end

endmodule
