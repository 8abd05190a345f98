// The sum of some numbers of equal width and of a carry for every sum of two. Combinational.

module reference_sum #(
  parameter int unsigned Numbers = 2,
  parameter int unsigned Width = 4,
  localparam int unsigned Carries = Numbers > 1 ? Numbers - 1 : 1,
  localparam int unsigned SumWidth = Width + $clog2(Numbers)
) (
  input  logic [Numbers-1:0][Width-1:0] numbers_i,
  input  logic [Carries-1:0]            carries_i,
  output logic [SumWidth-1:0]           sum_o
);

  if (Numbers == 1) begin : gen_one
    logic unused;
    assign unused = carries_i[0];
    assign sum_o = numbers_i[0];
  end else begin : gen_tree
    localparam int unsigned Low = 1 << ($clog2(Numbers) - 1);
    localparam int unsigned High = Numbers - Low;
    localparam int unsigned LowCarries = Low > 1 ? Low - 1 : 1;
    localparam int unsigned HighCarries = High > 1 ? High - 1 : 1;

    logic [SumWidth-2:0]              low;
    logic [Width+$clog2(High)-1:0]    high;
    logic [LowCarries-1:0]            low_carries;
    logic [HighCarries-1:0]           high_carries;

    if (Low > 1) begin : gen_low_carries
      assign low_carries = carries_i[1 +: LowCarries];
    end else begin : gen_no_low_carries
      assign low_carries = '0;
    end
    if (High > 1) begin : gen_high_carries
      assign high_carries = carries_i[Low +: HighCarries];
    end else begin : gen_no_high_carries
      assign high_carries = '0;
    end

    reference_sum #(
      .Numbers(Low),
      .Width(Width)
    ) u_low (
      .numbers_i(numbers_i[Low-1:0]),
      .carries_i(low_carries),
      .sum_o    (low)
    );
    reference_sum #(
      .Numbers(High),
      .Width(Width)
    ) u_high (
      .numbers_i(numbers_i[Numbers-1:Low]),
      .carries_i(high_carries),
      .sum_o    (high)
    );
    reference_add #(
      .Width(SumWidth - 1)
    ) u_add (
      .a_i    (low),
      .b_i    ((SumWidth-1)'(high)),
      .carry_i(carries_i[0]),
      .sum_o  (sum_o)
    );
  end

endmodule
