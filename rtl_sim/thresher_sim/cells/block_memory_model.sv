// A block memory of two ports that each read or write 1, 2 or 4 bits, or 1 to 8 bytes with a ninth bit each.
//
// The model behind the block memories of 7-series and ECP5 parts, in whose own models Yosys has ports alone.
// An address counts bits, the ninth ones left out. What the parts leave open is inverted, so that nothing
// can count on it: a word that is read while the other port writes to it, unless that reads first.
// It has no output registers and no pipeline, and both ports must have the same clock where both are used.
module block_memory_model #(
    parameter int                 Bytes = 2048,
    parameter logic [9*Bytes-1:0] Init = '0,
    parameter int                 ReadBitsA = 0,
    parameter int                 ReadBitsB = 0,
    parameter int                 WriteBitsA = 0,
    parameter int                 WriteBitsB = 0,
    parameter bit                 ReadFirstA = 1'b0,
    parameter bit                 ReadFirstB = 1'b0,
    parameter bit                 NoChangeA = 1'b0,
    parameter bit                 NoChangeB = 1'b0,
    parameter logic [71:0]        StartA = '0,
    parameter logic [71:0]        StartB = '0,
    parameter logic [71:0]        ResetA = '0,
    parameter logic [71:0]        ResetB = '0,
    parameter bit                 ResetAlways = 1'b0,  // else with enable only
    localparam int                AddressBits = $clog2(8 * Bytes)
) (
    input  logic                   clk_a_i,
    input  logic                   enable_a_i,
    input  logic                   reset_a_i,
    input  logic [AddressBits-1:0] address_a_i,
    input  logic [            7:0] write_a_i,
    input  logic [           71:0] data_a_i,
    output logic [           71:0] data_a_o,
    input  logic                   clk_b_i,
    input  logic                   enable_b_i,
    input  logic                   reset_b_i,
    input  logic [AddressBits-1:0] address_b_i,
    input  logic [            7:0] write_b_i,
    input  logic [           71:0] data_b_i,
    output logic [           71:0] data_b_o
);

  logic [8:0] bytes[Bytes];

  initial begin
    for (int place = 0; place < Bytes; place++) bytes[place] = Init[9*place+:9];
    data_a_o = StartA;
    data_b_o = StartB;
  end

  // Bits of an access that an address counts.
  function automatic int counted(input int bits);
    return bits < 9 ? bits : bits / 9 * 8;
  endfunction

  function automatic logic [71:0] read(input int bits, input logic [AddressBits-1:0] address);
    int first;
    read = '0;
    if (bits < 9) begin
      for (int bit_ = 0; bit_ < 4; bit_++) begin
        if (bit_ < bits) read[bit_] = bytes[int'(address)/8][int'(address)%8/bits*bits+bit_];
      end
    end else begin
      first = int'(address) / counted(bits) * (bits / 9);
      for (int place = 0; place < 8; place++) begin
        if (9 * place < bits) read[9*place+:9] = bytes[first+place];
      end
    end
  endfunction

  function automatic logic overlap(input int bits, input logic [AddressBits-1:0] address, input int others,
                                   input logic [AddressBits-1:0] other);
    int most;
    most = counted(bits) > counted(others) ? counted(bits) : counted(others);
    return int'(address) / most == int'(other) / most;
  endfunction

  logic writes_a, writes_b;
  assign writes_a = WriteBitsA != 0 && enable_a_i && write_a_i != '0 && !(ResetAlways && reset_a_i);
  assign writes_b = WriteBitsB != 0 && enable_b_i && write_b_i != '0 && !(ResetAlways && reset_b_i);

  if (WriteBitsA >= 9) begin : gen_write_bytes_a
    localparam int Count = WriteBitsA / 9;
    always_ff @(posedge clk_a_i) begin
      for (int place = 0; place < Count; place++) begin
        if (writes_a && write_a_i[place]) begin
          bytes[int'(address_a_i)/(8*Count)*Count+place] <= data_a_i[9*place+:9];
        end
      end
    end
  end else if (WriteBitsA > 0) begin : gen_write_bits_a
    always_ff @(posedge clk_a_i) begin
      if (writes_a) begin
        bytes[int'(address_a_i)/8][int'(address_a_i)%8/WriteBitsA*WriteBitsA+:WriteBitsA] <=
            data_a_i[WriteBitsA-1:0];
      end
    end
  end

  if (ReadBitsA > 0) begin : gen_read_a
    logic [71:0] word, written;
    logic met;
    assign met = WriteBitsB != 0 && !ReadFirstB && writes_b &&
        overlap(ReadBitsA, address_a_i, WriteBitsB == 0 ? 1 : WriteBitsB, address_b_i);
    always_comb begin
      word = read(ReadBitsA, address_a_i);
      written = word;
      for (int bit_ = 0; bit_ < 72; bit_++) begin
        if (bit_ < WriteBitsA && write_a_i[bit_/9]) written[bit_] = data_a_i[bit_];
      end
    end
    always_ff @(posedge clk_a_i) begin
      if (reset_a_i && (enable_a_i || ResetAlways)) begin
        data_a_o <= ResetA;
      end else if (enable_a_i && met) begin
        data_a_o <= ~word;
      end else if (enable_a_i && !writes_a) begin
        data_a_o <= word;
      end else if (enable_a_i && !NoChangeA) begin
        data_a_o <= ReadFirstA ? word : written;
      end
    end
  end

  if (WriteBitsB >= 9) begin : gen_write_bytes_b
    localparam int Count = WriteBitsB / 9;
    always_ff @(posedge clk_b_i) begin
      for (int place = 0; place < Count; place++) begin
        if (writes_b && write_b_i[place]) begin
          bytes[int'(address_b_i)/(8*Count)*Count+place] <= data_b_i[9*place+:9];
        end
      end
    end
  end else if (WriteBitsB > 0) begin : gen_write_bits_b
    always_ff @(posedge clk_b_i) begin
      if (writes_b) begin
        bytes[int'(address_b_i)/8][int'(address_b_i)%8/WriteBitsB*WriteBitsB+:WriteBitsB] <=
            data_b_i[WriteBitsB-1:0];
      end
    end
  end

  if (ReadBitsB > 0) begin : gen_read_b
    logic [71:0] word, written;
    logic met;
    assign met = WriteBitsA != 0 && !ReadFirstA && writes_a &&
        overlap(ReadBitsB, address_b_i, WriteBitsA == 0 ? 1 : WriteBitsA, address_a_i);
    always_comb begin
      word = read(ReadBitsB, address_b_i);
      written = word;
      for (int bit_ = 0; bit_ < 72; bit_++) begin
        if (bit_ < WriteBitsB && write_b_i[bit_/9]) written[bit_] = data_b_i[bit_];
      end
    end
    always_ff @(posedge clk_b_i) begin
      if (reset_b_i && (enable_b_i || ResetAlways)) begin
        data_b_o <= ResetB;
      end else if (enable_b_i && met) begin
        data_b_o <= ~word;
      end else if (enable_b_i && !writes_b) begin
        data_b_o <= word;
      end else if (enable_b_i && !NoChangeB) begin
        data_b_o <= ReadFirstB ? word : written;
      end
    end
  end

endmodule
