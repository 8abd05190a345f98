// The number of ones in a word. Combinational, no handshake: registers around it are the user's.
//
// Two halves are counted and added, and one more bit rides on the carry input of the adder. Three
// bits are counted by two look-up tables, which have room for what makes each bit of two others.

module popcount #(
  parameter int unsigned Width = 8,
  localparam int unsigned CountWidth = $clog2(Width + 1)
) (
  input  logic [Width-1:0]      word_i,
  output logic [CountWidth-1:0] count_o
);

  if (Width == 0) begin : gen_no_width
    $fatal(1, "popcount %m: Width must be at least 1");
  end

  if (Width == 1) begin : gen_one
    assign count_o = word_i;
  end else if (Width == 2) begin : gen_two
    assign count_o = {word_i[1] & word_i[0], word_i[1] ^ word_i[0]};
  end else if (Width == 3) begin : gen_three
    assign count_o[0] = ^word_i;
    assign count_o[1] = (word_i[0] & word_i[1]) | (word_i[1] & word_i[2]) | (word_i[2] & word_i[0]);
  end else begin : gen_halves
    localparam int unsigned LowWidth = Width / 2;
    localparam int unsigned HighWidth = Width - 1 - LowWidth;
    localparam int unsigned LowCountWidth = $clog2(LowWidth + 1);
    localparam int unsigned HighCountWidth = $clog2(HighWidth + 1);

    logic [LowCountWidth-1:0]  low;
    logic [HighCountWidth-1:0] high;

    popcount #(.Width(LowWidth)) u_low (
      .word_i (word_i[LowWidth-1:0]),
      .count_o(low)
    );

    popcount #(.Width(HighWidth)) u_high (
      .word_i (word_i[Width-2:LowWidth]),
      .count_o(high)
    );

    assign count_o = CountWidth'(low) + CountWidth'(high) + CountWidth'(word_i[Width-1]);
  end

endmodule
