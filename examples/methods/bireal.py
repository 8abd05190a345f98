"""Bi-Real Net: a shortcut around every binary convolution carries what the signs lose.

Z. Liu, B. Wu, W. Luo, X. Yang, W. Liu, K.-T. Cheng: "Bi-Real Net: Enhancing the Performance of 1-bit CNNs
With Improved Representational Capability and Advanced Training Algorithm", 2018, arXiv:1808.00278.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from method import Method, Variant
from training import CLASSES
from twins import float_residual

CHANNELS = 16
BLOCKS = 3
STEM_SCALE = 1 / 32  # of integers of 8 bits: from -4 to just below 4


class ApproximateSign(torch.autograd.Function):
    """The sign, with the gradient of a piecewise polynomial that lies closer to it (section 3.3)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """-1 below zero, +1 from zero upwards."""
        ctx.save_for_backward(x)
        return torch.where(x < 0, -1.0, 1.0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """2 + 2x below zero, 2 - 2x above, none beyond -1 and 1."""
        (x,) = ctx.saved_tensors
        return gradient * (2 - 2 * x.abs()).clamp(min=0)


class Round(torch.autograd.Function):
    """The nearest whole number; gradients pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Round `x`."""
        return torch.round(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """The straight-through estimator."""
        return gradient


class Quantise8(nn.Module):
    """Integers of 8 bits, times STEM_SCALE: what enters the hardware."""

    def forward(self, x: Tensor) -> Tensor:
        """Quantise `x`."""
        return Round.apply(torch.clamp(x / STEM_SCALE, -128, 127)) * STEM_SCALE


class MagnitudeConv2d(nn.Conv2d):
    """A convolution with weights sign(W) times the mean of |W| per filter (magnitude-aware, section 3.3)."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x` with the binary weights."""
        magnitude = self.weight.abs().mean(dim=(1, 2, 3), keepdim=True).detach()
        # The forward pass sees signs; the gradient is that of the weights clipped to -1 and 1.
        clipped = self.weight.clamp(-1, 1)
        signs = (torch.where(self.weight < 0, -1.0, 1.0) - clipped).detach() + clipped
        if not self.training:
            signs = torch.where(self.weight < 0, -1.0, 1.0)
        return functional.conv2d(x, magnitude * signs, None, self.stride, self.padding)


class Block(nn.Module):
    """Sign, binary convolution, batch norm, and the shortcut around all three."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = MagnitudeConv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Add what the binary convolution says to `x`."""
        return x + self.norm(self.conv(ApproximateSign.apply(x)))


def make_network() -> nn.Sequential:
    """A float stem, whose output is quantised once; blocks; an average and a float classifier."""
    return nn.Sequential(
        nn.Conv2d(1, CHANNELS, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(CHANNELS),
        Quantise8(),
        *(Block(CHANNELS) for _ in range(BLOCKS)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(CHANNELS, CLASSES),
    )


METHOD = Method(
    name="bireal",
    paper="Liu et al.: Bi-Real Net, 2018, arXiv:1808.00278",
    twin=partial(float_residual, CHANNELS, BLOCKS),
    variants=(
        Variant("float", make_network, exact=False),
        Variant(
            "8-bit",
            make_network,
            {"quantize_float": 8, "input_type": "uint5"},
            calibrated=True,
            exact=False,
        ),
    ),
)
