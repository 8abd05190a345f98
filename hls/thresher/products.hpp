// products: the sum of some weights times as many inputs, on the cheapest arithmetic for the two types.
//
// Signs are bits: an input times -1 is its complement, and bits of two signs are added up as bits. What
// that leaves out is the same for each vector, so that it can be in starts or thresholds. Where it is
// worth it, the bits of equal weight of all terms are counted; else the terms meet in a tree of adders.
//
// Padding lanes contribute nothing: their inputs are zero bits, and the weights there are +1 where they
// are signs and 0 otherwise, or +1 where all are.
#ifndef THRESHER_PRODUCTS_HPP
#define THRESHER_PRODUCTS_HPP

#include "thresher/arithmetic.hpp"

namespace thresher {

// What a product is made of.
enum class Products {
  kInputs,     // weights of -1, 0 and +1 keep an input, complement it or leave it out
  kWeights,    // inputs of one bit keep a weight or leave it out
  kMultiplied  // the two meet in a multiplier
};

// One bit of each of `Lanes` fields of `Bits` bits. Many fields are halved first: a compiler takes time for
// each shift of a word, in proportion to its length. Inlined, the bit is a constant, and C simulation of
// two-bit units takes four fifths of the time.
template <int Bits, int Lanes, bool Halved = (Bits > 1 && Lanes > 32)>
struct Plane {
  static constexpr int kLow = Lanes / 2;
  static constexpr int kHigh = Lanes - kLow;

  [[gnu::always_inline]] static uint<Lanes> of(uint<Lanes * Bits> fields, int bit) {
#pragma HLS INLINE
    const uint<kLow> low = Plane<Bits, kLow>::of(bits_at<kLow * Bits, Lanes * Bits>(fields, 0), bit);
    const uint<kHigh> high = Plane<Bits, kHigh>::of(bits_at<kHigh * Bits, Lanes * Bits>(fields, kLow * Bits), bit);
    return with_bits<kHigh, Lanes>(low, kLow, high);
  }
};

template <int Bits, int Lanes>
struct Plane<Bits, Lanes, false> {
  [[gnu::always_inline]] static uint<Lanes> of(uint<Lanes * Bits> fields, int bit) {
#pragma HLS INLINE
    if (Bits == 1) return fields;
    uint<Lanes> plane = 0;
#pragma clang loop unroll(full)
    for (int lane = 0; lane < Lanes; ++lane) {
#pragma HLS UNROLL
      plane = with_bits<1, Lanes>(plane, lane, bits_at<1, Lanes * Bits>(fields, lane * Bits + bit));
    }
    return plane;
  }
};

// The products of `Lanes` weights and inputs, all at once or one bit of each: fields of `kTermBits`.
template <class Layer, int Lanes, Products Kind = Layer::kProducts>
struct Terms {
  static constexpr int kBits = Layer::kTermBits;

  static uint<kBits> of(uint<Layer::kWeightBits> weight, uint<Layer::kInputBits> input) {
#pragma HLS INLINE
    // Modulo 2^kBits, and so without signs: a factor may be what the type of products lacks, as 128 is where
    // inputs are -1 and 0.
    return value_of<Layer::kWeightSigned, Layer::kWeightBits>(weight) *
           value_of<Layer::kInputSigned, Layer::kInputBits>(input);
  }
};

// The lowest bit of a weight says whether it counts, the highest whether it is negative; a sign that is one
// bit always counts.
template <class Layer, int Lanes>
struct Terms<Layer, Lanes, Products::kInputs> {
  static constexpr int kBits = Layer::kTermBits;
  static constexpr int kLast = Layer::kWeightBits - 1;

