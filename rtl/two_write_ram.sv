// A memory of look-up tables with two write ports and one read port. The read is combinational and sees
// the contents before the clock edge. The two ports never write one address in the same cycle.
//
// Look-up tables have one write port. So each port writes a ram of its own, and last_writer knows which of
// them has the latest value of a word. There is no reset: words keep what they hold. If Filled they
// begin as Initial says, word 0 in its lowest bits; else a word is undefined until it is written.
// For a read that may take a cycle use two_write_block_ram.

module two_write_ram #(
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
  input  logic [AddressWidth-1:0]      read_address_i,
  output logic [Width-1:0]             read_data_o
);

  logic latest;

  last_writer #(
    .Depth(Depth)
  ) u_last_writer (
    .clk_i          (clk_i),
    .write_i        (write_i),
    .write_address_i(write_address_i),
    .read_address_i (read_address_i),
    .port_o         (latest)
  );

  logic [1:0][Width-1:0] words;

  for (genvar port = 0; port < 2; port++) begin : gen_ports
    ram #(
      .Width(Width),
      .Depth(Depth),
      .Filled(Filled),
      .Initial(Initial)
    ) u_ram (
      .clk_i          (clk_i),
      .write_i        (write_i[port]),
      .write_address_i(write_address_i[port]),
      .write_data_i   (write_data_i[port]),
      .read_address_i (read_address_i),
      .read_data_o    (words[port])
    );
  end

  assign read_data_o = words[latest];

endmodule
