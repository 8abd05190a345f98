// Takes every beat of a stream; `tready` rests in +stall=PERCENT of the cycles, whatever `tvalid` is.
//
// With `rests` it takes none. In reset `tready` is low, or with `eager` as out of it: AXI4-Stream leaves that
// open, and no beat is taken in reset.
module stream_sink #(
    parameter int unsigned Seed = 1
) (
    input  logic ap_clk,
    input  logic ap_rst_n,
    input  logic rests,
    input  logic eager,
    output logic tready
);

  logic stall;

  stream_noise #(.Seed(Seed)) stalls (.ap_clk, .stall_o(stall));

  assign tready = (ap_rst_n || eager) && !stall && !rests;

endmodule
