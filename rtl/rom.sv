// A table of constant words in look-up tables. A cycle after read_i the word at the address is at word_o, and
// stays there until the next read. Word 0 is in the lowest bits of Words; past the last one the word is
// undefined.
//
// The hierarchy is kept through synthesis, for its sake: six-input look-up tables hold 64 words of a bit each,
// but taken apart together with what stands around it the same table became four times as large in Yosys.
// For words that are read within the cycle, or that fill block memory, no cell is needed.

(* keep_hierarchy = "yes" *)
module rom #(
  parameter int Width = 8,
  parameter int Depth = 2,
  parameter logic [Depth*Width-1:0] Words = '0,
  localparam int AddressWidth = Depth > 1 ? $clog2(Depth) : 1
) (
  input  logic                    clk_i,
  input  logic                    read_i,
  input  logic [AddressWidth-1:0] address_i,
  output logic [Width-1:0]        word_o
);

`ifndef __ICARUS__  // Icarus 11 has no elaboration tasks
  if (Width < 1 || Depth < 1) begin : gen_no_words
    $fatal(1, "rom %m: Width %0d and Depth %0d must be at least 1", Width, Depth);
  end
`endif

`ifdef VERILATOR
  // Of the words of an array Verilator would make statements.
  always_ff @(posedge clk_i) begin
    if (read_i) begin
      word_o <= Words[32'(address_i) * Width +: Width];
    end
  end
`else
  // Without the attribute Yosys may take block memory, which hlsc has chosen for other tables.
  (* logic_block *)
  logic [Width-1:0] words [Depth];

  initial begin
    for (int address = 0; address < Depth; address++) begin
      words[address] = Words[address*Width +: Width];
    end
  end

  always_ff @(posedge clk_i) begin
    if (read_i) begin
      word_o <= words[address_i];
    end
  end
`endif

endmodule
