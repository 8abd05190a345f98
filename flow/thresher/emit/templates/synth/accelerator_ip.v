// The accelerator as an IP. Plain Verilog, which Vivado wants of an IP's top.
//
// BATCH_TLAST 0: m_axis_tlast ends each frame, and s_axis_tlast is ignored. BATCH_TLAST 1: it ends each batch
// of frames, whose last input beat comes with s_axis_tlast, as a DMA sends and wants it; see batch_marker.sv.
module @top@_ip #(
    parameter BATCH_TLAST = 0
) (
    (* X_INTERFACE_PARAMETER = "ASSOCIATED_BUSIF s_axis:m_axis, ASSOCIATED_RESET ap_rst_n" *)
    (* X_INTERFACE_INFO = "xilinx.com:signal:clock:1.0 ap_clk CLK" *)
    input  wire         ap_clk,
    (* X_INTERFACE_PARAMETER = "POLARITY ACTIVE_LOW" *)
    (* X_INTERFACE_INFO = "xilinx.com:signal:reset:1.0 ap_rst_n RST" *)
    input  wire         ap_rst_n,
    input  wire [@input_high@:0] s_axis_tdata,
    input  wire         s_axis_tvalid,
    output wire         s_axis_tready,
    input  wire         s_axis_tlast,
    output wire [@output_high@:0] m_axis_tdata,
    output wire         m_axis_tvalid,
    input  wire         m_axis_tready,
    output wire         m_axis_tlast
);

  wire in_valid, in_ready, out_valid, out_ready, out_last;

  @top@ u_@top@ (
      .ap_clk(ap_clk),
      .ap_rst_n(ap_rst_n),
      .s_axis_tdata(s_axis_tdata),
      .s_axis_tvalid(in_valid),
      .s_axis_tready(in_ready),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tvalid(out_valid),
      .m_axis_tready(out_ready),
      .m_axis_tlast(out_last)
  );

  generate
    if (BATCH_TLAST != 0) begin : gen_batch
      batch_marker #(
          .BeatsPerFrame(@input_beats@)
      ) u_batch_marker (
          .ap_clk(ap_clk),
          .ap_rst_n(ap_rst_n),
          .in_valid_i(s_axis_tvalid),
          .in_ready_o(s_axis_tready),
          .in_last_i(s_axis_tlast),
          .in_valid_o(in_valid),
          .in_ready_i(in_ready),
          .out_valid_i(out_valid),
          .out_ready_o(out_ready),
          .out_last_i(out_last),
          .out_valid_o(m_axis_tvalid),
          .out_ready_i(m_axis_tready),
          .out_last_o(m_axis_tlast)
      );
    end else begin : gen_frame
      assign in_valid = s_axis_tvalid;
      assign s_axis_tready = in_ready;
      assign m_axis_tvalid = out_valid;
      assign out_ready = m_axis_tready;
      assign m_axis_tlast = out_last;
    end
  endgenerate

endmodule
