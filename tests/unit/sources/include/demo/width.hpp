#ifndef DEMO_WIDTH_HPP
#define DEMO_WIDTH_HPP

namespace demo {
constexpr int kSum = 16;
}

#endif
