"""BNN: weights and activations that are -1 and +1, trained with a straight-through estimator.

M. Courbariaux, I. Hubara, D. Soudry, R. El-Yaniv, Y. Bengio: "Binarized Neural Networks: Training Neural
Networks with Weights and Activations Constrained to +1 or -1", 2016, arXiv:1602.02830.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from method import Method, Variant
from training import CLASSES
from twins import CHANNELS, PIXELS_LEFT, float_chain


class Sign(torch.autograd.Function):
    """-1 below zero, +1 from zero upwards; gradients pass where |x| <= 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Binarise `x`. torch.sign(0) is 0, which is neither -1 nor +1."""
        ctx.save_for_backward(x)
        return torch.where(x == 0, torch.ones_like(x), torch.sign(x))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """The straight-through estimator (section 1.3 of the paper)."""
        (x,) = ctx.saved_tensors
        return gradient * (x.abs() <= 1)


class BinaryActivation(nn.Module):
    """Activations -1 and +1."""

    def forward(self, x: Tensor) -> Tensor:
        """Binarise `x`."""
        return Sign.apply(x)


class BinaryConv2d(nn.Conv2d):
    """A convolution with weights -1 and +1."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x`, whose padding is zero, with the signs of the real weights."""
        return functional.conv2d(x, Sign.apply(self.weight), self.bias, self.stride, self.padding)

    def clip_weights(self) -> None:
        """Keep the real weights where a gradient can still turn their signs."""
        self.weight.data.clamp_(-1, 1)


class BinaryLinear(nn.Linear):
    """A fully connected layer with weights -1 and +1."""

    def forward(self, x: Tensor) -> Tensor:
        """Multiply `x` with the signs of the real weights."""
        return functional.linear(x, Sign.apply(self.weight), self.bias)

    def clip_weights(self) -> None:
        """Keep the real weights where a gradient can still turn their signs."""
        self.weight.data.clamp_(-1, 1)


def make_network() -> nn.Sequential:
    """The paper's order of layers: convolution, pool, batch norm, sign. The first layer takes pixels."""
    first, second, third = CHANNELS
    return nn.Sequential(
        BinaryConv2d(1, first, 3, padding=1, bias=False),
        nn.BatchNorm2d(first),
        BinaryActivation(),
        BinaryConv2d(first, second, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(second),
        BinaryActivation(),
        BinaryConv2d(second, third, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(third),
        BinaryActivation(),
        nn.Flatten(),
        BinaryLinear(third * PIXELS_LEFT, CLASSES, bias=False),
        nn.BatchNorm1d(CLASSES),
    )


METHOD = Method(
    name="bnn",
    paper="Courbariaux, Hubara et al.: Binarized Neural Networks, 2016, arXiv:1602.02830",
    twin=float_chain,
    variants=(Variant("1-bit", make_network, {"input_type": "uint5"}),),
)
