// The number of ones in fifteen bits: four groups of three, and a carry for each of their three sums.
// Combinational.

module reference_fifteen (
  input  logic [14:0] word_i,
  output logic [3:0]  count_o
);

  logic [1:0][3:0] columns;
  logic [3:0][1:0] counts;

  compressor #(
    .Width(12),
    .Group(3)
  ) u_threes (
    .word_i   (word_i[11:0]),
    .columns_o(columns)
  );

  for (genvar group = 0; group < 4; group++) begin : gen_counts
    assign counts[group] = {columns[1][group], columns[0][group]};
  end

  reference_sum #(
    .Numbers(4),
    .Width(2)
  ) u_sum (
    .numbers_i(counts),
    .carries_i(word_i[14:12]),
    .sum_o    (count_o)
  );

endmodule
