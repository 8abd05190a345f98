// Stands in for what Vitis HLS writes: its names of ports, and a memory whose words lie in a file.
module accelerator (
    input ap_clk, input ap_rst_n,
    input [15:0] s_axis_TDATA, input s_axis_TVALID, output s_axis_TREADY,
    input [1:0] s_axis_TKEEP, input [1:0] s_axis_TSTRB, input [0:0] s_axis_TLAST,
    output [15:0] m_axis_TDATA, output m_axis_TVALID, input m_axis_TREADY,
    output [1:0] m_axis_TKEEP, output [1:0] m_axis_TSTRB, output [0:0] m_axis_TLAST
);
  reg [15:0] rom [0:0];
  initial $readmemh("./accelerator_rom.dat", rom);
  wire [15:0] data;
  assign m_axis_TDATA = data ^ rom[0];
  assign m_axis_TKEEP = 2'b11;
  assign m_axis_TSTRB = 2'b11;
  accelerator_own u (
      .ap_clk(ap_clk), .ap_rst_n(ap_rst_n),
      .s_axis_tdata(s_axis_TDATA), .s_axis_tvalid(s_axis_TVALID), .s_axis_tready(s_axis_TREADY),
      .m_axis_tdata(data), .m_axis_tvalid(m_axis_TVALID), .m_axis_tready(m_axis_TREADY),
      .m_axis_tlast(m_axis_TLAST)
  );
endmodule
