// Watches the steps of a unit's module and drives nothing.
//
// - results/steps.bin: for every step that began, what is `seen` of the streams; padded with zeros to whole
//   32-bit words.
// - results/steps.resets: for each reset but the first a 64-bit word, the steps that began before it in all.
// - `rest`: cycles since the last step began, or since reset.
//
// Like the monitors, it sees nothing before the first reset.
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
  int reset_file;
  longint unsigned total;
  logic awake;
  logic was_reset;

  initial begin
    awake = 1'b0;
    file  = $fopen("results/steps.bin", "wb");
    reset_file = $fopen("results/steps.resets", "wb");
    if (file == 0 || reset_file == 0) $fatal(1, "%m: cannot write results/steps");
  end

  always @(posedge ap_clk) begin
    was_reset <= !ap_rst_n;
    if (!ap_rst_n) begin
      awake <= 1'b1;
      rest  <= 0;
      if (!awake) total <= 0;
      else if (!was_reset) $fwrite(reset_file, "%u", total);
    end else if (awake) begin
      rest <= begins ? 0 : rest + 1;
      if (begins) begin
        $fwrite(file, "%u", seen);
        total <= total + 1;
      end
    end
  end

  final begin
    $fclose(file);
    $fclose(reset_file);
  end

endmodule
