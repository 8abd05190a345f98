// The C simulation: units run one after the other on chunks of frames, and every stream is written
// to a file. A program needs three lines per layer:
//
//   thresher::Csim sim(argc, argv);                       // INPUT_FOLDER OUTPUT_FOLDER FRAMES
//   thresher::Tape<128> s_axis("s_axis", 49);             // width, name, beats per frame
//   thresher::Tape<16> fc0_out("fc0_out", 4);
//   layers::fc0 fc0;                                      // units live across frames
//   while (sim.next_chunk()) {
//     sim.play(s_axis);                                   // INPUT_FOLDER/s_axis.bin
//     sim.run(fc0, s_axis, fc0_out, 64);                  // steps per frame; OUTPUT_FOLDER/fc0_out.bin
//   }
//
// A unit that reads ahead, where its input is not empty(), takes `run_ahead` in place of `run`. One with
// several inputs or outputs is told its tapes in the order of its ports, after the steps per frame:
//
//     sim.run(add0, 64, thresher::in(left), thresher::in(right), thresher::out(sum));
//
// It uses nothing of the C++ library that has to be linked, so that objects of one compiler can be
// linked by another. An error is one line on stderr and exit status 1.
#ifndef THRESHER_CSIM_HPP
#define THRESHER_CSIM_HPP

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "thresher/stream.hpp"

namespace thresher {

// Print one line and exit.
[[noreturn]] inline void csim_fail(const char* format, ...) {
  va_list values;
  va_start(values, format);
  std::vfprintf(stderr, format, values);
  va_end(values);
  std::fputc('\n', stderr);
  std::exit(1);
}

// Bytes that grow; never copied.
class Bytes {
 public:
  Bytes() = default;
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { std::free(data_); }

  unsigned char* data() { return data_; }
  std::size_t size() const { return size_; }

  void resize(std::size_t size) {
    if (size > capacity_) {
      capacity_ = 2 * size;
      data_ = static_cast<unsigned char*>(std::realloc(data_, capacity_));
      if (data_ == nullptr) csim_fail("csim: out of memory");
    }
    size_ = size;
  }

 private:
  unsigned char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

#ifdef THRESHER_AMD

template <int Width>
uint<Width> beat_from_bytes(const unsigned char* bytes) {
  uint<Width> beat = 0;
  for (int low = 0; low < Width; low += 8) {
    const int high = low + 7 < Width ? low + 7 : Width - 1;
    beat.range(high, low) = bytes[low / 8];
  }
  return beat;
}

template <int Width>
void beat_to_bytes(const uint<Width>& beat, unsigned char* bytes) {
  for (int low = 0; low < Width; low += 8) {
    const int high = low + 7 < Width ? low + 7 : Width - 1;
    bytes[low / 8] = static_cast<unsigned char>(beat.range(high, low).to_uint());
  }
}

#else

template <int Width>
uint<Width> beat_from_bytes(const unsigned char* bytes) {
  uint<(Width + 7) / 8 * 8> padded = 0;
  std::memcpy(&padded, bytes, (Width + 7) / 8);
  return static_cast<uint<Width>>(padded);
}

template <int Width>
void beat_to_bytes(const uint<Width>& beat, unsigned char* bytes) {
  const uint<(Width + 7) / 8 * 8> padded = beat;
  std::memcpy(bytes, &padded, (Width + 7) / 8);
}

#endif

// One stream: the beats of the present chunk, as its file holds them.
template <int Width>
class Tape {
 public:
  static constexpr int kBytesPerBeat = (Width + 7) / 8;

  Tape(const char* name, int beats_per_frame) : name_(name), beats_per_frame_(beats_per_frame) {}
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;
  ~Tape() {
    if (file_ != nullptr) std::fclose(file_);
  }

  const char* name() const { return name_; }
  std::size_t beats(int frames) const { return static_cast<std::size_t>(frames) * beats_per_frame_; }

  // Take the next `frames` frames from the file in `folder`.
  void play(const char* folder, int frames) {
    open(folder, "rb");
    beats_.resize(beats(frames) * kBytesPerBeat);
    if (std::fread(beats_.data(), 1, beats_.size(), file_) != beats_.size()) {
      csim_fail("csim: stream '%s': its file ends before the last frame; write it again", name_);
    }
  }

  // Append the chunk to the file in `folder`.
  void save(const char* folder) {
    open(folder, "wb");
    if (std::fwrite(beats_.data(), 1, beats_.size(), file_) != beats_.size() || std::fflush(file_) != 0) {
      csim_fail("csim: stream '%s': cannot write its file; is the disk full?", name_);
    }
  }

  void fill(Channel<Width>& channel) { give(beats_, channel); }
  void drain(Channel<Width>& channel) { take(channel, beats_, channel.size()); }

  // The beats of this chunk that were written in the one before, and of the next that were in this one.
  void fill_early(Channel<Width>& channel) { give(early_, channel); }
  void drain(Channel<Width>& channel, int frames) {
    take(channel, beats_, beats(frames));
    take(channel, early_, channel.size());
  }

 private:
  static void give(Bytes& bytes, Channel<Width>& channel) {
    for (std::size_t at = 0; at < bytes.size(); at += kBytesPerBeat) {
      channel.write(beat_from_bytes<Width>(bytes.data() + at));
    }
  }

