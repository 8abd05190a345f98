// Plays inputs/<Name>.bin into a stream, beat by beat, byte 0 of a beat in the least significant bits.
//
// `tvalid` rests between beats in +stall=PERCENT of the cycles; once raised it stays until the beat is
// taken, as AXI4-Stream asks. After the last beat it stays low, or with `endless` the first one follows. The
// source does not say when it is done: stream_monitor counts. It plays nothing before reset: clock and reset
// start random, so that a simulator may see an edge before the bench drives them.
//
// After each reset it begins with frame `first_frame` of the file. In reset AXI4-Stream wants `tvalid` low, and
// so it is; but a source that is in another reset may offer what it likes. So with `early` the first beat is
// offered in reset, and on until it is taken; with `noisy` a beat is offered in reset that is gone after it.
module stream_source #(
    parameter int unsigned Width = 8,
    parameter int unsigned BeatsPerFrame = 1,
    parameter string Name = "s_axis",
    parameter int unsigned Seed = 1
) (
    input  logic             ap_clk,
    input  logic             ap_rst_n,
    input  int unsigned      first_frame,
    input  logic             endless,
    input  logic             early,
    input  logic             noisy,
    output logic [Width-1:0] tdata,
    output logic             tvalid,
    input  logic             tready
);

  localparam int unsigned Bytes = (Width + 7) / 8;

  int file;
  logic ended;
  logic stall;
  logic valid_q;
  logic [Width-1:0] data_q;
  logic noise;

  function automatic logic [Width-1:0] beat_of(input logic [8*Bytes-1:0] value);
    // The bits above `Width` only pad the file's beats to whole bytes.
    // verilator lint_off UNUSEDSIGNAL
    logic [8*Bytes-1:0] reversed;
    // verilator lint_on UNUSEDSIGNAL
    reversed = {<<8{value}};
    return reversed[Width-1:0];
  endfunction

  stream_noise #(.Seed(Seed)) stalls (.ap_clk, .stall_o(stall));

  assign noise  = noisy && !ap_rst_n;
  assign tvalid = valid_q || noise;
  assign tdata  = noise ? ~data_q : data_q;

  initial begin
    file = $fopen({"inputs/", Name, ".bin"}, "rb");
    if (file == 0) $fatal(1, "%m: cannot open inputs/%s.bin", Name);
    ended   = 1'b1;
    valid_q = 1'b0;
  end

  // Offers the next beat of the file, if there is one.
  task automatic offer();
    logic [8*Bytes-1:0] word;  // as $fread leaves it: the file's first byte on top
    int got;
    got = $fread(word, file);
    if (got == 0 && endless) begin
      void'($rewind(file));
      got = $fread(word, file);
    end
    if (got == int'(Bytes)) begin
      valid_q <= 1'b1;
      data_q  <= beat_of(word);
    end else begin
      ended <= 1'b1;
    end
  endtask

  // Plain `always`: reading a file is a side effect, which always_ff does not allow.
  always @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      ended   <= 1'b0;
      valid_q <= 1'b0;
      void'($fseek(file, int'(first_frame * BeatsPerFrame * Bytes), 0));
      if (early) offer();
    end else if (!valid_q || tready) begin
      valid_q <= 1'b0;
      if (!ended && !stall) offer();
    end
  end

endmodule
