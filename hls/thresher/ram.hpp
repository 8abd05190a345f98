// A memory of the unit's state. Reads see the contents before the step: a step that reads and writes
// the same address reads the old word, so a read stands before a write in the C++ of a step.
// Until a word is written it may hold anything, and holds zero in the C simulation.
#ifndef THRESHER_RAM_HPP
#define THRESHER_RAM_HPP

#include "thresher/bits.hpp"

#ifdef THRESHER_CHECKED
#include "thresher/mistake.hpp"
#endif

#ifdef THRESHER_HLSC
extern "C" {
void thresher_ram_read(const void* ram, int width, int depth, std::uint32_t address,
                       void* word) noexcept;
void thresher_ram_write(void* ram, int width, int depth, std::uint32_t address,
                        const void* word) noexcept;
}
#endif

namespace thresher {

template <int Width, int Depth>
class Ram {
 public:
#if defined(THRESHER_CHECKED)
  uint<Width> read(std::uint32_t address, Place place = Place::here()) const {
    check_address(address, Depth, "Ram", place);
    return words_[address];
  }

  void write(std::uint32_t address, uint<Width> word, Place place = Place::here()) {
    check_address(address, Depth, "Ram", place);
    words_[address] = word;
  }
#else
  uint<Width> read(std::uint32_t address) const {
#if defined(THRESHER_HLSC)
    uint<Width> word;
    thresher_ram_read(this, Width, Depth, address, &word);
    return word;
#else
    return words_[address];
#endif
  }

  void write(std::uint32_t address, uint<Width> word) {
#if defined(THRESHER_HLSC)
    thresher_ram_write(this, Width, Depth, address, &word);
#else
    words_[address] = word;
#endif
  }
#endif

 private:
#if defined(THRESHER_HLSC)
  char address_;
#else
  uint<Width> words_[Depth] THRESHER_ANY_VALUE;
#endif
};

}  // namespace thresher

#endif
