// 36-kbit block memory of 7-series parts, by AMD UG473: both modes, all widths and write modes. Without
// output registers, cascades and error correction, and with one clock.
module RAMB36E1 #(
    parameter logic [255:0]
    INIT_00 = '0, INIT_01 = '0, INIT_02 = '0, INIT_03 = '0, INIT_04 = '0,
    INIT_05 = '0, INIT_06 = '0, INIT_07 = '0, INIT_08 = '0, INIT_09 = '0,
    INIT_0A = '0, INIT_0B = '0, INIT_0C = '0, INIT_0D = '0, INIT_0E = '0,
    INIT_0F = '0, INIT_10 = '0, INIT_11 = '0, INIT_12 = '0, INIT_13 = '0,
    INIT_14 = '0, INIT_15 = '0, INIT_16 = '0, INIT_17 = '0, INIT_18 = '0,
    INIT_19 = '0, INIT_1A = '0, INIT_1B = '0, INIT_1C = '0, INIT_1D = '0,
    INIT_1E = '0, INIT_1F = '0, INIT_20 = '0, INIT_21 = '0, INIT_22 = '0,
    INIT_23 = '0, INIT_24 = '0, INIT_25 = '0, INIT_26 = '0, INIT_27 = '0,
    INIT_28 = '0, INIT_29 = '0, INIT_2A = '0, INIT_2B = '0, INIT_2C = '0,
    INIT_2D = '0, INIT_2E = '0, INIT_2F = '0, INIT_30 = '0, INIT_31 = '0,
    INIT_32 = '0, INIT_33 = '0, INIT_34 = '0, INIT_35 = '0, INIT_36 = '0,
    INIT_37 = '0, INIT_38 = '0, INIT_39 = '0, INIT_3A = '0, INIT_3B = '0,
    INIT_3C = '0, INIT_3D = '0, INIT_3E = '0, INIT_3F = '0, INIT_40 = '0,
    INIT_41 = '0, INIT_42 = '0, INIT_43 = '0, INIT_44 = '0, INIT_45 = '0,
    INIT_46 = '0, INIT_47 = '0, INIT_48 = '0, INIT_49 = '0, INIT_4A = '0,
    INIT_4B = '0, INIT_4C = '0, INIT_4D = '0, INIT_4E = '0, INIT_4F = '0,
    INIT_50 = '0, INIT_51 = '0, INIT_52 = '0, INIT_53 = '0, INIT_54 = '0,
    INIT_55 = '0, INIT_56 = '0, INIT_57 = '0, INIT_58 = '0, INIT_59 = '0,
    INIT_5A = '0, INIT_5B = '0, INIT_5C = '0, INIT_5D = '0, INIT_5E = '0,
    INIT_5F = '0, INIT_60 = '0, INIT_61 = '0, INIT_62 = '0, INIT_63 = '0,
    INIT_64 = '0, INIT_65 = '0, INIT_66 = '0, INIT_67 = '0, INIT_68 = '0,
    INIT_69 = '0, INIT_6A = '0, INIT_6B = '0, INIT_6C = '0, INIT_6D = '0,
    INIT_6E = '0, INIT_6F = '0, INIT_70 = '0, INIT_71 = '0, INIT_72 = '0,
    INIT_73 = '0, INIT_74 = '0, INIT_75 = '0, INIT_76 = '0, INIT_77 = '0,
    INIT_78 = '0, INIT_79 = '0, INIT_7A = '0, INIT_7B = '0, INIT_7C = '0,
    INIT_7D = '0, INIT_7E = '0, INIT_7F = '0,
    parameter logic [255:0]
    INITP_00 = '0, INITP_01 = '0, INITP_02 = '0, INITP_03 = '0, INITP_04 = '0,
    INITP_05 = '0, INITP_06 = '0, INITP_07 = '0, INITP_08 = '0, INITP_09 = '0,
    INITP_0A = '0, INITP_0B = '0, INITP_0C = '0, INITP_0D = '0, INITP_0E = '0,
    INITP_0F = '0,
    parameter logic [35:0] INIT_A = '0, INIT_B = '0, SRVAL_A = '0, SRVAL_B = '0,
    parameter RAM_MODE = "TDP",
    parameter WRITE_MODE_A = "WRITE_FIRST",
    parameter WRITE_MODE_B = "WRITE_FIRST",
    parameter int READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0,
    parameter int DOA_REG = 0, DOB_REG = 0,
    parameter RDADDR_COLLISION_HWCONFIG = "DELAYED_WRITE",
    parameter RSTREG_PRIORITY_A = "RSTREG", RSTREG_PRIORITY_B = "RSTREG",
    parameter SIM_COLLISION_CHECK = "ALL", SIM_DEVICE = "7SERIES", INIT_FILE = "NONE",
    parameter RAM_EXTENSION_A = "NONE", RAM_EXTENSION_B = "NONE",
    parameter EN_ECC_READ = "FALSE", EN_ECC_WRITE = "FALSE",
    parameter bit IS_CLKARDCLK_INVERTED = 0, IS_CLKBWRCLK_INVERTED = 0,
    parameter bit IS_ENARDEN_INVERTED = 0, IS_ENBWREN_INVERTED = 0,
    parameter bit IS_RSTRAMARSTRAM_INVERTED = 0, IS_RSTRAMB_INVERTED = 0,
    parameter bit IS_RSTREGARSTREG_INVERTED = 0, IS_RSTREGB_INVERTED = 0
) (
    input  logic CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB,
    input  logic RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB,
    input  logic [15:0] ADDRARDADDR, ADDRBWRADDR,
    input  logic [31:0] DIADI, DIBDI,
    input  logic [3:0] DIPADIP, DIPBDIP,
    input  logic [3:0] WEA,
    input  logic [7:0] WEBWE,
    output logic [31:0] DOADO, DOBDO,
    output logic [3:0] DOPADOP, DOPBDOP,
    input  logic CASCADEINA, CASCADEINB, INJECTDBITERR, INJECTSBITERR,
    output logic CASCADEOUTA, CASCADEOUTB, DBITERR, SBITERR,
    output logic [7:0] ECCPARITY,
    output logic [8:0] RDADDRECC
);

  if (DOA_REG != 0 || DOB_REG != 0 ||
      RAM_EXTENSION_A != "NONE" || RAM_EXTENSION_B != "NONE") begin : gen_check
    $fatal(1, "%m: this model has no output registers and no cascades");
  end
  if (IS_CLKARDCLK_INVERTED || IS_CLKBWRCLK_INVERTED || IS_ENARDEN_INVERTED || IS_ENBWREN_INVERTED ||
      IS_RSTRAMARSTRAM_INVERTED || IS_RSTRAMB_INVERTED) begin : gen_check_inverted
    $fatal(1, "%m: this model has no inverted pins");
  end

  localparam int Bytes = 4096;
  localparam logic [8*Bytes-1:0] Data = {
      INIT_7F, INIT_7E, INIT_7D, INIT_7C, INIT_7B, INIT_7A, INIT_79, INIT_78,
      INIT_77, INIT_76, INIT_75, INIT_74, INIT_73, INIT_72, INIT_71, INIT_70,
      INIT_6F, INIT_6E, INIT_6D, INIT_6C, INIT_6B, INIT_6A, INIT_69, INIT_68,
      INIT_67, INIT_66, INIT_65, INIT_64, INIT_63, INIT_62, INIT_61, INIT_60,
      INIT_5F, INIT_5E, INIT_5D, INIT_5C, INIT_5B, INIT_5A, INIT_59, INIT_58,
      INIT_57, INIT_56, INIT_55, INIT_54, INIT_53, INIT_52, INIT_51, INIT_50,
      INIT_4F, INIT_4E, INIT_4D, INIT_4C, INIT_4B, INIT_4A, INIT_49, INIT_48,
      INIT_47, INIT_46, INIT_45, INIT_44, INIT_43, INIT_42, INIT_41, INIT_40,
      INIT_3F, INIT_3E, INIT_3D, INIT_3C, INIT_3B, INIT_3A, INIT_39, INIT_38,
      INIT_37, INIT_36, INIT_35, INIT_34, INIT_33, INIT_32, INIT_31, INIT_30,
      INIT_2F, INIT_2E, INIT_2D, INIT_2C, INIT_2B, INIT_2A, INIT_29, INIT_28,
      INIT_27, INIT_26, INIT_25, INIT_24, INIT_23, INIT_22, INIT_21, INIT_20,
      INIT_1F, INIT_1E, INIT_1D, INIT_1C, INIT_1B, INIT_1A, INIT_19, INIT_18,
      INIT_17, INIT_16, INIT_15, INIT_14, INIT_13, INIT_12, INIT_11, INIT_10,
      INIT_0F, INIT_0E, INIT_0D, INIT_0C, INIT_0B, INIT_0A, INIT_09, INIT_08,
      INIT_07, INIT_06, INIT_05, INIT_04, INIT_03, INIT_02, INIT_01, INIT_00
  };
  localparam logic [Bytes-1:0] Parity = {
      INITP_0F, INITP_0E, INITP_0D, INITP_0C, INITP_0B, INITP_0A, INITP_09, INITP_08,
      INITP_07, INITP_06, INITP_05, INITP_04, INITP_03, INITP_02, INITP_01, INITP_00
  };

  function automatic logic [9*Bytes-1:0] with_parity();
    for (int place = 0; place < Bytes; place++) begin
      with_parity[9*place+:9] = {Parity[place], Data[8*place+:8]};
    end
  endfunction

  // Bytes with the ninth bit of each above it.
  function automatic logic [71:0] join_bits(input logic [63:0] data, input logic [7:0] parity);
    for (int place = 0; place < 8; place++) join_bits[9*place+:9] = {parity[place], data[8*place+:8]};
  endfunction

  function automatic logic [71:0] start(input logic [35:0] high, input logic [35:0] low);
    return join_bits(64'({high[31:0], low[31:0]}), 8'({high[35:32], low[35:32]}));
  endfunction

  localparam bit Simple = RAM_MODE == "SDP";
  localparam bit WideRead = Simple && READ_WIDTH_A == 72;
  localparam bit WideWrite = Simple && WRITE_WIDTH_B == 72;
  logic [71:0] read_a, read_b, write_a, write_b;

  assign write_a = join_bits(64'(DIADI), 8'(DIPADIP));
  assign write_b = WideWrite ? join_bits(64'({DIBDI, DIADI}), 8'({DIPBDIP, DIPADIP})) :
      join_bits(64'(DIBDI), 8'(DIPBDIP));

  for (genvar place = 0; place < 4; place++) begin : gen_outputs
    assign {DOPADOP[place], DOADO[8*place+:8]} = read_a[9*place+:9];
    assign {DOPBDOP[place], DOBDO[8*place+:8]} = WideRead ? read_a[9*(place+4)+:9] : read_b[9*place+:9];
  end

  assign {CASCADEOUTA, CASCADEOUTB, DBITERR, SBITERR, ECCPARITY, RDADDRECC} = '0;

  block_memory_model #(
      .Bytes(Bytes),
      .Init(with_parity()),
      .ReadBitsA(READ_WIDTH_A),
      .ReadBitsB(Simple ? 0 : READ_WIDTH_B),
      .WriteBitsA(Simple ? 0 : WRITE_WIDTH_A),
      .WriteBitsB(WRITE_WIDTH_B),
      .ReadFirstA(WRITE_MODE_A == "READ_FIRST"),
      .ReadFirstB(WRITE_MODE_B == "READ_FIRST"),
      .NoChangeA(WRITE_MODE_A == "NO_CHANGE"),
      .NoChangeB(WRITE_MODE_B == "NO_CHANGE"),
      .StartA(start(WideRead ? INIT_B : '0, INIT_A)),
      .StartB(start('0, INIT_B)),
      .ResetA(start(WideRead ? SRVAL_B : '0, SRVAL_A)),
      .ResetB(start('0, SRVAL_B))
  ) u_memory (
      .clk_a_i(CLKARDCLK),
      .enable_a_i(ENARDEN),
      .reset_a_i(RSTRAMARSTRAM),
      .address_a_i(ADDRARDADDR[14:0]),
      .write_a_i(8'(WEA)),
      .data_a_i(write_a),
      .data_a_o(read_a),
      .clk_b_i(CLKBWRCLK),
      .enable_b_i(ENBWREN),
      .reset_b_i(RSTRAMB),
      .address_b_i(ADDRBWRADDR[14:0]),
      .write_b_i(8'(WEBWE)),
      .data_b_i(write_b),
      .data_b_o(read_b)
  );

endmodule
