// 18 x 18 multiplier of ECP5, by Lattice FPGA-TN-02205, without its registers and chains.
module MULT18X18D #(
    parameter REG_INPUTA_CLK = "NONE", REG_INPUTB_CLK = "NONE", REG_INPUTC_CLK = "NONE",
    parameter REG_PIPELINE_CLK = "NONE", REG_OUTPUT_CLK = "NONE"
) (
    input  logic
        A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4,
        A3, A2, A1, A0,
    input  logic
        B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4,
        B3, B2, B1, B0,
    input  logic
        C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4,
        C3, C2, C1, C0,
    input  logic SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    output logic
        P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22,
        P21, P20, P19, P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8,
        P7, P6, P5, P4, P3, P2, P1, P0
);

  if (REG_INPUTA_CLK != "NONE" || REG_INPUTB_CLK != "NONE" || REG_INPUTC_CLK != "NONE" ||
      REG_PIPELINE_CLK != "NONE" || REG_OUTPUT_CLK != "NONE") begin : gen_check
    $fatal(1, "%m: this model has no registers");
  end

  logic signed [18:0] a, b;
  logic signed [37:0] product;

  assign a = {
      SIGNEDA && A17,
      A17, A16, A15, A14, A13, A12, A11, A10, A9,
      A8, A7, A6, A5, A4, A3, A2, A1, A0
  };
  assign b = {
      SIGNEDB && B17,
      B17, B16, B15, B14, B13, B12, B11, B10, B9,
      B8, B7, B6, B5, B4, B3, B2, B1, B0
  };
  assign product = a * b;
  assign {
      P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24,
      P23, P22, P21, P20, P19, P18, P17, P16, P15, P14, P13, P12,
      P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
  } = product[35:0];

endmodule
