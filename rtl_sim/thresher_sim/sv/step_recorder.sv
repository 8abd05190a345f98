// Watches the steps of a unit's module and drives nothing.
//
// - results/steps.bin: for every step that began, what is `seen` of the streams; padded with zeros to whole
//   32-bit words.
// - `rest`: cycles since the last step began, or since reset.
//
// Like the monitors, it sees nothing before reset.
module step_recorder #(
    parameter int unsigned Bits = 1
) (
    input logic            ap_clk,
    input logic            ap_rst_n,
    input logic            begins,
    input logic [Bits-1:0] seen
);

  longint unsigned rest  /*verilator public_flat_rd*/;

  int file;
  logic awake;

  initial begin
    awake = 1'b0;
    file  = $fopen("results/steps.bin", "wb");
    if (file == 0) $fatal(1, "%m: cannot write results/steps.bin");
  end

  always @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      awake <= 1'b1;
      rest  <= 0;
    end else if (awake) begin
      rest <= begins ? 0 : rest + 1;
      if (begins) $fwrite(file, "%u", seen);
    end
  end

  final $fclose(file);

endmodule
