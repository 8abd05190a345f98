"""ReActNet: signs and PReLUs whose thresholds and shifts are learned, channel by channel.

Z. Liu, Z. Shen, M. Savvides, K.-T. Cheng: "ReActNet: Towards Precise Binary Neural Network with
Generalized Activation Functions", 2020, arXiv:2003.03488.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from bireal import ApproximateSign, MagnitudeConv2d, Quantise8
from method import Method, Variant
from training import CLASSES
from twins import float_residual

CHANNELS = 16
BLOCKS = 3


def per_channel(channels: int) -> nn.Parameter:
    """One learned number per channel of a map."""
    return nn.Parameter(torch.zeros(1, channels, 1, 1))


class RSign(nn.Module):
    """The sign of x - alpha (equation 1)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = per_channel(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Binarise `x`."""
        return ApproximateSign.apply(x - self.alpha)


class RPReLU(nn.Module):
    """A PReLU whose corner is moved by gamma and zeta (equation 2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = per_channel(channels)
        self.zeta = per_channel(channels)
        self.prelu = nn.PReLU(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Reshape the distribution of `x`."""
        return self.prelu(x - self.gamma) + self.zeta

    def clip_weights(self) -> None:
        """Keep it rising everywhere, so that the sign behind it has one threshold."""
        self.prelu.weight.data.clamp_(min=0)


class Block(nn.Module):
    """RSign, binary convolution, batch norm, the shortcut around all three, RPReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.sign = RSign(channels)
        self.conv = MagnitudeConv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.activation = RPReLU(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Add what the binary convolution says to `x`, and activate the sum."""
        return self.activation(x + self.norm(self.conv(self.sign(x))))


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
    name="reactnet",
    paper="Liu et al.: ReActNet, 2020, arXiv:2003.03488",
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
