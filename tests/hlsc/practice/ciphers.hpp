// Hashes and a cipher, a round a step.
#ifndef PRACTICE_CIPHERS_HPP
#define PRACTICE_CIPHERS_HPP

#include "brief.hpp"

#include <array>

#include "thresher/bits.hpp"
#include "thresher/rom.hpp"
#include "thresher/stream.hpp"

namespace practice {

using thresher::bits_at;
using thresher::InStream;
using thresher::OutStream;
using thresher::uint;
using thresher::with_bits;

// SHA-256 of one padded block, a round a step.
struct Sha256 {
  struct Ports {
    InStream<512> s_axis;
    OutStream<256> m_axis;
  };

  void step(Ports& ports) {
    if (round_ == 0) {
      const uint<512> block = ports.s_axis.read();
      for (int word = 0; word < 16; ++word) words_[word] = bits_at<32>(block, 480 - 32 * word);
      for (int word = 0; word < 8; ++word) hash_[word] = kFirst[word];
    }
    const auto [a, b, c, d, e, f, g, h] = hash_;
    const std::uint32_t first = h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) +
                                kConstants[round_] + words_[0];
    const std::uint32_t second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    hash_ = {first + second, a, b, c, d + first, e, f, g};
    const std::uint32_t low = words_[1], high = words_[14];
    const std::uint32_t next = words_[0] + words_[9] + (turned(low, 7) ^ turned(low, 18) ^ low >> 3) +
                               (turned(high, 17) ^ turned(high, 19) ^ high >> 10);
    for (int word = 0; word < 15; ++word) words_[word] = words_[word + 1];
    words_[15] = next;
    if (++round_ == 0) ports.m_axis.write(digest());
  }

 private:
  static std::uint32_t turned(std::uint32_t word, int amount) { return word >> amount | word << (32 - amount); }

  uint<256> digest() const {
    uint<256> digest = 0;
    for (int word = 0; word < 8; ++word) {
      digest = with_bits<32>(digest, 224 - 32 * word, std::uint32_t(hash_[word] + kFirst[word]));
    }
    return digest;
  }

  static constexpr std::uint32_t kFirst[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                              0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  static constexpr std::uint32_t kConstants[64] = {
      0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
      0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
      0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
      0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
      0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
      0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
      0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
      0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
  };

  std::array<std::uint32_t, 16> words_{};
  std::array<std::uint32_t, 8> hash_{};
  uint<6> round_ = 0;
};

// SHA3-256 of one padded block of 1,088 bits, a round of Keccak-f[1600] a step.
struct Sha3 {
  struct Ports {
    InStream<1088> s_axis;
    OutStream<256> m_axis;
  };

  void step(Ports& ports) {
    std::uint64_t a[5][5];
    if (round_ == 0) {
      const uint<1088> block = ports.s_axis.read();
      for (int lane = 0; lane < 25; ++lane) {
        a[lane / 5][lane % 5] = lane < 17 ? bits_at<64>(block, 64 * lane).to_uint64() : 0;
      }
    } else {
      for (int lane = 0; lane < 25; ++lane) a[lane / 5][lane % 5] = lanes_[lane];
    }
    theta(a);
    rho_pi_chi(a);
    a[0][0] ^= kIota[round_];
    for (int lane = 0; lane < 25; ++lane) lanes_[lane] = a[lane / 5][lane % 5];
    if (round_ == 23) {
      uint<256> digest = 0;
      for (int lane = 0; lane < 4; ++lane) digest = with_bits<64>(digest, 64 * lane, lanes_[lane]);
      ports.m_axis.write(digest);
    }
    if (++round_ == 24) round_ = 0;
  }

 private:
  using Lanes = std::uint64_t[5][5];

  static std::uint64_t turned(std::uint64_t lane, int amount) {
    return amount == 0 ? lane : lane << amount | lane >> (64 - amount);
  }

  static void theta(Lanes& a) {
    std::uint64_t parity[5];
    for (int x = 0; x < 5; ++x) parity[x] = a[0][x] ^ a[1][x] ^ a[2][x] ^ a[3][x] ^ a[4][x];
    for (int x = 0; x < 5; ++x) {
      for (int y = 0; y < 5; ++y) a[y][x] ^= parity[(x + 4) % 5] ^ turned(parity[(x + 1) % 5], 1);
    }
  }

