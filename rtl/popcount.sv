// The number of ones in a word. Combinational, no handshake: registers around it are the user's.
//
// The bits are counted in groups, the bits of equal weight of these counts are counted in turn, and
// carry chains add the few numbers that remain. Groups of three come first, because a look-up table
// of six inputs then has room for what makes each bit of two others, an XNOR for instance; groups
// of six follow, which three such tables count.

module popcount #(
  parameter int Width = 8,
  parameter int Group = 3,
  localparam int CountWidth = $clog2(Width + 1)
) (
  input  logic [Width-1:0]      word_i,
  output logic [CountWidth-1:0] count_o
);

`ifndef __ICARUS__  // Icarus 11 has no elaboration tasks
  if (Width < 1 || Group < 3 || Group > 6) begin : gen_illegal
    $fatal(1, "popcount %m: Width %0d must be at least 1 and Group %0d from 3 to 6", Width, Group);
  end
`endif

  if (Width <= Group) begin : gen_one_group
    always_comb begin
      count_o = '0;
      for (int index = 0; index < Width; index++) begin
        count_o += CountWidth'(word_i[index]);
      end
    end
  end else begin : gen_groups
    localparam int Groups = (Width + Group - 1) / Group;
    localparam int Weights = $clog2(Group + 1);
    localparam int ColumnCountWidth = $clog2(Groups + 1);

    logic [Weights*Groups-1:0]           columns;
    logic [Weights*ColumnCountWidth-1:0] counts;

    compressor #(
      .Width(Width),
      .Group(Group)
    ) u_compressor (
      .word_i   (word_i),
      .columns_o(columns)
    );

    for (genvar weight = 0; weight < Weights; weight++) begin : gen_columns
      popcount #(
        .Width(Groups),
        .Group(6)
      ) u_column (
        .word_i (columns[weight*Groups +: Groups]),
        .count_o(counts[weight*ColumnCountWidth +: ColumnCountWidth])
      );
    end

    always_comb begin
      count_o = '0;
      for (int weight = 0; weight < Weights; weight++) begin
        count_o += CountWidth'(counts[weight*ColumnCountWidth +: ColumnCountWidth]) << weight;
      end
    end
  end

endmodule
