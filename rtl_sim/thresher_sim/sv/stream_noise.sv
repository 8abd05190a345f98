// One random yes or no per cycle: `stall_o` is high in +stall=PERCENT of the cycles.
//
// A xorshift generator of our own, so that a run is the same in every simulator. `Seed` differs per
// instance and +seed=N per run.
module stream_noise #(
    parameter int unsigned Seed = 1
) (
    input  logic ap_clk,
    output logic stall_o
);

  int unsigned percent;
  logic [31:0] state;

  initial begin
    int unsigned run_seed;
    if ($value$plusargs("stall=%d", percent) == 0) percent = 0;
    if ($value$plusargs("seed=%d", run_seed) == 0) run_seed = 0;
    state = (Seed * 32'd2654435761) ^ ((run_seed + 32'd1) * 32'd2246822519);
    if (state == 0) state = 32'd1;
    stall_o = 1'b0;
  end

  function automatic logic [31:0] xorshift(input logic [31:0] value);
    logic [31:0] step;
    step = value ^ (value << 13);
    step = step ^ (step >> 17);
    return step ^ (step << 5);
  endfunction

  // Without stalls nothing moves here, which keeps a long run fast.
  always_ff @(posedge ap_clk) begin
    if (percent != 0) begin
      state   <= xorshift(state);
      stall_o <= (32'(state[31:8]) % 32'd100) < percent;
    end
  end

endmodule
