// A binary matrix-vector unit with one threshold a row, written by hand: what hlsc's is compared with.
//
// The contract is that of hls/thresher/mvu.hpp: `Pe` rows and `Simd` columns a cycle, the vector read
// during the first row tile and replayed for the others, a beat of `Pe` signs at the end of each row
// tile. Starts holds minus the threshold of each row, as a count of matching signs.
//
// Three stages, for 200 MHz in a 7-series part, and a fourth for more than 32 lanes: the beat and its
// weights; the matching signs by fifteens; the count of all; the accumulator. One enable moves all of them
// unless an output waits to be taken, so steps without a beat are bubbles, and what is in the pipeline
// always comes out.
//
// Fifteen signs are four groups of three, which take no more look-up tables than their XNORs would, and a
// carry for each of three sums. The sums of the fifteens and the accumulator take a sign as a carry each.

module reference_mvu #(
  parameter int unsigned RowTiles = 4,
  parameter int unsigned ColumnTiles = 16,
  parameter int unsigned Pe = 16,
  parameter int unsigned Simd = 49,
  parameter int unsigned SumBits = 11,
  parameter logic [RowTiles*ColumnTiles*Pe*Simd-1:0] Weights = '0,
  parameter logic [RowTiles*Pe*SumBits-1:0] Starts = '0
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

  // Stage 0: the beat and its weights.
  typedef struct packed {
    logic [RowBits-1:0] row_tile;
    logic               first;
    logic               last;
  } place_t;

  logic [Simd-1:0]                         beat_q;
  logic [Pe*Simd-1:0]                      weights_q;
  logic [$clog2(RowTiles*ColumnTiles)-1:0] tile;
  place_t                                  place_q;
  logic                                    valid_q;

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
    .tile_o    (tile),
    .row_tile_o(place_q.row_tile),
    .first_o   (place_q.first),
    .last_o    (place_q.last)
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

  // Stage 1: the matching signs of every fifteen lanes, and a lane for each sum to come.
  localparam int unsigned Fifteens = (Simd + 15) / 16;

  logic [Pe-1:0][Fifteens-1:0][3:0] fifteens_d, fifteens_q;
  logic [Pe-1:0][Fifteens-1:0]      carries_d, carries_q;
  place_t                           place_q1;
  logic                             valid_q1;

  for (genvar pe = 0; pe < Pe; pe++) begin : gen_fifteens
    logic [16*Fifteens-1:0] agrees;

    always_comb begin
      agrees = '0;
      agrees[Simd-1:0] = ~(weights_q[pe*Simd +: Simd] ^ beat_q);
    end

    assign carries_d[pe] = agrees[Fifteens-1:0];

    for (genvar index = 0; index < Fifteens; index++) begin : gen_counts
      reference_fifteen u_count (
        .word_i (agrees[Fifteens + 15*index +: 15]),
        .count_o(fifteens_d[pe][index])
      );
    end
  end

  // Stage 2: the count of all but one.
  localparam int unsigned CountBits = 4 + $clog2(Fifteens);
  localparam int unsigned Sums = Fifteens > 1 ? Fifteens - 1 : 1;

  logic [Pe-1:0][CountBits-1:0] count_d, count;
  logic [Pe-1:0]                carry;
  place_t                       place;
  logic                         valid;

  for (genvar pe = 0; pe < Pe; pe++) begin : gen_counts
    reference_sum #(
      .Numbers(Fifteens),
      .Width(4)
    ) u_sum (
      .numbers_i(fifteens_q[pe]),
      .carries_i(carries_q[pe][Sums-1:0]),
      .sum_o    (count_d[pe])
    );
  end

  if (Fifteens > 2) begin : gen_count_stage
    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) begin
        valid <= 1'b0;
      end else if (enable) begin
        valid <= valid_q1;
      end
    end

    always_ff @(posedge ap_clk) begin
      if (enable) begin
        place <= place_q1;
        count <= count_d;
        for (int unsigned pe = 0; pe < Pe; pe++) begin
          carry[pe] <= carries_q[pe][Fifteens-1];
        end
      end
    end
  end else begin : gen_no_count_stage
    assign valid = valid_q1;
    assign place = place_q1;
    assign count = count_d;
    for (genvar pe = 0; pe < Pe; pe++) begin : gen_carries
      assign carry[pe] = carries_q[pe][Fifteens-1];
    end
  end

  // The last stage: the accumulator; its sign is the output.
  logic [Pe*SumBits-1:0]      starts;
  logic [Pe-1:0][SumBits-1:0] sum, sum_q;

  reference_table #(
    .Width(Pe*SumBits),
    .Depth(RowTiles),
    .Words(Starts)
  ) u_starts (
    .address_i(place.row_tile),
    .word_o   (starts)
  );

  for (genvar pe = 0; pe < Pe; pe++) begin : gen_accumulators
    logic unused;
    reference_add #(
      .Width(SumBits)
    ) u_add (
      .a_i    (SumBits'(count[pe])),
      .b_i    (place.first ? starts[pe*SumBits +: SumBits] : sum_q[pe]),
      .carry_i(carry[pe]),
      .sum_o  ({unused, sum[pe]})
    );
  end

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      valid_q1 <= 1'b0;
      m_axis_tvalid <= 1'b0;
    end else if (enable) begin
      valid_q1 <= valid_q;
      m_axis_tvalid <= valid && place.last;
    end
  end

  always_ff @(posedge ap_clk) begin
    if (enable) begin
      place_q1 <= place_q;
      fifteens_q <= fifteens_d;
      carries_q <= carries_d;
    end
    if (enable && valid) begin
      sum_q <= sum;
      for (int unsigned pe = 0; pe < Pe; pe++) begin
        m_axis_tdata[pe] <= !sum[pe][SumBits-1];
      end
    end
  end

endmodule
