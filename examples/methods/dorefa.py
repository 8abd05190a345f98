"""DoReFa-Net: weights and activations of k bits, of any k.

S. Zhou, Y. Wu, Z. Ni, X. Zhou, H. Wen, Y. Zou: "DoReFa-Net: Training Low Bitwidth Convolutional Neural
Networks with Low Bitwidth Gradients", 2016, arXiv:1606.06160. Gradients stay float here: they are of no
concern to hardware that infers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from method import Method, Variant
from training import CLASSES
from twins import CHANNELS, PIXELS_LEFT, float_chain

WEIGHT_BITS = 2
ACTIVATION_BITS = 2


class Quantise(torch.autograd.Function):
    """quantize_k (equation 5): numbers from 0 to 1 rounded to k bits; gradients pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bits: int) -> Tensor:
        """Round `x` to multiples of 1 / (2**bits - 1)."""
        levels = 2**bits - 1
        return torch.round(x * levels) / levels

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """The straight-through estimator."""
        return gradient, None


def quantise_weights(weight: Tensor) -> Tensor:
    """Weights from -1 to 1 by equation 9: squeezed by tanh, stretched to 0 to 1, rounded."""
    squeezed = torch.tanh(weight)
    unit = squeezed / (2 * squeezed.abs().max()) + 0.5
    return 2 * Quantise.apply(unit, WEIGHT_BITS) - 1


class QuantisedConv2d(nn.Conv2d):
    """A convolution with weights of WEIGHT_BITS."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x` with the quantised weights."""
        return functional.conv2d(x, quantise_weights(self.weight), self.bias, self.stride, self.padding)


class QuantisedLinear(nn.Linear):
    """A fully connected layer with weights of WEIGHT_BITS."""

    def forward(self, x: Tensor) -> Tensor:
        """Multiply `x` with the quantised weights."""
        return functional.linear(x, quantise_weights(self.weight), self.bias)


class QuantisedActivation(nn.Module):
    """Activations of ACTIVATION_BITS from 0 to 1 (equation 11)."""

    def forward(self, x: Tensor) -> Tensor:
        """Clip and round `x`."""
        return Quantise.apply(torch.clamp(x, 0, 1), ACTIVATION_BITS)


def make_network() -> nn.Sequential:
    """All layers are quantised; the first takes pixels as they are."""
    first, second, third = CHANNELS
    return nn.Sequential(
        QuantisedConv2d(1, first, 3, padding=1, bias=False),
        nn.BatchNorm2d(first),
        QuantisedActivation(),
        QuantisedConv2d(first, second, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(second),
        QuantisedActivation(),
        QuantisedConv2d(second, third, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(third),
        QuantisedActivation(),
        nn.Flatten(),
        QuantisedLinear(third * PIXELS_LEFT, CLASSES, bias=False),
        nn.BatchNorm1d(CLASSES),
    )


METHOD = Method(
    name="dorefa",
    paper="Zhou et al.: DoReFa-Net, 2016, arXiv:1606.06160",
    twin=float_chain,
    variants=(Variant("2-bit", make_network, {"input_type": "uint5"}),),
    epochs=20,
)
