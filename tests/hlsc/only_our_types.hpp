// A unit that uses what only our integers have.
#ifndef ONLY_OUR_TYPES_HPP
#define ONLY_OUR_TYPES_HPP

#include "thresher/bits.hpp"
#include "thresher/stream.hpp"

struct Ours {
  struct Ports {
    thresher::InStream<8> s_axis;
    thresher::OutStream<8> m_axis;
  };

  void step(Ports& ports) { ports.m_axis.write(ports.s_axis.read().builtin()); }
};

#endif
