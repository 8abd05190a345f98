// Constant tables. A table is an array of 64-bit words, least significant word first, so that one
// text serves every type set and a word of any width.
#ifndef THRESHER_ROM_HPP
#define THRESHER_ROM_HPP

#include "thresher/bits.hpp"

#ifdef THRESHER_CHECKED
#include "thresher/mistake.hpp"
#endif

#ifdef THRESHER_HLSC
extern "C" void thresher_rom(const void* table, int width, int depth, int style, std::uint32_t address,
                             void* word) noexcept;
#endif

namespace thresher {

// What holds a table; hlsc heeds it, and by `kAuto` has a rule of its own.
enum class RomStyle { kAuto, kBlock, kDistributed };

// The `Width`-bit word of `table` at `address`, which is below `Depth`.
template <int Width, RomStyle Style = RomStyle::kAuto, int Depth, int Words>
#if defined(THRESHER_CHECKED)
uint<Width> rom_read(const std::uint64_t (&table)[Depth][Words], std::uint32_t address,
                     Place place = Place::here()) {
  check_address(address, Depth, "table", place);
#else
uint<Width> rom_read(const std::uint64_t (&table)[Depth][Words], std::uint32_t address) {
#endif
  static_assert(Words == (Width + 63) / 64,
                "a table has the 64-bit words that its width needs: give each address (Width + 63) / 64 words");
#if defined(THRESHER_HLSC)
  uint<Width> word;
  thresher_rom(&table, Width, Depth, static_cast<int>(Style), address, &word);
  return word;
#else
  uint<Words * 64> word = 0;
  for (int index = 0; index < Words; ++index) {
#pragma HLS UNROLL
    word = with_bits<64, Words * 64>(word, 64 * index, table[address][index]);
  }
  return bits_at<Width, Words * 64>(word, 0);
#endif
}

}  // namespace thresher

#endif
