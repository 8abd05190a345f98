// The counter of a loop in a nest that a unit walks through, a step a cycle.
#ifndef THRESHER_LOOP_HPP
#define THRESHER_LOOP_HPP

#include "thresher/arithmetic.hpp"

namespace thresher {

// A loop of `Size` turns that knows ahead of each whether it is the last.
template <int Size>
class Loop {
 public:
  bool last() const { return Size == 1 || last_; }
  int turn() const { return turn_.to_int(); }

  void step() {
#pragma HLS INLINE
    const bool next_is_last = Size == 2 ? !last_ : turn_ == Size - 2;
    count(turn_, last());
    last_ = next_is_last;
  }

 private:
  uint<bits_for(Size - 1)> turn_ = 0;
  bool last_ = Size == 1;
};

}  // namespace thresher

#endif
