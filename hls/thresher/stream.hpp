// The ports of a unit: a step reads at most one beat from each input and writes at most one beat to
// each output, conditionally or not. A step waits for the beats that it reads, and until the outputs that it
// writes have room; one that reads an input only where it is not `empty()`, and writes an output only where
// it is not `full()`, does not.
//
// A beat is a number of so many bits, or, where signals are named behind these, a Beat: see beat.hpp.
//
// Three implementations of one interface: for hlsc (THRESHER_HLSC) a port is an address, and read, write,
// empty and full are declared-only functions that hlsc maps to the handshake; with AMD's types a port
// refers to an hls::stream; in the C simulation it refers to a Channel.
#ifndef THRESHER_STREAM_HPP
#define THRESHER_STREAM_HPP

#include "thresher/beat.hpp"
#include "thresher/bits.hpp"

#if defined(THRESHER_HLSC)

extern "C" {
bool thresher_empty(const void* port) noexcept;
bool thresher_full(const void* port) noexcept;
void thresher_read(const void* port, int width, void* beat) noexcept;
void thresher_write(const void* port, int width, const void* beat) noexcept;
}

namespace thresher {

template <int Width, class... Signals>
class InStream {
 public:
  // Whether no beat is there for this step; to be asked before the step reads it.
  bool empty() const { return thresher_empty(this); }

  typename Carried<Width, Signals...>::Type read() {
    uint<Carried<Width, Signals...>::kBits> word;
    thresher_read(this, Carried<Width, Signals...>::kBits, &word);
    return Carried<Width, Signals...>::beat(word);
  }

 private:
  char address_;
};

template <int Width, class... Signals>
class OutStream {
 public:
  // Whether there is no room for a beat of this step; to be asked before the step writes it.
  bool full() const { return thresher_full(this); }

  void write(typename Carried<Width, Signals...>::Type beat) {
    const uint<Carried<Width, Signals...>::kBits> word = Carried<Width, Signals...>::word(beat);
    thresher_write(this, Carried<Width, Signals...>::kBits, &word);
  }

 private:
  char address_;
};

}  // namespace thresher

#else

// A unit that runs step by step has our channels with either types (step_run.hpp).
#if defined(THRESHER_AMD) && !defined(THRESHER_STEP_RUN)
#include <hls_stream.h>
namespace thresher {
template <int Width, class... Signals>
using Channel = hls::stream<typename Carried<Width, Signals...>::Type>;
}
#else
#include <cstddef>
#include <cstdio>
#include <cstdlib>
namespace thresher {

// Called with its name where a step reads from an empty channel, if set: whoever runs a unit step by step
// ends there.
inline void (*on_empty_read)(const char* name) = nullptr;

// Whether a step has asked an input if it is empty, or an output if it is full.
inline bool has_asked = false;

// An unbounded queue of beats between two units of the C simulation, which is never full. It needs nothing of
// the C++ library at link time, and has the constructor of hls::stream.
template <int Width, class... Signals>
class Channel {
 public:
  using Beat = typename Carried<Width, Signals...>::Type;

  explicit Channel(const char* name = "stream") : name_(name) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() { std::free(beats_); }

  Beat read() {
    if (empty()) {
      if (on_empty_read != nullptr) on_empty_read(name_);
      fail("is read while it is empty: the unit behind it needs more beats than it gets; check its step");
    }
    return beats_[next_++];
  }

  void write(const Beat& beat) {
    if (size_ == capacity_) grow();
    beats_[size_++] = beat;
  }

  bool empty() const { return next_ == size_; }
  bool full() const { return full_; }
  std::size_t size() const { return size_ - next_; }

 protected:
  bool full_ = false;

 private:
  void grow() {
    capacity_ = capacity_ == 0 ? 64 : 2 * capacity_;
    beats_ = static_cast<Beat*>(std::realloc(beats_, capacity_ * sizeof(Beat)));
    if (beats_ == nullptr) fail("does not fit into memory");
  }

  [[noreturn]] void fail(const char* what) const {
    std::fprintf(stderr, "csim: stream '%s' %s\n", name_, what);
    std::exit(1);
  }

  const char* name_;
  Beat* beats_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t next_ = 0;
};

}  // namespace thresher
#endif

namespace thresher {

template <int Width, class... Signals>
class InStream {
 public:
  explicit InStream(Channel<Width, Signals...>& channel) : channel_(channel) {}
  bool empty() const {
#ifdef THRESHER_CHECKED
    has_asked = true;
#endif
    return channel_.empty();
  }

  typename Carried<Width, Signals...>::Type read() { return channel_.read(); }

 private:
  Channel<Width, Signals...>& channel_;
};

template <int Width, class... Signals>
class OutStream {
 public:
  explicit OutStream(Channel<Width, Signals...>& channel) : channel_(channel) {}
  bool full() const {
#ifdef THRESHER_CHECKED
    has_asked = true;
#endif
    return channel_.full();
  }

  void write(typename Carried<Width, Signals...>::Type beat) { channel_.write(beat); }

 private:
  Channel<Width, Signals...>& channel_;
};

}  // namespace thresher

#endif
#endif
