"""The form of a tensor on its way into hardware, in a few words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from thresher.ir.integer import Doubles, Ints, narrowest
from thresher.ir.quant import Arithmetic, Layout, Linear, QuantNode
from thresher.ir.quant_maps import Conv
from thresher.lower.forms import Form, OnHost, Pending

HOST = "float (host)"


def describe_form(form: Form, operators: Mapping[str, str]) -> str:
    """Say what the tensor is made of; `operators` are those of the ONNX nodes, by name.

    Integers are their type, the shape of a frame (pixels, then channels; as in the model where elements
    were moved), and what scale and zero point they have: `uint4, 28x28x16, scale 0.25 per tensor`. Of what
    waits for a quantiser it names the operators since: `pending: BatchNormalization, Relu on int9`.
    """
    if isinstance(form, OnHost):
        return HOST
    if not isinstance(form, Pending):
        return f"{_short(form.element)}, class index"
    if waits(form):
        names = dict.fromkeys(_operator(step, operators) for step in form.steps)
        return f"pending: {', '.join(names)} on {_short(form.element)}"
    return ", ".join([_short(form.element), _shape(form), *_meaning(form.scale, form.zero), *_more(form)])


def waits(form: Pending) -> bool:
    """Whether the model has done more to the integers than to move them."""
    return any(not isinstance(step, Layout) for step in form.steps)


def describe_weights(node: Linear | Conv) -> str:
    """Say what the weights of a layer are: `bipolar weights, 64x784, scale 1 per tensor`."""
    shape = "x".join(str(size) for size in node.weights.shape)
    kind = f"{_short(narrowest(node.weights))} weights"
    return ", ".join([kind, shape, *_meaning(node.scale.astype(np.float64), node.zero)])


def _short(element: object) -> str:
    """The type without its range."""
    return str(element).partition("[")[0]


def _operator(step: QuantNode, operators: Mapping[str, str]) -> str:
    # A product's bias is a step under the product's own name.
    if isinstance(step, Arithmetic) or not step.onnx_nodes:
        return step.op if isinstance(step, Arithmetic) else type(step).__name__
    return operators.get(step.onnx_nodes[-1], type(step).__name__)


def _shape(form: Pending) -> str:
    if form.steps:
        sizes = form.final_index().shape
    else:
        sizes = (*(form.index.shape[axis] for axis in form.pixel_axes), form.channels)
    return "x".join(map(str, sizes))


def _meaning(scale: Doubles, zero: Ints) -> list[str]:
    parts = [f"scale {scale[0]:.6g} per tensor" if np.all(scale == scale[0]) else "scale per channel"]
    if zero.any():
        parts.append(f"zero point {zero[0]}" if np.all(zero == zero[0]) else "zero point per channel")
    return parts


def _more(form: Pending) -> list[str]:
    parts = []
    if form.offset is not None and form.offset.any():
        parts.append("offset per channel")
    if form.error is not None and form.error.any():
        parts.append(f"off by {form.error.max():.3g} at most")
    return parts
