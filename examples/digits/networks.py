"""The two 1-bit networks of the example, of Brevitas' layers: weights and activations are -1 and +1.

Both are fed by pixels of 4 bits, and give one score per class.
"""

from __future__ import annotations

from copy import deepcopy

from brevitas.inject.enum import RestrictValueType, ScalingImplType
from brevitas.nn import QuantConv2d, QuantIdentity, QuantLinear
from brevitas.quant import (
    SignedBinaryActPerTensorConst,
    SignedBinaryWeightPerTensorConst,
    Uint8ActPerTensorFloat,
)
from torch import nn

SIDE = 8  # pixels
CLASSES = 10
HIDDEN = (256, 128)
CHANNELS = (16, 32, 32)


class PixelQuant(Uint8ActPerTensorFloat):  # type: ignore[misc]  # Brevitas is untyped
    """Pixels as unsigned integers of 4 bits, at scale 1: 0 to 15, where 16 saturates."""

    bit_width = 4
    scaling_impl_type = ScalingImplType.CONST
    restrict_scaling_type = RestrictValueType.FP
    scaling_init = 15.0  # the real value of the largest integer, so that the scale is 1


def quantise_pixels() -> nn.Module:
    """A quantiser of pixels to 0 to 15."""
    return QuantIdentity(act_quant=PixelQuant)


def sign() -> nn.Module:
    """A quantiser to -1 and +1."""
    return QuantIdentity(act_quant=SignedBinaryActPerTensorConst)


def binary_linear(inputs: int, outputs: int) -> nn.Module:
    """A fully connected layer with weights -1 and +1, and no bias."""
    return QuantLinear(inputs, outputs, bias=False, weight_quant=SignedBinaryWeightPerTensorConst)


def binary_conv(inputs: int, outputs: int) -> nn.Module:
    """A 3x3 convolution with weights -1 and +1, and no bias, that keeps the map's size."""
    weights = {"bias": False, "weight_quant": SignedBinaryWeightPerTensorConst}
    return QuantConv2d(inputs, outputs, 3, padding=1, **weights)


def make_dense(hidden: tuple[int, ...] = HIDDEN) -> nn.Sequential:
    """Fully connected: hidden layers of `hidden` neurons."""
    layers: list[nn.Module] = [nn.Flatten(), quantise_pixels()]
    width = SIDE * SIDE
    for neurons in hidden:
        layers += [binary_linear(width, neurons), nn.BatchNorm1d(neurons), sign()]
        width = neurons
    return nn.Sequential(*layers, binary_linear(width, CLASSES), nn.BatchNorm1d(CLASSES))


def make_conv(channels: tuple[int, ...] = CHANNELS) -> nn.Sequential:
    """Convolutions with `channels` outputs; each but the first is followed by a pool that halves the map."""
    layers: list[nn.Module] = [quantise_pixels()]
    width, side = 1, SIDE
    for rows in channels:
        layers += [binary_conv(width, rows), nn.BatchNorm2d(rows), sign()]
        if width > 1:
            layers.append(nn.MaxPool2d(2))
            side //= 2
        width = rows
    layers += [nn.Flatten(), binary_linear(width * side * side, CLASSES), nn.BatchNorm1d(CLASSES)]
    return nn.Sequential(*layers)


def pad_signs(network: nn.Sequential, value: float) -> nn.Sequential:
    """A copy of `network` in whose convolutions of signs the padding counts as `value`, and not as zero.

    That is what hardware does that has -1 and +1 only, and does not correct its sums at the edges.
    """
    layers: list[nn.Module] = []
    for layer in deepcopy(network):
        if isinstance(layer, QuantConv2d) and layer.in_channels > 1:
            layers.append(nn.ConstantPad2d(layer.padding[0], value))
            layer.padding = (0, 0)
        layers.append(layer)
    return nn.Sequential(*layers).eval()