  static void take(Channel<Width>& channel, Bytes& bytes, std::size_t beats) {
    bytes.resize(beats * kBytesPerBeat);
    for (std::size_t at = 0; at < bytes.size(); at += kBytesPerBeat) {
      beat_to_bytes<Width>(channel.read(), bytes.data() + at);
    }
  }

  void open(const char* folder, const char* mode) {
    if (file_ != nullptr) return;
    char path[4096];
    std::snprintf(path, sizeof path, "%s/%s.bin", folder, name_);
    file_ = std::fopen(path, mode);
    if (file_ == nullptr) csim_fail("csim: stream '%s': cannot open '%s'", name_, path);
  }

  const char* name_;
  int beats_per_frame_;
  Bytes beats_;
  Bytes early_;
  std::FILE* file_ = nullptr;
};

// A tape beside a unit that runs: the channel of its port, filled before the run and emptied behind it.
template <int Width>
class InTape {
 public:
  explicit InTape(Tape<Width>& tape) : tape_(tape), channel_(tape.name()) { tape.fill(channel_); }

  InStream<Width> port() { return InStream<Width>(channel_); }
  void finish(const char*, int steps) {
    if (channel_.empty()) return;
    csim_fail("csim: stream '%s': the unit behind it left beats unread after %d steps per frame; check its step",
              tape_.name(), steps);
  }

 private:
  Tape<Width>& tape_;
  Channel<Width> channel_;
};

template <int Width>
class OutTape {
 public:
  explicit OutTape(Tape<Width>& tape) : tape_(tape), channel_(tape.name()) {}

  OutStream<Width> port() { return OutStream<Width>(channel_); }
  void finish(const char* folder, int) {
    tape_.drain(channel_);
    tape_.save(folder);
  }

 private:
  Tape<Width>& tape_;
  Channel<Width> channel_;
};

// What a tape is to a unit.
template <template <int> class Kind, int Width>
struct End {
  using Port = Kind<Width>;
  Tape<Width>& tape;
};

template <int Width>
End<InTape, Width> in(Tape<Width>& tape) {
  return {tape};
}

template <int Width>
End<OutTape, Width> out(Tape<Width>& tape) {
  return {tape};
}

// The run: how many frames, in which chunks, from and to which folders.
class Csim {
 public:
  Csim(int argc, char** argv) {
    if (argc != 4) csim_fail("usage: csim INPUT_FOLDER OUTPUT_FOLDER FRAMES");
    inputs_ = argv[1];
    outputs_ = argv[2];
    remaining_ = std::atol(argv[3]);
  }

  // Go to the next chunk of frames, if there is one.
  bool next_chunk() {
    chunk_ = remaining_ < kFramesPerChunk ? static_cast<int>(remaining_) : kFramesPerChunk;
    remaining_ -= chunk_;
    return chunk_ > 0;
  }

  template <int Width>
  void play(Tape<Width>& tape) {
    tape.play(inputs_, chunk_);
  }

  // Step `unit` through the chunk: `steps` steps per frame.
  template <class Unit, int In, int Out>
  void run(Unit& unit, Tape<In>& input, Tape<Out>& output, int steps) {
    run(unit, steps, in(input), out(output));
  }

  // The same with any number of tapes, in the order of the unit's ports.
  template <class Unit, class... Ends>
  void run(Unit& unit, int steps, Ends... ends) {
    step_through(unit, steps, typename Ends::Port(ends.tape)...);
  }

  // The same for a unit that reads ahead: step until the chunk is read and written. Every step should
  // read a beat or do one of the `steps` of a frame; so it may take twice as many as both together.
  // What it writes of frames that are still to come is kept for the next chunk.
  template <class Unit, int In, int Out>
  void run_ahead(Unit& unit, Tape<In>& input, Tape<Out>& output, int steps) {
    Channel<In> source(input.name());
    Channel<Out> target(output.name());
    input.fill(source);
    output.fill_early(target);
    typename Unit::Ports ports{InStream<In>(source), OutStream<Out>(target)};
    const std::size_t most = 2 * (source.size() + static_cast<std::size_t>(chunk_) * steps);
    const std::size_t wanted = output.beats(chunk_);
    for (std::size_t step = 0; !source.empty() || target.size() < wanted; ++step) {
      if (step == most) fail_ahead(input.name(), source.size(), output.name(), wanted - target.size(), most);
      unit.step(ports);
    }
    output.drain(target, chunk_);
    output.save(outputs_);
  }

 private:
  template <class Unit, class... Sides>
  void step_through(Unit& unit, int steps, Sides&&... sides) {
    typename Unit::Ports ports{sides.port()...};
    for (long step = 0; step < static_cast<long>(chunk_) * steps; ++step) unit.step(ports);
    const int finished[] = {(sides.finish(outputs_, steps), 0)...};
    static_cast<void>(finished);
  }

  [[noreturn]] static void fail_ahead(const char* input, std::size_t unread, const char* output,
                                      std::size_t unwritten, std::size_t steps) {
    if (unread > 0) {
      csim_fail("csim: stream '%s': the unit behind it left %zu beats unread after %zu steps; check its step",
                input, unread, steps);
    }
    csim_fail("csim: stream '%s': the unit ahead of it left %zu beats unwritten after %zu steps; check its step",
              output, unwritten, steps);
  }

  static constexpr int kFramesPerChunk = 64;

  const char* inputs_;
  const char* outputs_;
  long remaining_;
  int chunk_ = 0;
};

}  // namespace thresher

#endif
