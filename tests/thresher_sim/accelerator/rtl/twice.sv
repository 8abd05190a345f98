// Two 8-bit elements a beat, doubled.
module twice (
    input  logic        ap_clk,
    input  logic        ap_rst_n,
    input  logic [15:0] s_axis_tdata,
    input  logic        s_axis_tvalid,
    output logic        s_axis_tready,
    output logic [17:0] m_axis_tdata,
    output logic        m_axis_tvalid,
    input  logic        m_axis_tready
);

  assign s_axis_tready = ap_rst_n && (!m_axis_tvalid || m_axis_tready);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      m_axis_tvalid <= 1'b0;
    end else if (s_axis_tready) begin
      m_axis_tvalid <= s_axis_tvalid;
      m_axis_tdata  <= {s_axis_tdata[15:8], 1'b0, s_axis_tdata[7:0], 1'b0};
    end
  end

endmodule
