// For each address of a memory with two write ports, the port that has written there last; port 0 at first.
// The read is combinational and sees the state before the clock edge. The two ports never write one address
// in the same cycle.
//
// The answer is the exclusive or of two bits, one of which each port writes: port 0 copies the other one's,
// and port 1 inverts it. So it takes four memories of one bit a word, as each port also reads at its own
// address, where a register for each address would take a decoder for each as well.

module last_writer #(
  parameter int Depth = 2,
  localparam int AddressWidth = Depth > 1 ? $clog2(Depth) : 1
) (
  input  logic                         clk_i,
  input  logic [1:0]                   write_i,
  input  logic [1:0][AddressWidth-1:0] write_address_i,
  input  logic [AddressWidth-1:0]      read_address_i,
  output logic                         port_o
);

  // The bits at the address that is read, and each port's bit at the address that the other one writes.
  logic [1:0] read, other;

  for (genvar port = 0; port < 2; port++) begin : gen_ports
    logic bit_d;
    assign bit_d = other[1-port] ^ (port == 1);

    ram #(
      .Width(1),
      .Depth(Depth),
      .Filled(1'b1)
    ) u_read (
      .clk_i          (clk_i),
      .write_i        (write_i[port]),
      .write_address_i(write_address_i[port]),
      .write_data_i   (bit_d),
      .read_address_i (read_address_i),
      .read_data_o    (read[port])
    );

    ram #(
      .Width(1),
      .Depth(Depth),
      .Filled(1'b1)
    ) u_other (
      .clk_i          (clk_i),
      .write_i        (write_i[port]),
      .write_address_i(write_address_i[port]),
      .write_data_i   (bit_d),
      .read_address_i (write_address_i[1-port]),
      .read_data_o    (other[port])
    );
  end

  assign port_o = read[0] ^ read[1];

endmodule
