// A table of few constant words in look-up tables, which share theirs with what stands behind them.
// Combinational. Word 0 is in the lowest bits of Words.
//
// In this form, an array of wires, Yosys makes one look-up table of each bit; of a constant that is indexed
// it makes multiplexers. For more than 32 words there is rom.

module reference_table #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 16,
  parameter logic [Depth*Width-1:0] Words = '0
) (
  input  logic [$clog2(Depth)-1:0] address_i,
  output logic [Width-1:0]         word_o
);

  wire [Width-1:0] words [0:Depth-1];

  for (genvar address = 0; address < Depth; address++) begin : gen_words
    assign words[address] = Words[address*Width +: Width];
  end

  (* rom_style = "distributed" *)
  logic [Width-1:0] word;

  assign word = words[address_i];
  assign word_o = word;

endmodule
