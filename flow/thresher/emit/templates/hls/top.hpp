// The accelerator's edge: beats padded to whole bytes, `last` at the end of each output frame.
//
// In Vitis HLS, where THRESHER_VITIS is defined, a beat is AMD's, in C simulation as in synthesis; elsewhere,
// where AMD's header of it need not be, it is a structure with the same members.
#ifndef TOP_HPP
#define TOP_HPP

#include "thresher/bits.hpp"

#include <hls_stream.h>

constexpr int input_bits = @input_bits@;
constexpr int input_beats = @input_beats@;  // a frame
constexpr int output_bits = @output_bits@;
constexpr int output_beats = @output_beats@;

#ifdef THRESHER_VITIS
#include <ap_axi_sdata.h>
using InputBeat = ap_axiu<input_bits, 0, 0, 0>;
using OutputBeat = ap_axiu<output_bits, 0, 0, 0>;
#else
template <int Width>
struct Beat {
  ap_uint<Width> data;
  ap_uint<1> last;
};
using InputBeat = Beat<input_bits>;
using OutputBeat = Beat<output_bits>;
#endif

void accelerator(hls::stream<InputBeat>& s_axis, hls::stream<OutputBeat>& m_axis);

#endif
