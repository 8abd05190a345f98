// The two functions of LZ4 that Verilator's FST writer calls, for machines without liblz4's headers.
//
// A plain greedy encoder of LZ4's block format: any decoder reads it. A block is sequences of literals
// and a match; the last five bytes are literals, and no match begins in the last twelve.
#ifndef THRESHER_FST_LZ4_H
#define THRESHER_FST_LZ4_H

#include <cstdint>
#include <cstring>

namespace thresher_fst {

constexpr int kMinMatch = 4;
constexpr int kLastLiterals = 5;
constexpr int kMatchLimit = 12;
constexpr int kMaxOffset = 65535;
constexpr int kHashBits = 12;

inline std::uint32_t word_at(const char* text) {
  std::uint32_t word;
  std::memcpy(&word, text, sizeof word);
  return word;
}

// What of a length does not fit into its four bits of the token.
inline char* put_rest(char* out, int length) {
  if (length < 15) return out;
  for (length -= 15; length >= 255; length -= 255) *out++ = static_cast<char>(255);
  *out++ = static_cast<char>(length);
  return out;
}

// One sequence; without a match (0), the last.
inline char* put_sequence(char* out, const char* literals, int count, int offset, int match) {
  const int coded = match == 0 ? 0 : match - kMinMatch;
  *out++ = static_cast<char>((count < 15 ? count : 15) << 4 | (coded < 15 ? coded : 15));
  out = put_rest(out, count);
  std::memcpy(out, literals, count);
  out += count;
  if (match == 0) return out;
  *out++ = static_cast<char>(offset & 255);
  *out++ = static_cast<char>(offset >> 8);
  return put_rest(out, coded);
}

}  // namespace thresher_fst

inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

// The room in `target` is at least LZ4_compressBound(size), as Verilator always gives.
inline int LZ4_compress_default(const char* source, char* target, int size, int) {
  using namespace thresher_fst;
  int seen[1 << kHashBits];
  std::memset(seen, -1, sizeof seen);
  char* out = target;
  int literals = 0;
  for (int at = 0; at + kMatchLimit <= size; ++at) {
    const std::uint32_t hash = word_at(source + at) * 2654435761u >> (32 - kHashBits);
    const int candidate = seen[hash];
    seen[hash] = at;
    if (candidate < 0 || at - candidate > kMaxOffset) continue;
    if (word_at(source + candidate) != word_at(source + at)) continue;
    int match = kMinMatch;
    while (at + match < size - kLastLiterals && source[candidate + match] == source[at + match]) ++match;
    out = put_sequence(out, source + literals, at - literals, at - candidate, match);
    literals = at + match;
    at = literals - 1;
  }
  out = put_sequence(out, source + literals, size - literals, 0, 0);
  return static_cast<int>(out - target);
}

#endif
