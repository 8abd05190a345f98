// Watches one stream and drives nothing.
//
// - results/<Name>.bin: every accepted beat, padded with zeros to whole 32-bit words, least
//   significant byte first.
// - results/<Name>.cycles: per frame two 64-bit words, the cycles in which its first and its last beat
//   were accepted; cycle 0 is the first rising edge with `ap_rst_n` high.
// - results/<Name>.resets: for each reset but the first a 64-bit word, the beats accepted before it in all.
// - `beats`, `cycle`, `waiting_valid`, `waiting_ready`: where the stream stands since the last reset, for the
//   watchdog.
// - `fault`: the first breach of the protocol, with its cycle, the number of beats since the reset before
//   it, and that of resets, the first not counted.
//
// At an edge with `ap_rst_n` low no beat is accepted, and one that waits may go. With `ValidRests` the stream
// must offer none in the first cycle after a reset, as AXI4-Stream asks of a device; with `ReadyRests` it must
// not be ready in any reset but the first.
//
// It does not judge the beats' contents: that is one comparison of whole arrays after the run. Like the
// source, it sees nothing before the first reset.
module stream_monitor #(
    parameter int unsigned Width = 8,
    parameter int unsigned BeatsPerFrame = 1,
    parameter string Name = "stream",
    parameter bit HasLast = 1'b0,
    parameter bit ValidRests = 1'b0,
    parameter bit ReadyRests = 1'b0
) (
    input logic             ap_clk,
    input logic             ap_rst_n,
    input logic [Width-1:0] tdata,
    input logic             tvalid,
    input logic             tready,
    input logic             tlast
);

  // The numbers are those of thresher_sim.bench.FAULTS.
  typedef enum int unsigned {
    FaultNone = 0,
    FaultValidDropped = 1,
    FaultDataChanged = 2,
    FaultLastMissing = 3,
    FaultLastEarly = 4,
    FaultValidAfterReset = 5,
    FaultReadyInReset = 6
  } fault_e;

  longint unsigned beats  /*verilator public_flat_rd*/;
  longint unsigned cycle  /*verilator public_flat_rd*/;
  logic waiting_valid  /*verilator public_flat_rd*/;
  logic waiting_ready  /*verilator public_flat_rd*/;
  int unsigned fault  /*verilator public_flat_rd*/;
  longint unsigned fault_beats  /*verilator public_flat_rd*/;
  longint unsigned fault_cycle  /*verilator public_flat_rd*/;
  int unsigned fault_resets  /*verilator public_flat_rd*/;

  int beat_file;
  int cycle_file;
  int reset_file;
  int unsigned resets;
  longint unsigned earlier;  // beats accepted up to the last reset
  int unsigned beat_in_frame;
  longint unsigned first_cycle;
  logic held;
  logic [Width-1:0] held_data;
  logic at_frame_end;
  logic awake;
  logic ran;  // out of reset
  logic was_reset;
  fault_e seen;

  initial begin
    awake = 1'b0;
    beat_file  = $fopen({"results/", Name, ".bin"}, "wb");
    cycle_file = $fopen({"results/", Name, ".cycles"}, "wb");
    reset_file = $fopen({"results/", Name, ".resets"}, "wb");
    if (beat_file == 0 || cycle_file == 0 || reset_file == 0) $fatal(1, "%m: cannot write results/%s", Name);
  end

  assign at_frame_end = beat_in_frame == BeatsPerFrame - 1;

  always_comb begin
    seen = FaultNone;
    if (!ap_rst_n) seen = ReadyRests && ran && tready ? FaultReadyInReset : FaultNone;
    else if (ValidRests && was_reset && tvalid) seen = FaultValidAfterReset;
    else if (held && !tvalid) seen = FaultValidDropped;
    else if (held && tdata != held_data) seen = FaultDataChanged;
    else if (HasLast && tvalid && at_frame_end && !tlast) seen = FaultLastMissing;
    else if (HasLast && tvalid && !at_frame_end && tlast) seen = FaultLastEarly;
  end

  always @(posedge ap_clk) begin
    was_reset <= !ap_rst_n;
    if (awake && fault == FaultNone && seen != FaultNone) begin
      fault <= seen;
      fault_beats <= beats;
      fault_cycle <= cycle;
      fault_resets <= resets;
    end
    if (!ap_rst_n) begin
      awake <= 1'b1;
      if (!awake) begin
        ran <= 1'b0;
        resets <= 0;
        earlier <= 0;
        fault <= FaultNone;
      end else if (!was_reset) begin
        resets <= resets + 1;
        earlier <= earlier + beats;
        $fwrite(reset_file, "%u", earlier + beats);
        $fflush(reset_file);
      end
      beats <= 0;
      cycle <= 0;
      held <= 1'b0;
      beat_in_frame <= 0;
      waiting_valid <= 1'b0;
      waiting_ready <= 1'b0;
    end else if (awake) begin
      ran <= 1'b1;
      cycle <= cycle + 1;
      waiting_valid <= tvalid;
      waiting_ready <= tready;
      held <= tvalid && !tready;
      if (tvalid && !tready) held_data <= tdata;
      if (tvalid && tready) begin
        $fwrite(beat_file, "%u", tdata);
        beats <= beats + 1;
        beat_in_frame <= at_frame_end ? 0 : beat_in_frame + 1;
        if (beat_in_frame == 0) first_cycle <= cycle;
        if (at_frame_end) $fwrite(cycle_file, "%u", {cycle, BeatsPerFrame == 1 ? cycle : first_cycle});
      end
    end
  end

  final begin
    $fclose(beat_file);
    $fclose(cycle_file);
    $fclose(reset_file);
  end

endmodule
