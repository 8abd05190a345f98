// A matrix-vector unit for bytes and signs as weights with one threshold a row, written by hand: what
// hlsc's is compared with.
//
// The contract is that of hls/thresher/mvu.hpp, as in reference_mvu. A byte times -1 is its complement
// less 255, so a lane is eight XORs; Starts holds minus the threshold of each row and all that is less,
// 255 for each of its weights that is -1.
//
// Four stages, for 200 MHz in a 7-series part: the beat; its complements, compressed from nine numbers
// to six and to three; their sum; the accumulator. Stalls are as in reference_mvu.

module reference_byte_mvu #(
  parameter int unsigned RowTiles = 16,
  parameter int unsigned ColumnTiles = 3,
  parameter int unsigned Pe = 4,
  parameter int unsigned SumBits = 14,
  localparam int unsigned Simd = 9,
  parameter logic [RowTiles*ColumnTiles*Pe*Simd-1:0] Weights = '0,
  parameter logic [RowTiles*Pe*SumBits-1:0] Starts = '0
) (
  input  logic              ap_clk,
  input  logic              ap_rst_n,
  input  logic [Simd*8-1:0] s_axis_tdata,
  input  logic              s_axis_tvalid,
  output logic              s_axis_tready,
  output logic [Pe-1:0]     m_axis_tdata,
  output logic              m_axis_tvalid,
  input  logic              m_axis_tready
);

  if (RowTiles < 2 || ColumnTiles < 2) begin : gen_illegal
    $fatal(1, "reference_byte_mvu %m: RowTiles %0d and ColumnTiles %0d must be at least 2", RowTiles, ColumnTiles);
  end

  localparam int unsigned RowBits = $clog2(RowTiles);

  logic enable;
  assign enable = !m_axis_tvalid || m_axis_tready;

  // Stage 0: the beat and its weights.
  logic [Simd-1:0][7:0]                    beat_q;
  logic [Pe*Simd-1:0]                      weights_q;
  logic [$clog2(RowTiles*ColumnTiles)-1:0] tile;
  logic [RowBits-1:0]                      row_tile_q;
  logic                                    valid_q, first_q, last_q;

  reference_replay #(
    .Width(Simd*8),
    .RowTiles(RowTiles),
    .ColumnTiles(ColumnTiles)
  ) u_replay (
    .ap_clk,
    .ap_rst_n,
    .s_axis_tdata,
    .s_axis_tvalid,
    .s_axis_tready,
    .enable_i  (enable),
    .valid_o   (valid_q),
    .beat_o    (beat_q),
    .tile_o    (tile),
    .row_tile_o(row_tile_q),
    .first_o   (first_q),
    .last_o    (last_q)
  );

  rom #(
    .Width(Pe*Simd),
    .Depth(RowTiles*ColumnTiles),
    .Words(Weights)
  ) u_weights (
    .clk_i    (ap_clk),
    .read_i   (enable),
    .address_i(tile),
    .word_o   (weights_q)
  );

  // Stage 1: numbers_q[w] counts the bits of each weight of the six numbers that full adders leave,
  // and is itself worth 2**w.
  logic [Pe-1:0][2:0][8:0] numbers_d, numbers_q;
  logic [RowBits-1:0]      row_tile_q1;
  logic                    valid_q1, first_q1, last_q1;

  for (genvar pe = 0; pe < Pe; pe++) begin : gen_adders
    logic [2:0][8:0] sums, carries;

    for (genvar three = 0; three < 3; three++) begin : gen_threes
      logic [2:0][7:0] terms;
      for (genvar lane = 0; lane < 3; lane++) begin : gen_lanes
        assign terms[lane] = beat_q[3*three + lane] ^ {8{!weights_q[pe*Simd + 3*three + lane]}};
      end
      assign sums[three] = {1'b0, terms[0] ^ terms[1] ^ terms[2]};
      assign carries[three] = {(terms[0] & terms[1]) | (terms[0] & terms[2]) | (terms[1] & terms[2]), 1'b0};
    end

    logic [8:0][5:0] six;
    for (genvar bit_index = 0; bit_index < 9; bit_index++) begin : gen_bits
      assign six[bit_index] = {
        sums[0][bit_index], sums[1][bit_index], sums[2][bit_index],
        carries[0][bit_index], carries[1][bit_index], carries[2][bit_index]
      };
    end

    compressor #(
      .Width(54),
      .Group(6)
    ) u_sixes (
      .word_i   (six),
      .columns_o(numbers_d[pe])
    );
  end

  // Stage 2: their sum.
  logic [Pe-1:0][11:0] dot_d, dot_q;
  logic [RowBits-1:0]  row_tile_q2;
  logic                valid_q2, first_q2, last_q2;

  for (genvar pe = 0; pe < Pe; pe++) begin : gen_sums
    assign dot_d[pe] = 12'(numbers_q[pe][0]) + {2'b0, numbers_q[pe][1], 1'b0} + {1'b0, numbers_q[pe][2], 2'b0};
  end

  // Stage 3: the accumulator; its sign is the output.
  logic [Pe*SumBits-1:0]      starts;
  logic [Pe-1:0][SumBits-1:0] sum, sum_q;

  reference_table #(
    .Width(Pe*SumBits),
    .Depth(RowTiles),
    .Words(Starts)
  ) u_starts (
    .address_i(row_tile_q2),
    .word_o   (starts)
  );

  for (genvar pe = 0; pe < Pe; pe++) begin : gen_accumulators
    assign sum[pe] = SumBits'(dot_q[pe]) + (first_q2 ? starts[pe*SumBits +: SumBits] : sum_q[pe]);
  end

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      valid_q1 <= 1'b0;
      valid_q2 <= 1'b0;
      m_axis_tvalid <= 1'b0;
    end else if (enable) begin
      valid_q1 <= valid_q;
      valid_q2 <= valid_q1;
      m_axis_tvalid <= valid_q2 && last_q2;
    end
  end

  always_ff @(posedge ap_clk) begin
    if (enable) begin
      {row_tile_q1, first_q1, last_q1} <= {row_tile_q, first_q, last_q};
      numbers_q <= numbers_d;
      {row_tile_q2, first_q2, last_q2} <= {row_tile_q1, first_q1, last_q1};
      dot_q <= dot_d;
    end
    if (enable && valid_q2) begin
      sum_q <= sum;
      for (int unsigned pe = 0; pe < Pe; pe++) begin
        m_axis_tdata[pe] <= !sum[pe][SumBits-1];
      end
    end
  end

endmodule