  static uint<kBits> of(uint<Layer::kWeightBits> weight, uint<kBits> input) {
#pragma HLS INLINE
    const bool low = bits_at<1, Layer::kWeightBits>(weight, 0) != 0;
    const bool high = bits_at<1, Layer::kWeightBits>(weight, kLast) != 0;
    const uint<kBits> complement = ~input;
    if (Layer::kWeightBipolar) return low ? input : complement;
    const uint<kBits> turned = Layer::kWeightSigned && high ? complement : input;
    return low ? turned : uint<kBits>(0);
  }
  static uint<Lanes> plane(uint<Lanes * Layer::kWeightBits> weights, uint<Lanes * kBits> inputs, int bit) {
#pragma HLS INLINE
    const uint<Lanes> low = Plane<Layer::kWeightBits, Lanes>::of(weights, 0);
    const uint<Lanes> high = Plane<Layer::kWeightBits, Lanes>::of(weights, kLast);
    const uint<Lanes> plane = Plane<kBits, Lanes>::of(inputs, bit);
    if (Layer::kWeightBipolar) return ~(low ^ plane);
    return low & (Layer::kWeightSigned ? high ^ plane : plane);
  }
};

template <class Layer, int Lanes>
struct Terms<Layer, Lanes, Products::kWeights> {
  static constexpr int kBits = Layer::kTermBits;

  static uint<kBits> of(uint<kBits> weight, uint<1> input) {
#pragma HLS INLINE
    return input != 0 ? weight : uint<kBits>(0);
  }
  static uint<Lanes> plane(uint<Lanes * kBits> weights, uint<Lanes> inputs, int bit) {
#pragma HLS INLINE
    return Plane<kBits, Lanes>::of(weights, bit) & inputs;
  }
};

// The sum of the terms, or twice it: a tree of adders.
template <class Layer, int Lanes, bool Counted = Layer::kCounted && (Layer::kTermBits == 1 || Lanes >= 4)>
struct DotProduct {
  using Term = Terms<Layer, Lanes>;
  static constexpr int kTwice = Layer::kTwice ? 1 : 0;
  static constexpr int kTermBits = Term::kBits + (Layer::kTermSigned ? 0 : 1);
  using Sum = TreeSum<kTermBits, Lanes>;
  static constexpr int kBits = Sum::kBits + kTwice;

  static sint<kBits> of(uint<Lanes * Layer::kWeightBits> weights, uint<Lanes * Layer::kInputBits> inputs) {
#pragma HLS INLINE
    sint<kTermBits> terms[Lanes];
#pragma HLS ARRAY_PARTITION variable=terms complete
#pragma clang loop unroll(full)
    for (int lane = 0; lane < Lanes; ++lane) {
#pragma HLS UNROLL
      const uint<Term::kBits> term =
          Term::of(bits_at<Layer::kWeightBits, Lanes * Layer::kWeightBits>(weights, lane * Layer::kWeightBits),
                   bits_at<Layer::kInputBits, Lanes * Layer::kInputBits>(inputs, lane * Layer::kInputBits));
      terms[lane] = value_of<Layer::kTermSigned, Term::kBits>(term);
    }
    return sint<kBits>(Sum::of(terms)) << kTwice;
  }
};

// A popcount for each bit; the highest of a signed term counts below zero.
template <class Layer, int Lanes>
struct DotProduct<Layer, Lanes, true> {
  static constexpr int kTwice = Layer::kTwice ? 1 : 0;
  static constexpr int kBits = bits_for(Lanes) + Layer::kTermBits + kTwice + 1;

  static sint<kBits> of(uint<Lanes * Layer::kWeightBits> weights, uint<Lanes * Layer::kInputBits> inputs) {
#pragma HLS INLINE
    sint<kBits> sum = 0;
#pragma clang loop unroll(full)
    for (int bit = 0; bit < Layer::kTermBits; ++bit) {
#pragma HLS UNROLL
      const uint<Lanes> plane = Terms<Layer, Lanes>::plane(weights, inputs, bit);
      const sint<kBits> part = sint<kBits>(popcount<Lanes>(plane)) << (bit + kTwice);
      const bool negative = Layer::kTermSigned && bit == Layer::kTermBits - 1;
      sum = negative ? sum - part : sum + part;
    }
    return sum;
  }
};

}  // namespace thresher

#endif
