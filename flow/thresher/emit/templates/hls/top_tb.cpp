// The test bench of the Vitis HLS top, for C simulation and co-simulation:
//
//     top_tb INPUT.bin OUTPUT.bin
//
// plays the golden beats of INPUT, as sim/vectors/s_axis.bin holds them, one call of the top a frame, and
// holds each beat that comes out, with its `last`, against OUTPUT. Ends with 1 where one differs.
#include <cstdio>
#include <vector>

#include "top.hpp"

namespace {

// The beats of a file, each of `bytes` bytes, lowest first.
template <int Width>
bool read_beats(const char* path, int bytes, std::vector<ap_uint<Width>>& beats) {
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr) {
    std::fprintf(stderr, "top_tb: cannot open '%s'\n", path);
    return false;
  }
  std::vector<unsigned char> buffer(bytes);
  while (std::fread(buffer.data(), 1, buffer.size(), file) == buffer.size()) {
    ap_uint<Width> beat = 0;
    for (int byte = 0; byte < bytes; ++byte) {
      beat.range(8 * byte + 7, 8 * byte) = ap_uint<8>(buffer[byte]);
    }
    beats.push_back(beat);
  }
  std::fclose(file);
  return !beats.empty();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "top_tb: give the file of input beats and the file of output beats\n");
    return 1;
  }
  std::vector<ap_uint<input_bits>> inputs;
  std::vector<ap_uint<output_bits>> outputs;
  if (!read_beats(arguments[1], input_bits / 8, inputs)) return 1;
  if (!read_beats(arguments[2], output_bits / 8, outputs)) return 1;
  const std::size_t frames = inputs.size() / input_beats;
  if (frames * input_beats != inputs.size() || frames * output_beats != outputs.size()) {
    std::fprintf(stderr, "top_tb: the files hold no whole frames, or not as many\n");
    return 1;
  }

  hls::stream<InputBeat> source;
  hls::stream<OutputBeat> target;
  std::size_t wrong = 0;
  for (std::size_t frame = 0; frame < frames; ++frame) {
    for (int beat = 0; beat < input_beats; ++beat) {
      InputBeat input;
      input.data = inputs[frame * input_beats + beat];
      input.last = beat == input_beats - 1 ? 1 : 0;
#ifdef THRESHER_VITIS
      input.keep = -1;
      input.strb = -1;
#endif
      source.write(input);
    }
    accelerator(source, target);
    for (int beat = 0; beat < output_beats; ++beat) {
      if (target.empty()) {
        std::fprintf(stderr, "top_tb: frame %zu ends after %d beats of %d\n", frame, beat, output_beats);
        return 1;
      }
      const OutputBeat output = target.read();
      const bool last = beat == output_beats - 1;
      if (output.data != outputs[frame * output_beats + beat] || (output.last == 1) != last) {
        if (wrong == 0) std::fprintf(stderr, "top_tb: frame %zu, beat %d differs\n", frame, beat);
        ++wrong;
      }
    }
  }
  std::printf("top_tb: %zu frames, %zu mismatches\n", frames, wrong);
  return wrong == 0 ? 0 : 1;
}
