// Three thresholds a channel, written by hand: what hlsc's threshold is compared with.
//
// The contract is that of hls/thresher/threshold.hpp: `Pe` channels a beat, each of which becomes the
// number of its thresholds that it has reached. A word of Thresholds is a tile of channels, a channel's
// thresholds lowest first in fields of `Bits` bits, signed as the input is.
//
// One stage: three comparisons side by side, and their count.

module reference_threshold #(
  parameter int unsigned Tiles = 16,
  parameter int unsigned Pe = 4,
  parameter int unsigned Bits = 8,
  parameter logic [Tiles*Pe*3*Bits-1:0] Thresholds = '0
) (
  input  logic               ap_clk,
  input  logic               ap_rst_n,
  input  logic [Pe*Bits-1:0] s_axis_tdata,
  input  logic               s_axis_tvalid,
  output logic               s_axis_tready,
  output logic [Pe*2-1:0]    m_axis_tdata,
  output logic               m_axis_tvalid,
  input  logic               m_axis_tready
);

  if (Tiles < 2) begin : gen_illegal
    $fatal(1, "reference_threshold %m: Tiles %0d must be at least 2", Tiles);
  end

  logic [$clog2(Tiles)-1:0] tile_q;
  logic [Pe*3*Bits-1:0]     thresholds;
  logic [Pe*2-1:0]          levels;

  reference_table #(
    .Width(Pe*3*Bits),
    .Depth(Tiles),
    .Words(Thresholds)
  ) u_thresholds (
    .address_i(tile_q),
    .word_o   (thresholds)
  );

  for (genvar pe = 0; pe < Pe; pe++) begin : gen_lanes
    logic [2:0] reached;
    for (genvar level = 0; level < 3; level++) begin : gen_levels
      assign reached[level] =
          $signed(s_axis_tdata[pe*Bits +: Bits]) >= $signed(thresholds[(3*pe + level)*Bits +: Bits]);
    end

    compressor #(
      .Width(3),
      .Group(3)
    ) u_level (
      .word_i   (reached),
      .columns_o(levels[2*pe +: 2])
    );

  end

  assign s_axis_tready = !m_axis_tvalid || m_axis_tready;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      tile_q <= '0;
      m_axis_tvalid <= 1'b0;
    end else if (s_axis_tready) begin
      m_axis_tvalid <= s_axis_tvalid;
      if (s_axis_tvalid) begin
        tile_q <= tile_q == Tiles - 1 ? '0 : tile_q + 1'b1;
      end
    end
  end

  always_ff @(posedge ap_clk) begin
    if (s_axis_tready) begin
      m_axis_tdata <= levels;
    end
  end

endmodule
