// A block memory with one write port and one read port. A cycle after read_i the word is at
// read_data_o, and stays there until the next read. A read of the address that is being written gives
// the old word.
//
// There is no reset: words keep what they hold. If Filled they begin as Initial says, word 0 in its lowest
// bits; else a word is undefined until it is written. A user that needs more read ports uses one block_ram
// for each, all written alike; one that writes twice in a cycle uses dual_port_ram, or
// two_write_block_ram where it reads in such a cycle. For a read within the cycle use ram.

module block_ram #(
  parameter int Width = 8,
  parameter int Depth = 2,
  parameter bit Filled = 1'b0,
  /* verilator lint_off WIDTHCONCAT */  // it may be long
  parameter logic [(Filled ? Depth * Width : 1)-1:0] Initial = '0,
  /* verilator lint_on WIDTHCONCAT */
  localparam int AddressWidth = Depth > 1 ? $clog2(Depth) : 1
) (
  input  logic                    clk_i,
  input  logic                    write_i,
  input  logic [AddressWidth-1:0] write_address_i,
  input  logic [Width-1:0]        write_data_i,
  input  logic                    read_i,
  input  logic [AddressWidth-1:0] read_address_i,
  output logic [Width-1:0]        read_data_o
);

`ifndef __ICARUS__  // Icarus 11 has no elaboration tasks
  if (Width < 1 || Depth < 1) begin : gen_no_words
    $fatal(1, "block_ram %m: Width %0d and Depth %0d must be at least 1", Width, Depth);
  end
`endif

  (* ram_style = "block" *)
  logic [Width-1:0] words [Depth];

  if (Filled) begin : gen_filled
    initial begin
      for (int address = 0; address < Depth; address++) begin
        words[address] = Initial[address*Width +: Width];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (write_i) begin
      words[write_address_i] <= write_data_i;
    end
    if (read_i) begin
      read_data_o <= words[read_address_i];
    end
  end

endmodule
