// The sum of a frame of three beats, minus 1000.
module total (
    input  logic        ap_clk,
    input  logic        ap_rst_n,
    input  logic [17:0] s_axis_tdata,
    input  logic        s_axis_tvalid,
    output logic        s_axis_tready,
    output logic [12:0] m_axis_tdata,
    output logic        m_axis_tvalid,
    input  logic        m_axis_tready
);

  logic [12:0] sum_q;
  logic [12:0] sum_d;
  logic [ 1:0] beat_q;

  assign s_axis_tready = !m_axis_tvalid || m_axis_tready;
  assign sum_d = sum_q + 13'(s_axis_tdata[8:0]) + 13'(s_axis_tdata[17:9]);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      m_axis_tvalid <= 1'b0;
      beat_q <= 2'd0;
      sum_q <= 13'd0;
    end else if (s_axis_tready) begin
      m_axis_tvalid <= s_axis_tvalid && beat_q == 2'd2;
      m_axis_tdata  <= sum_d - 13'd1000;
      if (s_axis_tvalid) begin
        beat_q <= beat_q == 2'd2 ? 2'd0 : beat_q + 2'd1;
        sum_q  <= beat_q == 2'd2 ? 13'd0 : sum_d;
      end
    end
  end

endmodule
