// The ports of a unit: a step reads at most one beat from each input and writes at most one beat to
// each output, conditionally or not. A step waits for the beats that it reads; one that reads an
// input only where it is not `empty()` does not.
//
// Three implementations of one interface: for hlsc (THRESHER_HLSC) a port is an address, and read,
// write and empty are declared-only functions that hlsc maps to the handshake; with AMD's types a port
// refers to an hls::stream; in the C simulation it refers to a Channel.
#ifndef THRESHER_STREAM_HPP
#define THRESHER_STREAM_HPP

#include "thresher/bits.hpp"

#if defined(THRESHER_HLSC)

extern "C" {
bool thresher_empty(const void* port) noexcept;
void thresher_read(const void* port, int width, void* beat) noexcept;
void thresher_write(const void* port, int width, const void* beat) noexcept;
}

namespace thresher {

template <int Width>
class InStream {
 public:
  // Whether no beat is there for this step; to be asked before the step reads it.
  bool empty() const { return thresher_empty(this); }

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
#include <cstdio>
#include <cstdlib>
namespace thresher {

// Called with its name where a step reads from an empty channel, if set: whoever runs a unit step by step
// ends there.
inline void (*on_empty_read)(const char* name) = nullptr;

// Whether a step has asked an input if it is empty.
inline bool has_asked = false;

// An unbounded queue of beats between two units of the C simulation. It needs nothing of the C++
// library at link time, and has the constructor of hls::stream.
template <int Width>
class Channel {
 public:
  explicit Channel(const char* name = "stream") : name_(name) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() { std::free(beats_); }

  uint<Width> read() {
    if (empty()) {
      if (on_empty_read != nullptr) on_empty_read(name_);
      fail("is read while it is empty: the unit behind it needs more beats than it gets; check its step");
    }
    return beats_[next_++];
  }

  void write(uint<Width> beat) {
    if (size_ == capacity_) grow();
    beats_[size_++] = beat;
  }

  bool empty() const { return next_ == size_; }
  std::size_t size() const { return size_ - next_; }

 private:
  void grow() {
    capacity_ = capacity_ == 0 ? 64 : 2 * capacity_;
    beats_ = static_cast<uint<Width>*>(std::realloc(beats_, capacity_ * sizeof(uint<Width>)));
    if (beats_ == nullptr) fail("does not fit into memory");
  }

  [[noreturn]] void fail(const char* what) const {
    std::fprintf(stderr, "csim: stream '%s' %s\n", name_, what);
    std::exit(1);
  }

  const char* name_;
  uint<Width>* beats_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t next_ = 0;
};

}  // namespace thresher
#endif

namespace thresher {

template <int Width>
class InStream {
 public:
  explicit InStream(Channel<Width>& channel) : channel_(channel) {}
  bool empty() const {
#ifdef THRESHER_CHECKED
    has_asked = true;
#endif
    return channel_.empty();
  }

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
