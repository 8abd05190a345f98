// The sum of two numbers and a carry, on one carry chain. Combinational.

module reference_add #(
  parameter int unsigned Width = 4
) (
  input  logic [Width-1:0] a_i,
  input  logic [Width-1:0] b_i,
  input  logic             carry_i,
  output logic [Width:0]   sum_o
);

  // Below the numbers a pair of bits adds up to the carry: of three operands Yosys makes two chains.
  logic unused;
  assign {sum_o, unused} = {1'b0, a_i, 1'b1} + {1'b0, b_i, carry_i};

endmodule
