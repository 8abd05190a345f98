// Takes every beat of a stream; `tready` rests in +stall=PERCENT of the cycles, whatever `tvalid` is.
module stream_sink #(
    parameter int unsigned Seed = 1
) (
    input  logic ap_clk,
    input  logic ap_rst_n,
    output logic tready
);

  logic stall;

  stream_noise #(.Seed(Seed)) noise (.ap_clk, .stall_o(stall));

  assign tready = ap_rst_n && !stall;

endmodule