  static void rho_pi_chi(Lanes& a) {
    Lanes b;
    for (int y = 0; y < 5; ++y) {
      for (int x = 0; x < 5; ++x) b[(2 * x + 3 * y) % 5][y] = turned(a[y][x], kRho[y][x]);
    }
    for (int y = 0; y < 5; ++y) {
      for (int x = 0; x < 5; ++x) a[y][x] = b[y][x] ^ (~b[y][(x + 1) % 5] & b[y][(x + 2) % 5]);
    }
  }

  static constexpr int kRho[5][5] = {
      {0, 1, 62, 28, 27}, {36, 44, 6, 55, 20}, {3, 10, 43, 25, 39}, {41, 45, 15, 21, 8}, {18, 2, 61, 56, 14}};
  static constexpr std::uint64_t kIota[24] = {
      0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
      0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
      0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
      0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
      0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
      0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
  };

  std::uint64_t lanes_[25] = {};
  uint<5> round_ = 0;
};

// AES-128 of one block, a round a step with the round's key beside it; byte 0 in the highest bits.
struct Aes128 {
  struct Ports {
    InStream<128> plain;
    InStream<128> key;
    OutStream<128> m_axis;
  };

  using Block = std::array<std::uint8_t, 16>;

  void step(Ports& ports) {
    if (round_ == 0) {
      key_ = bytes(ports.key.read());
      state_ = sum(bytes(ports.plain.read()), key_);
      constant_ = 1;
      round_ = 1;
      return;
    }
    key_ = next_key(key_, constant_);
    constant_ = doubled(constant_);
    state_ = sum(round_ == 10 ? shifted(state_) : mixed(shifted(state_)), key_);
    if (round_ == 10) ports.m_axis.write(word(state_));
    if (++round_ == 11) round_ = 0;
  }

 private:
  static constexpr std::uint8_t kSbox[256] = {
      0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76,
      0xca, 0x82, 0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0,
      0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15,
      0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75,
      0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84,
      0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf,
      0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8,
      0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2,
      0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
      0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb,
      0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79,
      0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08,
      0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a,
      0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e,
      0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf,
      0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16,
  };

  static std::uint8_t substituted(std::uint8_t byte) { return kSbox[byte]; }
  static std::uint8_t doubled(std::uint8_t byte) { return byte << 1 ^ (byte & 0x80 ? 0x1b : 0); }

  static Block bytes(const uint<128>& word) {
    Block bytes;
    for (int at = 0; at < 16; ++at) bytes[at] = bits_at<8>(word, 120 - 8 * at);
    return bytes;
  }

  static uint<128> word(const Block& bytes) {
    uint<128> word = 0;
    for (std::uint8_t byte : bytes) word = word << 8 | byte;
    return word;
  }

  static Block sum(Block a, const Block& b) {
    for (int at = 0; at < 16; ++at) a[at] ^= b[at];
    return a;
  }

  static Block shifted(const Block& a) {
    Block b;
    for (int at = 0; at < 16; ++at) b[at] = substituted(a[(at + 4 * (at % 4)) % 16]);
    return b;
  }

  static Block mixed(const Block& a) {
    Block b;
    for (int at = 0; at < 16; ++at) {
      const int column = at & ~3;
      const std::uint8_t here = a[at], next = a[column + (at + 1) % 4];
      b[at] = doubled(here) ^ doubled(next) ^ next ^ a[column + (at + 2) % 4] ^ a[column + (at + 3) % 4];
    }
    return b;
  }

  static Block next_key(const Block& key, std::uint8_t constant) {
    Block next;
    for (int at = 0; at < 16; ++at) {
      const std::uint8_t before = at < 4 ? substituted(key[12 + (at + 1) % 4]) : next[at - 4];
      next[at] = key[at] ^ before ^ (at == 0 ? constant : 0);
    }
    return next;
  }

  Block state_{}, key_{};
  std::uint8_t constant_ = 0;
  uint<4> round_ = 0;
};

}  // namespace practice

#endif
