// A binary matrix-vector unit with one threshold a row, written by hand: what hlsc's is compared with.
//
// The contract is that of hls/thresher/mvu.hpp: `Pe` rows and `Simd` columns a cycle, the vector read
// during the first row tile and replayed for the others, a beat of `Pe` signs at the end of each row
// tile. Starts holds minus the threshold of each row, as a count of matching signs.
//
// Four stages, for 200 MHz in a 7-series part: the beat; its XNORs with the weights, counted by threes,
// which takes no more than the XNORs would; the count of all; the accumulator. One enable moves all of them unless an output waits to be taken, so
// steps without a beat are bubbles, and what is in the pipeline always comes out.

module reference_mvu #(
  parameter int unsigned RowTiles = 4,
  parameter int unsigned ColumnTiles = 16,
  parameter int unsigned Pe = 16,
  parameter int unsigned Simd = 49,
  parameter int unsigned SumBits = 11,
  parameter logic [Pe*Simd-1:0] Weights [RowTiles*ColumnTiles] = '{default: '0},
  parameter logic [Pe*SumBits-1:0] Starts [RowTiles] = '{default: '0}
) (
  input  logic            ap_clk,
  input  logic            ap_rst_n,
  input  logic [Simd-1:0] s_axis_tdata,
  input  logic            s_axis_tvalid,
  output logic            s_axis_tready,
  output logic [Pe-1:0]   m_axis_tdata,
  output logic            m_axis_tvalid,
  input  logic            m_axis_tready
);

  if (RowTiles < 2 || ColumnTiles < 2) begin : gen_illegal
    $fatal(1, "reference_mvu %m: RowTiles %0d and ColumnTiles %0d must be at least 2", RowTiles, ColumnTiles);
  end

  localparam int unsigned RowBits = $clog2(RowTiles);

  logic enable;
  assign enable = !m_axis_tvalid || m_axis_tready;

  // Stage 0: the beat.
  logic [Simd-1:0]                         beat_q;
  logic [$clog2(RowTiles*ColumnTiles)-1:0] tile_q;
  logic [RowBits-1:0]                      row_tile_q;
  logic                                    valid_q, first_q, last_q;

  reference_replay #(
    .Width(Simd),
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
    .tile_o    (tile_q),
    .row_tile_o(row_tile_q),
    .first_o   (first_q),
    .last_o    (last_q)
  );

  // Stage 1: the matching signs of each three lanes, as two columns of bits worth 1 and 2.
  localparam int unsigned Threes = (Simd + 2) / 3;

  logic [Pe*Simd-1:0]             weights;
  logic [Pe-1:0][1:0][Threes-1:0] columns_d, columns_q;
  logic [RowBits-1:0]             row_tile_q1;
  logic                           valid_q1, first_q1, last_q1;

  assign weights = Weights[tile_q];

  for (genvar pe = 0; pe < Pe; pe++) begin : gen_threes
    compressor #(
      .Width(Simd),
      .Group(3)
    ) u_threes (
      .word_i   (~(weights[pe*Simd +: Simd] ^ beat_q)),
      .columns_o(columns_d[pe])
    );
  end

  // Stage 2: the count.
  localparam int unsigned CountBits = $clog2(Simd + 1);

  logic [Pe-1:0][CountBits-1:0] count_d, count_q;
  logic [RowBits-1:0]           row_tile_q2;
  logic                         valid_q2, first_q2, last_q2;

  for (genvar pe = 0; pe < Pe; pe++) begin : gen_counts
    logic [1:0][$clog2(Threes+1)-1:0] counts;

    for (genvar weight = 0; weight < 2; weight++) begin : gen_columns
      popcount #(
        .Width(Threes),
        .Group(6)
      ) u_count (
        .word_i (columns_q[pe][weight]),
        .count_o(counts[weight])
      );
    end

    assign count_d[pe] = CountBits'(counts[0]) + {counts[1], 1'b0};
  end

  // Stage 3: the accumulator; its sign is the output.
  logic [Pe*SumBits-1:0]      starts;
  logic [Pe-1:0][SumBits-1:0] sum, sum_q;

  assign starts = Starts[row_tile_q2];

  for (genvar pe = 0; pe < Pe; pe++) begin : gen_accumulators
    assign sum[pe] = SumBits'(count_q[pe]) + (first_q2 ? starts[pe*SumBits +: SumBits] : sum_q[pe]);
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
      columns_q <= columns_d;
      {row_tile_q2, first_q2, last_q2} <= {row_tile_q1, first_q1, last_q1};
      count_q <= count_d;
    end
    if (enable && valid_q2) begin
      sum_q <= sum;
      for (int unsigned pe = 0; pe < Pe; pe++) begin
        m_axis_tdata[pe] <= !sum[pe][SumBits-1];
      end
    end
  end

endmodule
