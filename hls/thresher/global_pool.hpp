// global_pool: each channel's sum, or its largest, over the vectors of a frame, `kPe` channels a cycle.
//
// Each step reads a beat; what its tile of channels has come to is kept in a memory until the next
// vector, and leaves during the last.
#ifndef THRESHER_GLOBAL_POOL_HPP
#define THRESHER_GLOBAL_POOL_HPP

#include "thresher/accumulation.hpp"
#include "thresher/maximum.hpp"
#include "thresher/ram.hpp"
#include "thresher/stream.hpp"

namespace thresher {

// What is kept of a channel: its sum.
template <class Layer, bool Largest = Layer::kLargest>
struct Pooled {
  using Sums = Accumulation<Layer, 1>;
  static constexpr int kInputBits = Layer::kInputBits;
  static constexpr int kHeldBits = Layer::kAccumulatorBits;
  static constexpr int kOutputBits = Layer::kOutputBits;

  static uint<kHeldBits> of(bool first, uint<kHeldBits> held, uint<kInputBits> element, int pe,
                            std::uint32_t tile) {
#pragma HLS INLINE
    using Accumulator = typename Sums::Accumulator;
    const Accumulator before = first ? Start<Layer>::of(pe, start_index(tile)) : Accumulator(held);
    return Sums::add(before, pe, 0, element);
  }
  static uint<kOutputBits> output(uint<kHeldBits> held, int pe, std::uint32_t tile) {
#pragma HLS INLINE
    return Sums::output(held, pe, start_index(tile), tile);
  }

 private:
  static std::uint32_t start_index(std::uint32_t tile) {
#pragma HLS INLINE
    return Sums::start_index(EdgeClass<Layer>(), tile);
  }
};

// Its largest element.
template <class Layer>
struct Pooled<Layer, true> {
  static constexpr int kInputBits = Layer::kBits;
  static constexpr int kHeldBits = Layer::kBits;
  static constexpr int kOutputBits = Layer::kBits;

  static uint<kHeldBits> of(bool first, uint<kHeldBits> held, uint<kInputBits> element, int, std::uint32_t) {
#pragma HLS INLINE
    return first ? element : Maximum<Layer>::of(held, element);
  }
  static uint<kOutputBits> output(uint<kHeldBits> held, int pe, std::uint32_t tile) {
#pragma HLS INLINE
    return Maximum<Layer>::output(held, pe, tile);
  }
};

template <class Layer>
class GlobalPool {
  using Lane = Pooled<Layer>;
  static constexpr int kTiles = ceil_div(Layer::kChannels, Layer::kPe);
  static constexpr int kLastLanes = Layer::kChannels - (kTiles - 1) * Layer::kPe;
  static constexpr int kInputWidth = Layer::kPe * Lane::kInputBits;
  static constexpr int kHeldWidth = Layer::kPe * Lane::kHeldBits;
  static constexpr int kOutputWidth = Layer::kPe * Lane::kOutputBits;

 public:
  struct Ports {
    InStream<kInputWidth> s_axis;
    OutStream<kOutputWidth> m_axis;
  };

  void step(Ports& ports) {
#pragma HLS INLINE
    const uint<kInputWidth> beat = ports.s_axis.read();
    const std::uint32_t tile = tile_;
    const bool last_tile = tile_ == kTiles - 1;
    const bool last_vector = vector_ == Layer::kVectors - 1;
    const uint<kHeldWidth> before = held_.read(tile);

    uint<kHeldWidth> after = 0;
    uint<kOutputWidth> outputs = 0;
#pragma clang loop unroll(full)
    for (int pe = 0; pe < Layer::kPe; ++pe) {
#pragma HLS UNROLL
      const auto element = bits_at<Lane::kInputBits, kInputWidth>(beat, pe * Lane::kInputBits);
      const auto held = bits_at<Lane::kHeldBits, kHeldWidth>(before, pe * Lane::kHeldBits);
      const auto pooled = Lane::of(vector_ == 0, held, element, pe, tile);
      after = with_bits<Lane::kHeldBits, kHeldWidth>(after, pe * Lane::kHeldBits, pooled);
      uint<Lane::kOutputBits> output = Lane::output(pooled, pe, tile);
      if (pe >= kLastLanes && last_tile) output = 0;
      outputs = with_bits<Lane::kOutputBits, kOutputWidth>(outputs, pe * Lane::kOutputBits, output);
    }
    held_.write(tile, after);
    if (last_vector) ports.m_axis.write(outputs);

    if (last_tile) count(vector_, last_vector);
    count(tile_, last_tile);
  }

 private:
  uint<bits_for(kTiles - 1)> tile_ = 0;
  uint<bits_for(Layer::kVectors - 1)> vector_ = 0;
  Ram<kHeldWidth, kTiles> held_;
};

}  // namespace thresher

#endif
