// The accelerator behind AXI4-Streams of one byte, for a part with fewer pins than its beats have bits.
//
// The bytes of a beat come lowest first, as many as the accelerator's own streams have: @IN_BYTES@ at s_axis,
// @OUT_BYTES@ at m_axis, where tlast marks the last byte of a frame. A byte can pass each cycle, so the
// accelerator may wait for its bytes. In reset none is taken, and `s_axis_tready` is low.
module accelerator_bytes (
    input  logic       ap_clk,
    input  logic       ap_rst_n,
    input  logic [7:0] s_axis_tdata,
    input  logic       s_axis_tvalid,
    output logic       s_axis_tready,
    output logic [7:0] m_axis_tdata,
    output logic       m_axis_tvalid,
    input  logic       m_axis_tready,
    output logic       m_axis_tlast
);

  localparam int InBytes = @IN_BYTES@;
  localparam int OutBytes = @OUT_BYTES@;
  localparam int InCount = $clog2(InBytes + 1);
  localparam int OutCount = $clog2(OutBytes + 1);

  logic [8*InBytes-1:0] beat_q;
  logic [InCount-1:0] got_q;  // bytes of the beat that are there
  logic beat_valid, beat_ready, byte_taken;

  assign beat_valid = got_q == InCount'(InBytes);
  assign s_axis_tready = ap_rst_n && (!beat_valid || beat_ready);
  assign byte_taken = s_axis_tvalid && s_axis_tready;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      got_q <= '0;
    end else begin
      got_q <= (beat_valid && beat_ready ? '0 : got_q) + InCount'(byte_taken);
    end
    if (byte_taken) begin
      beat_q <= (8 * InBytes)'({s_axis_tdata, beat_q} >> 8);
    end
  end

  logic [8*OutBytes-1:0] result, result_q;
  logic [OutCount-1:0] left_q;  // bytes of the result that are still to be sent
  logic result_valid, result_ready, result_last, last_q;

  assign m_axis_tdata  = result_q[7:0];
  assign m_axis_tvalid = left_q != '0;
  assign m_axis_tlast  = last_q && left_q == OutCount'(1);
  assign result_ready  = left_q == '0 || (left_q == OutCount'(1) && m_axis_tready);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      left_q <= '0;
    end else if (result_ready) begin
      left_q <= result_valid ? OutCount'(OutBytes) : '0;
    end else if (m_axis_tready) begin
      left_q <= left_q - 1'b1;
    end
    if (result_ready) begin
      result_q <= result;
      last_q   <= result_last;
    end else if (m_axis_tready) begin
      result_q <= result_q >> 8;
    end
  end

  accelerator u_accelerator (
      .ap_clk,
      .ap_rst_n,
      .s_axis_tdata (beat_q),
      .s_axis_tvalid(beat_valid),
      .s_axis_tready(beat_ready),
      .m_axis_tdata (result),
      .m_axis_tvalid(result_valid),
      .m_axis_tready(result_ready),
      .m_axis_tlast (result_last)
  );

endmodule
