// A unit that means the same, or not, with AMD's integers as with ours.
#ifndef TYPE_UNITS_HPP
#define TYPE_UNITS_HPP

#include <cassert>

#include "thresher/bits.hpp"
#include "thresher/stream.hpp"

namespace type_units {

using thresher::sint;
using thresher::uint;

// Every second beat may be ordered: AMD's simulation headers do that as C++ does, and not by the values.
struct Order {
  struct Ports {
    thresher::InStream<1> ordered;
    thresher::InStream<32> s_axis;
    thresher::OutStream<65> m_axis;
  };

  void step(Ports& ports) {
    const uint<32> number = ports.s_axis.read();
    const sint<32> as_signed = number;
    const bool smaller = as_signed < number;
    if (ports.ordered.read() != 0) {
      ports.m_axis.write(smaller ? 1 : 0);
    } else {
      ports.m_axis.write(as_signed * number + 3);
    }
  }
};

// What holds of the values does not hold of AMD's integers: an assertion, or what leads to a signal.
struct Dies {
  struct Ports {
    thresher::InStream<1> asserts;
    thresher::InStream<32> s_axis;
    thresher::OutStream<65> m_axis;
  };

  void step(Ports& ports) {
    const uint<32> number = ports.s_axis.read();
    const sint<32> as_signed = number;
    const bool smaller = as_signed <= number;
    if (ports.asserts.read() != 0) {
      assert(smaller);  // an assertion
    } else if (!smaller) {
      __builtin_abort();
    }
    ports.m_axis.write(number);
  }
};

}  // namespace type_units

#endif
