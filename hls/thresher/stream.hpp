// The ports of a unit: a step reads at most one beat from each input and writes at most one beat to
// each output, conditionally or not.
//
// Three implementations of one interface: for hlsc (THRESHER_HLSC) a port is an address, and read
// and write are declared-only functions that hlsc maps to the handshake; with AMD's types a port
// refers to an hls::stream; in the C simulation it refers to a Channel.
#ifndef THRESHER_STREAM_HPP
#define THRESHER_STREAM_HPP

#include "thresher/bits.hpp"

#if defined(THRESHER_HLSC)

extern "C" {
void thresher_read(const void* port, int width, void* beat) noexcept;
void thresher_write(const void* port, int width, const void* beat) noexcept;
}

namespace thresher {

template <int Width>
class InStream {
 public:
  uint<Width> read() {
    uint<Width> beat;
    thresher_read(this, Width, &beat);
    return beat;
  }

 private:
  char address_;
};

template <int Width>
class OutStream {
 public:
  void write(uint<Width> beat) { thresher_write(this, Width, &beat); }

 private:
  char address_;
};

}  // namespace thresher

#else

#ifdef THRESHER_AMD
#include <hls_stream.h>
namespace thresher {
template <int Width> using Channel = hls::stream<uint<Width>>;
}
#else
#include <cstddef>
#include <vector>
namespace thresher {

// An unbounded queue of beats between two units of the C simulation.
template <int Width>
class Channel {
 public:
  uint<Width> read() { return beats_[next_++]; }
  void write(uint<Width> beat) { beats_.push_back(beat); }
  bool empty() const { return next_ == beats_.size(); }

 private:
  std::vector<uint<Width>> beats_;
  std::size_t next_ = 0;
};

}  // namespace thresher
#endif

namespace thresher {

template <int Width>
class InStream {
 public:
  explicit InStream(Channel<Width>& channel) : channel_(channel) {}
  uint<Width> read() { return channel_.read(); }

 private:
  Channel<Width>& channel_;
};

template <int Width>
class OutStream {
 public:
  explicit OutStream(Channel<Width>& channel) : channel_(channel) {}
  void write(uint<Width> beat) { channel_.write(beat); }

 private:
  Channel<Width>& channel_;
};

}  // namespace thresher

#endif
#endif
