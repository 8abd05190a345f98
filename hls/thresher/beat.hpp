// Beats with the sideband signals of AXI4-Stream, named behind the bits of the data:
//
//   InStream<32, Keep, Last, User<3>> s_axis;              // s_axis_tdata, _tkeep, _tlast, _tuser
//   Beat<32, Keep, Last, User<3>> beat = s_axis.read();    // beat.data, .keep, .last, .user
//
// Members, and their widths, are those of AMD's hls::axis: `keep` and `strb` have a bit for each byte of
// the data, `last` has one, and `user`, `id` and `dest` as many as they say. A new beat is data 0 of which
// every byte counts, and all else is 0.
#ifndef THRESHER_BEAT_HPP
#define THRESHER_BEAT_HPP

#include "thresher/bits.hpp"

namespace thresher {

// What a signal adds to a beat; `number` tells the signals apart.
#define THRESHER_SIGNAL(number, name, width, initial)          \
  static constexpr unsigned kSignal = 1u << number;            \
  static constexpr int kBits = width;                          \
  uint<kBits> name = initial;                                  \
  const uint<kBits>& signal() const { return name; }           \
  void set_signal(const uint<kBits>& value) { name = value; }

// The bytes of the data that count.
struct Keep {
  template <int DataWidth>
  struct Of {
    static_assert(DataWidth % 8 == 0, "Keep is a bit for each byte of the data: give it whole bytes");
    THRESHER_SIGNAL(0, keep, DataWidth / 8, -1)
  };
};

// The bytes that are data, and not a position in it.
struct Strb {
  template <int DataWidth>
  struct Of {
    static_assert(DataWidth % 8 == 0, "Strb is a bit for each byte of the data: give it whole bytes");
    THRESHER_SIGNAL(1, strb, DataWidth / 8, -1)
  };
};

// The end of a packet.
struct Last {
  template <int>
  struct Of {
    THRESHER_SIGNAL(2, last, 1, 0)
  };
};

template <int Width>
struct User {
  static_assert(Width > 0, "User has 1 bit or more: give it a width, or leave it out");
  template <int>
  struct Of {
    THRESHER_SIGNAL(3, user, Width, 0)
  };
};

template <int Width>
struct Id {
  static_assert(Width > 0, "Id has 1 bit or more: give it a width, or leave it out");
  template <int>
  struct Of {
    THRESHER_SIGNAL(4, id, Width, 0)
  };
};

template <int Width>
struct Dest {
  static_assert(Width > 0, "Dest has 1 bit or more: give it a width, or leave it out");
  template <int>
  struct Of {
    THRESHER_SIGNAL(5, dest, Width, 0)
  };
};

#undef THRESHER_SIGNAL

// One word holds a beat: the data in its lowest bits, and the signals above it in their order.
template <int Width, class... Signals>
struct Beat;

template <int Width>
struct Beat<Width> {
  static constexpr unsigned kSignals = 0;
  static constexpr int kBits = Width;
  uint<Width> data = 0;

 protected:
  template <int WordWidth>
  uint<WordWidth> added_to(const uint<WordWidth>& word, int) const {
    return with_bits<Width, WordWidth>(word, 0, data);
  }

  template <int WordWidth>
  void take_from(const uint<WordWidth>& word, int) {
    data = bits_at<Width, WordWidth>(word, 0);
  }
};

template <int Width, class Signal, class... Others>
struct Beat<Width, Signal, Others...> : Beat<Width, Others...>, Signal::template Of<Width> {
 private:
  using Rest = Beat<Width, Others...>;
  using Own = typename Signal::template Of<Width>;
  static_assert((Rest::kSignals & Own::kSignal) == 0, "a stream has each signal once: leave the second one out");

 public:
  static constexpr unsigned kSignals = Rest::kSignals | Own::kSignal;
  static constexpr int kBits = Rest::kBits + Own::kBits;

  uint<kBits> word() const {
#pragma HLS INLINE
    return added_to<kBits>(0, Width);
  }

  static Beat of(const uint<kBits>& word) {
#pragma HLS INLINE
    Beat beat;
    beat.template take_from<kBits>(word, Width);
    return beat;
  }

 protected:
  template <int WordWidth>
  uint<WordWidth> added_to(const uint<WordWidth>& word, int low) const {
#pragma HLS INLINE
    const uint<WordWidth> with_own = with_bits<Own::kBits, WordWidth>(word, low, Own::signal());
    return Rest::template added_to<WordWidth>(with_own, low + Own::kBits);
  }

  template <int WordWidth>
  void take_from(const uint<WordWidth>& word, int low) {
#pragma HLS INLINE
    Own::set_signal(bits_at<Own::kBits, WordWidth>(word, low));
    Rest::template take_from<WordWidth>(word, low + Own::kBits);
  }
};

// A beat as it is in C++, and as the bits of a stream.
template <int Width, class... Signals>
struct Carried {
  using Type = Beat<Width, Signals...>;
  static constexpr int kBits = Type::kBits;
  static uint<kBits> word(const Type& beat) { return beat.word(); }
  static Type beat(const uint<kBits>& word) { return Type::of(word); }
};

template <int Width>
struct Carried<Width> {
  using Type = uint<Width>;
  static constexpr int kBits = Width;
  static const Type& word(const Type& beat) { return beat; }
  static const Type& beat(const Type& word) { return word; }
};

}  // namespace thresher

#endif
