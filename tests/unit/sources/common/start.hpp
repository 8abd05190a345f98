#ifndef COMMON_START_HPP
#define COMMON_START_HPP

#include "thresher/bits.hpp"

namespace demo {
constexpr thresher::uint<16> kStart = 3;
}

#endif
