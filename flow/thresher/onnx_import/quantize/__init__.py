"""Float layers as layers of N bits: a pass from QuantGraph to QuantGraph."""

from thresher.onnx_import.quantize.layers import QuantisedFloats, QuantisedLayer, check_bits, quantize_float

__all__ = ["QuantisedFloats", "QuantisedLayer", "check_bits", "quantize_float"]
