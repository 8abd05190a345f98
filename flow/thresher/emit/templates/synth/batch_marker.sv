// Moves `tlast` of an accelerator from the end of each frame to the end of each batch of frames.
//
// A DMA ends its transfer at the first `tlast` that it receives, and sends one at the end of what it was told
// to send. So the frame whose last input beat comes with `in_last_i` is the last of its batch: `tlast` of the
// output marks the end of that frame and of no other. This sits beside the accelerator and holds no beat:
// it lets input pass while no end of a batch is under way, and lets the last beat of an output frame pass
// once the frame's last input beat is in, so that it is known whether the batch ends with it.
module batch_marker #(
    parameter int BeatsPerFrame = 1  // of the input
) (
    input  logic ap_clk,
    input  logic ap_rst_n,
    // The input stream: from outside, and to the accelerator.
    input  logic in_valid_i,
    output logic in_ready_o,
    input  logic in_last_i,
    output logic in_valid_o,
    input  logic in_ready_i,
    // The output stream: from the accelerator, with `last` on each frame, and to outside.
    input  logic out_valid_i,
    output logic out_ready_o,
    input  logic out_last_i,
    output logic out_valid_o,
    input  logic out_ready_i,
    output logic out_last_o
);

  localparam int CountWidth = BeatsPerFrame > 1 ? $clog2(BeatsPerFrame) : 1;
  localparam logic [CountWidth-1:0] LastBeat = CountWidth'(BeatsPerFrame - 1);

  // Frames are counted modulo 2^32: no accelerator holds as many.
  logic [CountWidth-1:0] beat_q;
  logic [31:0] frames_in_q, frames_out_q, end_q;
  logic ending_q;
  logic in_taken, frame_taken, out_taken, known;

  assign in_valid_o  = in_valid_i && !ending_q;
  assign in_ready_o  = in_ready_i && !ending_q;
  assign in_taken    = in_valid_o && in_ready_i;
  assign frame_taken = in_taken && beat_q == LastBeat;

  assign known       = !out_last_i || frames_in_q != frames_out_q;
  assign out_valid_o = out_valid_i && known;
  assign out_ready_o = out_ready_i && known;
  assign out_taken   = out_valid_o && out_ready_i;
  assign out_last_o  = out_last_i && ending_q && frames_out_q == end_q;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      beat_q       <= '0;
      frames_in_q  <= '0;
      frames_out_q <= '0;
      ending_q     <= 1'b0;
    end else begin
      if (in_taken) beat_q <= frame_taken ? '0 : beat_q + 1'b1;
      if (frame_taken) frames_in_q <= frames_in_q + 1'b1;
      if (out_taken && out_last_i) frames_out_q <= frames_out_q + 1'b1;
      if (frame_taken && in_last_i) ending_q <= 1'b1;
      else if (out_taken && out_last_o) ending_q <= 1'b0;
    end
    if (frame_taken && in_last_i) end_q <= frames_in_q;
  end

endmodule
