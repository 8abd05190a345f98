// Plays inputs/<Name>.bin into a stream, beat by beat, byte 0 of a beat in the least significant bits.
//
// `tvalid` rests between beats in +stall=PERCENT of the cycles; once raised it stays until the beat is
// taken, as AXI4-Stream asks. After the last beat it stays low. The source does not say when it is
// done: stream_monitor counts. It plays nothing before reset: clock and reset start random, so that a
// simulator may see an edge before the bench drives them.
module stream_source #(
    parameter int unsigned Width = 8,
    parameter string Name = "s_axis",
    parameter int unsigned Seed = 1
) (
    input  logic             ap_clk,
    input  logic             ap_rst_n,
    output logic [Width-1:0] tdata,
    output logic             tvalid,
    input  logic             tready
);

  localparam int unsigned Bytes = (Width + 7) / 8;

  int file;
  logic ended;
  logic stall;
  logic [8*Bytes-1:0] word;  // as $fread leaves it: the file's first byte on top

  function automatic logic [Width-1:0] beat_of(input logic [8*Bytes-1:0] value);
    // The bits above `Width` only pad the file's beats to whole bytes.
    // verilator lint_off UNUSEDSIGNAL
    logic [8*Bytes-1:0] reversed;
    // verilator lint_on UNUSEDSIGNAL
    reversed = {<<8{value}};
    return reversed[Width-1:0];
  endfunction

  stream_noise #(.Seed(Seed)) noise (.ap_clk, .stall_o(stall));

  initial begin
    file = $fopen({"inputs/", Name, ".bin"}, "rb");
    if (file == 0) $fatal(1, "%m: cannot open inputs/%s.bin", Name);
    ended  = 1'b1;
    tvalid = 1'b0;
  end

  // Plain `always`: reading a file is a side effect, which always_ff does not allow.
  always @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      ended  <= 1'b0;
      tvalid <= 1'b0;
    end else if (!tvalid || tready) begin
      tvalid <= 1'b0;
      if (!ended && !stall) begin
        if ($fread(word, file) == int'(Bytes)) begin
          tvalid <= 1'b1;
          tdata  <= beat_of(word);
        end else begin
          ended <= 1'b1;
        end
      end
    end
  end

endmodule
