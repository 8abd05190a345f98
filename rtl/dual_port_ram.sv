// A block memory with two ports, each of which reads or writes in a cycle (true dual port). A cycle after
// read_i the words are at read_data_o, and stay there until the next read. In a cycle in which a port
// writes nothing is read, and read_data_o stays as it is. The two ports never write one address in the
// same cycle.
//
// There is no reset: words keep what they hold. If Filled they begin as Initial says, word 0 in its lowest
// bits; else a word is undefined until it is written. For more read ports use several, all written alike;
// to read while both ports write, use two_write_block_ram.

module dual_port_ram #(
  parameter int Width = 8,
  parameter int Depth = 2,
  parameter bit Filled = 1'b0,
  /* verilator lint_off WIDTHCONCAT */  // it may be long
  parameter logic [(Filled ? Depth * Width : 1)-1:0] Initial = '0,
  /* verilator lint_on WIDTHCONCAT */
  localparam int AddressWidth = Depth > 1 ? $clog2(Depth) : 1
) (
  input  logic                         clk_i,
  input  logic [1:0]                   write_i,
  input  logic [1:0][AddressWidth-1:0] write_address_i,
  input  logic [1:0][Width-1:0]        write_data_i,
  input  logic                         read_i,
  input  logic [1:0][AddressWidth-1:0] read_address_i,
  output logic [1:0][Width-1:0]        read_data_o
);

`ifndef __ICARUS__  // Icarus 11 has no elaboration tasks
  if (Width < 1 || Depth < 1) begin : gen_no_words
    $fatal(1, "dual_port_ram %m: Width %0d and Depth %0d must be at least 1", Width, Depth);
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

  logic                         reads;
  logic [1:0][AddressWidth-1:0] address;

  assign reads = read_i && !(|write_i);

  // One process for each port, and no reading where it writes: so true dual ports are inferred by all.
  for (genvar port = 0; port < 2; port++) begin : gen_ports
    assign address[port] = write_i[port] ? write_address_i[port] : read_address_i[port];

    always @(posedge clk_i) begin
      if (write_i[port] || reads) begin
        if (write_i[port]) begin
          words[address[port]] <= write_data_i[port];
        end else begin
          read_data_o[port] <= words[address[port]];
        end
      end
    end
  end

endmodule
