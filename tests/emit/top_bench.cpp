// Plays FRAMES frames of beats (one hexadecimal number a line, on stdin) into the Vitis HLS top, one
// call a frame, and prints each output beat with its `last`.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "top.hpp"

int main(int, char** argv) {
  const int frames = std::atoi(argv[1]);
  const int beats_per_frame = std::atoi(argv[2]);
  hls::stream<InputBeat> source;
  hls::stream<OutputBeat> target;
  char line[4096];
  for (int frame = 0; frame < frames; ++frame) {
    for (int beat = 0; beat < beats_per_frame; ++beat) {
      if (std::scanf("%4095s", line) != 1) return 1;
      InputBeat input;
      input.data = decltype(input.data)(line, 16);
      input.last = 0;
      source.write(input);
    }
    accelerator(source, target);
    while (!target.empty()) {
      const OutputBeat output = target.read();
      std::printf("%s %d\n", output.data.to_string(16).c_str(), static_cast<int>(output.last));
    }
  }
  return 0;
}
