// The counter of a loop in a nest that a unit walks through, a step a cycle.
#ifndef THRESHER_LOOP_HPP
#define THRESHER_LOOP_HPP

#include "thresher/bits.hpp"

namespace thresher {

// A loop of `Size` turns that knows ahead of each whether it is the last.
template <int Size>
class Loop {
 public:
  bool last() const { return Size == 1 || last_; }
  int turn() const { return static_cast<int>(turn_); }

  void step() {
#pragma HLS INLINE
    using Turn = uint<bits_for(Size - 1)>;
    const bool next_is_last = Size == 2 ? !last_ : turn_ == static_cast<Turn>(Size - 2);
    turn_ = last() ? static_cast<Turn>(0) : static_cast<Turn>(turn_ + static_cast<Turn>(1));
    last_ = next_is_last;
  }

 private:
  uint<bits_for(Size - 1)> turn_ = 0;
  bool last_ = Size == 1;
};

}  // namespace thresher

#endif
