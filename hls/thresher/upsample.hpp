// upsample: every pixel of a map, repeated `kHorizontal` times across, and every row `kVertical` times down.
//
// Each step writes a beat. It is read in the first repeat, and stored; later repeats take it from the
// memory, which holds a row, or a pixel where rows are not repeated. No step reads the word that it stores.
#ifndef THRESHER_UPSAMPLE_HPP
#define THRESHER_UPSAMPLE_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/loop.hpp"
#include "thresher/ram.hpp"
#include "thresher/stream.hpp"

namespace thresher {

template <class Layer>
class Upsample {
  static constexpr bool kKeepsRow = Layer::kVertical > 1;
  static constexpr bool kRepeats = Layer::kVertical > 1 || Layer::kHorizontal > 1;
  static constexpr int kStored = kKeepsRow ? Layer::kColumns * Layer::kBeats : Layer::kBeats;
  using Address = uint<bits_for(kStored - 1)>;

 public:
  struct Ports {
    InStream<Layer::kWidth> s_axis;
    OutStream<Layer::kWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const std::uint32_t address = address_;
    if (!kRepeats || first_) {
      const uint<Layer::kWidth> beat = ports.s_axis.read();
      if (kRepeats) stored_.write(address, beat);
      ports.m_axis.write(beat);
    } else {
      ports.m_axis.write(stored_.read(address));
    }
    walk();
  }

 private:
  // Beats of a pixel, its repeats, pixels of a row, repeats of the row.
  void walk() {
#pragma HLS INLINE
    const bool ends_repeat = beat_.last();
    const bool ends_pixel = ends_repeat && across_.last();
    const bool ends_row = ends_pixel && column_.last();
    const bool begins_row = kKeepsRow ? ends_row : ends_pixel;
    if (begins_row) {
      address_ = 0;
    } else if (ends_repeat && !ends_pixel) {
      address_ -= Layer::kBeats - 1;
    } else {
      ++address_;
    }

    beat_.step();
    if (ends_repeat) across_.step();
    if (ends_pixel) column_.step();
    if (ends_row) down_.step();
    if (ends_pixel) {
      first_ = down_.turn() == 0;
    } else if (ends_repeat) {
      first_ = false;
    }
  }

  Loop<Layer::kBeats> beat_;
  Loop<Layer::kHorizontal> across_;
  Loop<Layer::kColumns> column_;
  Loop<Layer::kVertical> down_;
  bool first_ = true;
  Address address_ = 0;
  Ram<Layer::kWidth, kStored> stored_;
};

}  // namespace thresher

#endif
