// maximum: the largest of some elements, shared by the units that keep it.
#ifndef THRESHER_MAXIMUM_HPP
#define THRESHER_MAXIMUM_HPP

#include "thresher/arithmetic.hpp"
#include "thresher/rom.hpp"

namespace thresher {

// Whether a lane gives its largest mirrored: none does, or a table says it.
template <class Layer, bool Mirrors = Layer::kMirrors>
struct Mirrored {
  static bool of(int, std::uint32_t) { return false; }
};

template <class Layer>
struct Mirrored<Layer, true> {
  static bool of(int pe, std::uint32_t tile) {
#pragma HLS INLINE
    return rom_read<1>(Layer::mirrored(pe), Layer::kMirrorTiles == 1 ? 0 : tile) != 0;
  }
};

template <class Layer>
struct Maximum {
  using Element = uint<Layer::kBits>;

  static Element of(Element a, Element b) {
#pragma HLS INLINE
    if (Layer::kBits == 1 && !Layer::kSigned) return a | b;
    return value_of<Layer::kSigned, Layer::kBits>(a) < value_of<Layer::kSigned, Layer::kBits>(b) ? b : a;
  }

  // What leaves lane `pe` for a tile of channels whose largest is `best`: that, or `kMirrorEnd` less it.
  static Element output(Element best, int pe, std::uint32_t tile) {
#pragma HLS INLINE
    const Element mirrored = Layer::kMirrorEnd - best;
    return Mirrored<Layer>::of(pe, tile) ? mirrored : best;
  }
};

}  // namespace thresher

#endif
