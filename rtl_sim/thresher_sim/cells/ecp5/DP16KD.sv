// 18-kbit block memory of ECP5, by Lattice FPGA-TN-02204: one or two ports, and the pseudo-dual port of 36
// bits that Yosys makes of it. Without output registers, and with one clock.
module DP16KD #(
    parameter logic [319:0]
    INITVAL_00 = '0, INITVAL_01 = '0, INITVAL_02 = '0, INITVAL_03 = '0, INITVAL_04 = '0,
    INITVAL_05 = '0, INITVAL_06 = '0, INITVAL_07 = '0, INITVAL_08 = '0, INITVAL_09 = '0,
    INITVAL_0A = '0, INITVAL_0B = '0, INITVAL_0C = '0, INITVAL_0D = '0, INITVAL_0E = '0,
    INITVAL_0F = '0, INITVAL_10 = '0, INITVAL_11 = '0, INITVAL_12 = '0, INITVAL_13 = '0,
    INITVAL_14 = '0, INITVAL_15 = '0, INITVAL_16 = '0, INITVAL_17 = '0, INITVAL_18 = '0,
    INITVAL_19 = '0, INITVAL_1A = '0, INITVAL_1B = '0, INITVAL_1C = '0, INITVAL_1D = '0,
    INITVAL_1E = '0, INITVAL_1F = '0, INITVAL_20 = '0, INITVAL_21 = '0, INITVAL_22 = '0,
    INITVAL_23 = '0, INITVAL_24 = '0, INITVAL_25 = '0, INITVAL_26 = '0, INITVAL_27 = '0,
    INITVAL_28 = '0, INITVAL_29 = '0, INITVAL_2A = '0, INITVAL_2B = '0, INITVAL_2C = '0,
    INITVAL_2D = '0, INITVAL_2E = '0, INITVAL_2F = '0, INITVAL_30 = '0, INITVAL_31 = '0,
    INITVAL_32 = '0, INITVAL_33 = '0, INITVAL_34 = '0, INITVAL_35 = '0, INITVAL_36 = '0,
    INITVAL_37 = '0, INITVAL_38 = '0, INITVAL_39 = '0, INITVAL_3A = '0, INITVAL_3B = '0,
    INITVAL_3C = '0, INITVAL_3D = '0, INITVAL_3E = '0, INITVAL_3F = '0,
    parameter int DATA_WIDTH_A = 18, DATA_WIDTH_B = 18,
    parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG",
    parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC",
    parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000",
    parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL",
    parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB",
    parameter GSR = "ENABLED", INIT_DATA = "STATIC", WID = 0
) (
    input  logic
        DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
        DIA3, DIA2, DIA1, DIA0,
    input  logic
        ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input  logic CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output logic
        DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4,
        DOA3, DOA2, DOA1, DOA0,
    input  logic
        DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
        DIB3, DIB2, DIB1, DIB0,
    input  logic
        ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input  logic CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output logic
        DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4,
        DOB3, DOB2, DOB1, DOB0
);

  if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG" || RESETMODE != "SYNC" || CLKAMUX != "CLKA" ||
      CLKBMUX != "CLKB") begin : gen_check
    $fatal(1, "%m: this model has no output registers, no asynchronous reset and no inverted clock");
  end

  localparam logic [320*64-1:0] Words = {
      INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
      INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
      INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
      INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
      INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
      INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
      INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
      INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
  };

  // Each 20 bits hold a word of 18.
  function automatic logic [18*1024-1:0] packed_words();
    for (int word = 0; word < 1024; word++) packed_words[18*word+:18] = Words[20*word+:18];
  endfunction

  // A wide access has enables of bytes in the low bits of its address.
  function automatic logic [7:0] enables(input int width, input logic write, input logic [13:0] address);
    return write ? (width == 18 ? 8'(address[1:0]) : width == 36 ? 8'(address[3:0]) : 8'h01) : '0;
  endfunction

  localparam bit WideA = DATA_WIDTH_A == 36;  // writes alone
  localparam bit WideB = DATA_WIDTH_B == 36;  // reads alone
  logic [13:0] address_a, address_b;
  logic [17:0] low, high;
  logic [71:0] read_a, read_b;

  assign address_a = {
      ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0
  };
  assign address_b = {
      ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0
  };
  assign low = {
      DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9,
      DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0
  };
  assign high = {
      DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9,
      DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0
  };
  assign {
      DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9,
      DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0
  } = WideB ? read_b[17:0] : read_a[17:0];
  assign {
      DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9,
      DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
  } = WideB ? read_b[35:18] : read_b[17:0];

  block_memory_model #(
      .Bytes(2048),
      .Init(packed_words()),
      .ReadBitsA(WideA || WideB ? 0 : DATA_WIDTH_A),
      .ReadBitsB(DATA_WIDTH_B),
      .WriteBitsA(DATA_WIDTH_A),
      .WriteBitsB(WideA || WideB ? 0 : DATA_WIDTH_B),
      .ReadFirstA(WRITEMODE_A == "READBEFOREWRITE"),
      .ReadFirstB(WRITEMODE_B == "READBEFOREWRITE"),
      .NoChangeA(WRITEMODE_A == "NORMAL"),
      .NoChangeB(WRITEMODE_B == "NORMAL"),
      .ResetAlways(1'b1)
  ) u_memory (
      .clk_a_i(CLKA),
      .enable_a_i(CEA),
      .reset_a_i(RSTA),
      .address_a_i(address_a),
      .write_a_i(enables(DATA_WIDTH_A, WEA, address_a)),
      .data_a_i(72'({high, low})),
      .data_a_o(read_a),
      .clk_b_i(CLKB),
      .enable_b_i(CEB),
      .reset_b_i(RSTB),
      .address_b_i(address_b),
      .write_b_i(enables(DATA_WIDTH_B, WEB, address_b)),
      .data_b_i(72'(high)),
      .data_b_o(read_b)
  );

endmodule
