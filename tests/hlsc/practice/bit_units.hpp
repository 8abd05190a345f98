// Bits in one word, and orders of a few words.
#ifndef PRACTICE_BIT_UNITS_HPP
#define PRACTICE_BIT_UNITS_HPP

#include "brief.hpp"

#include <algorithm>
#include <array>
#include <compare>
#include <utility>

#include "thresher/bits.hpp"
#include "thresher/stream.hpp"

namespace practice {

using thresher::bits_at;
using thresher::InStream;
using thresher::OutStream;
using thresher::sint;
using thresher::uint;
using thresher::with_bits;

// The place of the highest one of 40 bits, or 63.
struct PriorityEncoder {
  struct Ports {
    InStream<40> s_axis;
    OutStream<6> m_axis;
  };

  void step(Ports& ports) {
    const uint<40> requests = ports.s_axis.read();
    uint<6> place = 63;
    for (int bit = 0; bit < 40; ++bit) {
      if (bits_at<1>(requests, bit)) place = bit;
    }
    ports.m_axis.write(place);
  }
};

// Rotates 37 bits up by an amount, or down where it is negative.
struct BarrelShifter {
  struct Ports {
    InStream<37> word;
    InStream<7> amount;
    OutStream<37> m_axis;
  };

  void step(Ports& ports) {
    const uint<37> word = ports.word.read();
    const sint<7> amount = ports.amount.read();
    sint<7> turn = amount % 37;
    if (turn < 0) turn += 37;
    ports.m_axis.write(word << turn | word >> (37 - turn));
  }
};

struct PopulationCount {
  struct Ports {
    InStream<100> s_axis;
    OutStream<7> m_axis;
  };

  void step(Ports& ports) { ports.m_axis.write(thresher::popcount(ports.s_axis.read())); }
};

// Gray code of a number, and the number of a Gray code.
struct GrayCodes {
  struct Ports {
    InStream<9> s_axis;
    OutStream<9> gray;
    OutStream<9> binary;
  };

  void step(Ports& ports) {
    const uint<9> word = ports.s_axis.read();
    ports.gray.write(word ^ word >> 1);
    uint<9> binary = word;
    for (int distance = 1; distance < 9; distance *= 2) binary ^= binary >> distance;
    ports.binary.write(binary);
  }
};

struct BitReverser {
  struct Ports {
    InStream<29> s_axis;
    OutStream<29> m_axis;
  };

  void step(Ports& ports) {
    const uint<29> word = ports.s_axis.read();
    uint<29> reversed = 0;
    for (int bit = 0; bit < 29; ++bit) reversed = reversed << 1 | (word >> bit & 1);
    ports.m_axis.write(reversed);
  }
};

struct ByteSwapper {
  struct Ports {
    InStream<64> s_axis;
    OutStream<64> m_axis;
  };

  void step(Ports& ports) {
    const std::uint64_t word = ports.s_axis.read();
    std::uint64_t swapped = 0;
    for (int byte = 0; byte < 8; ++byte) swapped |= (word >> 8 * byte & 0xff) << (56 - 8 * byte);
    ports.m_axis.write(swapped);
  }
};

// Where a byte stands in eight, or 8; and where the least of them stands first.
struct Search {
  struct Ports {
    InStream<64> s_axis;
    InStream<8> wanted;
    OutStream<4> found;
    OutStream<3> least;
  };

  void step(Ports& ports) {
    const uint<64> beat = ports.s_axis.read();
    std::array<std::uint8_t, 8> bytes;
    for (int lane = 0; lane < 8; ++lane) bytes[lane] = bits_at<8>(beat, 8 * lane);
    const std::uint8_t wanted = ports.wanted.read();
    ports.found.write(std::find(bytes.begin(), bytes.end(), wanted) - bytes.begin());
    ports.least.write(std::min_element(bytes.begin(), bytes.end()) - bytes.begin());
  }
};

// Eight signed bytes in rising order.
struct BitonicSort {
  struct Ports {
    InStream<64> s_axis;
    OutStream<64> m_axis;
  };

  void step(Ports& ports) {
    const uint<64> beat = ports.s_axis.read();
    sint<8> lanes[8];
    for (int lane = 0; lane < 8; ++lane) lanes[lane] = bits_at<8>(beat, 8 * lane);
    for (int size = 2; size <= 8; size *= 2) {
      for (int distance = size / 2; distance > 0; distance /= 2) {
        for (int lane = 0; lane < 8; ++lane) {
          const int other = lane ^ distance;
          if (other < lane) continue;
          const bool rising = (lane & size) == 0;
          if ((lanes[lane] > lanes[other]) == rising) std::swap(lanes[lane], lanes[other]);
        }
      }
    }
    uint<64> sorted = 0;
    for (int lane = 0; lane < 8; ++lane) sorted = with_bits<8>(sorted, 8 * lane, lanes[lane]);
    ports.m_axis.write(sorted);
  }
};

struct Job {
  uint<3> urgency;
  sint<6> deadline;
  uint<7> number;

  // The more urgent is less, then the earlier, then the lower number.
  friend std::strong_ordering operator<=>(const Job& a, const Job& b) {
    if (a.urgency != b.urgency) return a.urgency > b.urgency ? std::strong_ordering::less : std::strong_ordering::greater;
    if (a.deadline != b.deadline) return a.deadline < b.deadline ? std::strong_ordering::less : std::strong_ordering::greater;
    return a.number < b.number   ? std::strong_ordering::less
           : a.number == b.number ? std::strong_ordering::equal
                                  : std::strong_ordering::greater;
  }
};

// Three jobs in the order in which they are to be done.
struct JobSorter {
  struct Ports {
    InStream<48> s_axis;
    OutStream<48> m_axis;
  };

  void step(Ports& ports) {
    const uint<48> beat = ports.s_axis.read();
    Job jobs[3];
    for (int place = 0; place < 3; ++place) {
      const uint<16> word = bits_at<16>(beat, 16 * place);
      jobs[place] = {bits_at<3>(word, 13), bits_at<6>(word, 7), bits_at<7>(word, 0)};
    }
    if (jobs[1] < jobs[0]) std::swap(jobs[0], jobs[1]);
    if (jobs[2] < jobs[1]) std::swap(jobs[1], jobs[2]);
    if (jobs[1] < jobs[0]) std::swap(jobs[0], jobs[1]);
    uint<48> sorted = 0;
    for (int place = 2; place >= 0; --place) {
      const Job& job = jobs[place];
      sorted = sorted << 16 | uint<16>(job.urgency) << 13 | uint<16>(uint<6>(job.deadline)) << 7 | job.number;
    }
    ports.m_axis.write(sorted);
  }
};

}  // namespace practice

#endif
