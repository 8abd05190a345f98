// A memory of the unit's state, of `Depth` words of `Width` bits.
//
// A step may read it at any number of places, and write it at two. Two writes to one address leave the
// word of the later one. A read sees the contents before the step, so that it stands before the writes
// in the C++; in a memory of `RamOrder::kWriteFirst` a read may stand behind a write as well, and sees it.
//
// A memory that is made from a table, an array with a number or with 64-bit words for each address, begins
// with its words:
//
//   static constexpr std::uint8_t kSquares[4] = {0, 1, 4, 9};
//   Ram<8, 4> squares_ = kSquares;
//
// The table may be a std::array as well.
//
// That is after configuration: no reset changes the contents. Until a word is written that was given no
// value it may hold anything, and holds zero in the C simulation.
#ifndef THRESHER_RAM_HPP
#define THRESHER_RAM_HPP

#include <array>
#include <cstddef>

#include "thresher/bits.hpp"

#ifdef THRESHER_CHECKED
#include "thresher/mistake.hpp"
#endif

#ifdef THRESHER_HLSC
extern "C" {
void thresher_ram_initial(void* ram, int width, int depth, int bytes, int is_signed,
                          const void* words) noexcept;
void thresher_ram_copy(void* ram, const void* other) noexcept;
void thresher_ram_read(const void* ram, int width, int depth, int order, std::uint32_t address,
                       void* word) noexcept;
void thresher_ram_write(void* ram, int width, int depth, std::uint32_t address,
                        const void* word) noexcept;
}
#endif

namespace thresher {

// Where a read may stand in a step that writes the memory.
enum class RamOrder { kReadFirst, kWriteFirst };

template <int Width, int Depth, RamOrder Order = RamOrder::kReadFirst>
class Ram {
 public:
  Ram() = default;
  Ram& operator=(const Ram&) = delete;

#if defined(THRESHER_HLSC)
  Ram(const Ram& other) { thresher_ram_copy(this, &other); }
#else
  Ram(const Ram&) = default;
#endif

  template <class Word, int Rows>
  constexpr Ram(const Word (&words)[Rows]) : Ram(Begun()) {
    check_table<Rows>();
    begin_with<Word>(words);
  }

  template <class Word, std::size_t Rows>
  constexpr Ram(const std::array<Word, Rows>& words) : Ram(Begun()) {
    check_table<Rows>();
    begin_with<Word>(words);
  }

  template <int Rows, int Words>
  constexpr Ram(const std::uint64_t (&words)[Rows][Words]) : Ram(Begun()) {
    check_table<Rows, Words>();
    begin_with_words<Words>(words);
  }

  template <std::size_t Rows, std::size_t Words>
  constexpr Ram(const std::array<std::array<std::uint64_t, Words>, Rows>& words) : Ram(Begun()) {
    check_table<Rows, Words>();
    begin_with_words<Words>(words);
  }

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
    thresher_ram_read(this, Width, Depth, static_cast<int>(Order), address, &word);
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
  struct Begun {};

  template <int Rows>
  static constexpr void check_table() {
    static_assert(Rows == Depth, "a Ram begins with a table that has a word for each address: give it as many");
  }

  template <int Rows, int Words>
  static constexpr void check_table() {
    check_table<Rows>();
    static_assert(Words == (Width + 63) / 64,
                  "a table has the 64-bit words that its width needs: give each address (Width + 63) / 64 words");
  }

#if defined(THRESHER_HLSC)
  constexpr explicit Ram(Begun) : address_(0) {}

  template <class Word, class Table>
  constexpr void begin_with(const Table& words) {
    if (!__builtin_is_constant_evaluated()) {
      thresher_ram_initial(this, Width, Depth, sizeof(Word), Word(0) > Word(-1), &words);
    }
  }

  template <int Words, class Table>
  constexpr void begin_with_words(const Table& words) {
    if (!__builtin_is_constant_evaluated()) {
      thresher_ram_initial(this, Width, Depth, sizeof words[0], false, &words);
    }
  }

  char address_;
#else
  explicit Ram(Begun) {}

  template <class Word, class Table>
  void begin_with(const Table& words) {
    for (int address = 0; address < Depth; ++address) words_[address] = words[address];
  }

  template <int Words, class Table>
  void begin_with_words(const Table& words) {
    for (int address = 0; address < Depth; ++address) {
      uint<Words * 64> word = 0;
      for (int index = 0; index < Words; ++index) {
        word = with_bits<64, Words * 64>(word, 64 * index, words[address][index]);
      }
      words_[address] = bits_at<Width, Words * 64>(word, 0);
    }
  }

  uint<Width> words_[Depth] THRESHER_ANY_VALUE;
#endif
};

}  // namespace thresher

#endif
