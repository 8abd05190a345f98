// The counts of ones of every `Group` bits of a word, by columns: bit 0 of each count, lowest group
// first, then bit 1 of each count, and so on. Combinational: registers around it are the user's.
//
// The number of ones in the word is the sum of the ones in each column, weighted by powers of two. So
// this is one level of a popcount, behind which a register can stand.

module compressor #(
  parameter int Width = 8,
  parameter int Group = 3,
  localparam int Groups = (Width + Group - 1) / Group,
  localparam int Weights = $clog2(Group + 1)
) (
  input  logic [Width-1:0]          word_i,
  output logic [Weights*Groups-1:0] columns_o
);

`ifndef __ICARUS__  // Icarus 11 has no elaboration tasks
  if (Width < 1 || Group < 3 || Group > 6) begin : gen_illegal
    $fatal(1, "compressor %m: Width %0d must be at least 1 and Group %0d from 3 to 6", Width, Group);
  end
`endif

  logic [Groups*Group-1:0] padded;

  always_comb begin
    padded = '0;
    padded[Width-1:0] = word_i;
  end

  // A table for each bit of a count: of a sum synthesis would make carry chains, where one look-up table does.
  function automatic logic [(1<<Group)-1:0] ones_table(input int unsigned weight);
    int unsigned ones;
    ones_table = '0;
    for (int unsigned word = 0; word < 32'd1 << Group; word++) begin
      ones = 0;
      for (int index = 0; index < Group; index++) begin
        ones = ones + ((word >> index) & 32'd1);
      end
      ones_table[word] = 1'((ones >> weight) & 32'd1);
    end
  endfunction

  for (genvar weight = 0; weight < Weights; weight++) begin : gen_columns
    localparam logic [(1<<Group)-1:0] Table = ones_table(weight);

    for (genvar group = 0; group < Groups; group++) begin : gen_counts
      assign columns_o[weight*Groups + group] = Table[padded[group*Group +: Group]];
    end
  end

endmodule
