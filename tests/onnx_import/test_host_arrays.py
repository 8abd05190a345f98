"""Arrays as users hold them, on their way into hardware that takes integers."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lower.helpers import compile_proto
from tests.models import Array, ModelBuilder, run_qonnx
from thresher.errors import UsageError
from thresher.host import Host
from thresher.ir.graph import interpret
from thresher.onnx_import.host import HostModel, make_epilogue
from thresher_sim.streams import IntType, StreamLayout

INT8, UINT8 = IntType(-128, 127), IntType(0, 255)


def host_for(element: IntType) -> tuple[Host, Array, ModelBuilder, str]:
    """A host, every value of `element` in frames, and the model of them."""
    build = ModelBuilder((1, 16))
    weights = np.random.default_rng(0).integers(-7, 8, (16, 3))
    output = build.node("MatMul", "x", build.weights(weights))
    compiled = compile_proto(build.proto(output), input_type=element, input_scale=1.0)
    end = compiled.lowered.output
    assert compiled.lowered.epilogue is not None
    epilogue = make_epilogue(compiled.imported, compiled.lowered.epilogue, end.scale, end.zero, end.offset)
    frames = np.arange(element.lo, element.hi + 1).reshape(-1, 16)
    return Host(compiled.lowered, None, HostModel(epilogue)), frames, build, output


@pytest.mark.parametrize(
    ("element", "dtype"),
    [
        *((INT8, dtype) for dtype in ("int8", "int16", "int32", "int64", "float32", "float64", ">i2")),
        *((UINT8, dtype) for dtype in ("uint8", "int16", "uint32", "uint64", "float32")),
    ],
)
def test_arrays_of_every_type(element: IntType, dtype: str) -> None:
    host, frames, build, output = host_for(element)
    integers = host.encode(frames.astype(dtype)[::-1])
    (graph, entry) = host.lowered.graph, host.lowered.input
    packed = StreamLayout(element, entry.type.channels, entry.type.vectors, 5).pack(integers)
    assert len(packed)
    got = host.decode(interpret(graph, {entry.tensor: integers})[host.lowered.output.tensor])
    want = run_qonnx(build.proto(output), frames[::-1].astype(np.float32))[output]
    np.testing.assert_array_equal(got, want)


def test_an_array_of_truths() -> None:
    host, _, build, output = host_for(UINT8)
    frames = np.random.default_rng(1).integers(0, 2, (4, 16)).astype(np.bool_)
    integers = host.encode(frames)
    got = host.decode(interpret(host.lowered.graph, {"input": integers})[host.lowered.output.tensor])
    np.testing.assert_array_equal(got, run_qonnx(build.proto(output), frames.astype(np.float32))[output])


def test_values_that_an_arrays_type_has_and_the_hardwares_has_not() -> None:
    host, _, _, _ = host_for(IntType(-8, 7))
    with pytest.raises(UsageError) as caught:
        host.encode(np.full((1, 16), -128, np.int8))
    assert str(caught.value) == (
        "inputs: the values go from -128 to -128, and the hardware takes int4[-8..7]; give integers of that "
        "type, or floats that are its multiples of the input scale"
    )
