// Constant words. Combinational: the word of an address is there in the same cycle.
//
// It is described as constants, not as a memory with initial contents: synthesis then makes plain
// logic of it, and has no memory port into which to pull the registers around it. The contents are an
// array and not one long vector, for slicing a vector of a million bits takes tools minutes.
//
// What an address past the last word reads is undefined.

module rom #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 2,
  parameter logic [Width-1:0] Contents [Depth] = '{default: '0},
  localparam int unsigned AddressWidth = Depth > 1 ? $clog2(Depth) : 1
) (
  input  logic [AddressWidth-1:0] address_i,
  output logic [Width-1:0]        word_o
);

  if (Width == 0 || Depth == 0) begin : gen_no_words
    $fatal(1, "rom %m: Width %0d and Depth %0d must be at least 1", Width, Depth);
  end

  assign word_o = Contents[address_i];

endmodule
