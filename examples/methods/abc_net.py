"""ABC-Net: each convolution as a sum of binary ones, M bases of its weights by N of its activations.

X. Lin, C. Zhao, W. Pan: "Towards Accurate Binary Convolutional Neural Network", 2017, arXiv:1711.11294.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnn import Sign
from method import Method, Variant
from training import CLASSES, SIDE

WEIGHT_BASES = 2  # M
ACTIVATION_BASES = 2  # N
CHANNELS = (8, 16)


def binary_bases(weight: Tensor) -> list[Tensor]:
    """The fixed bases of equation 4: signs of the weights, shifted by steps of their deviation."""
    mean, deviation = weight.mean(), weight.std()
    shifts = [-1 + 2 * index / (WEIGHT_BASES - 1) for index in range(WEIGHT_BASES)]
    return [Sign.apply(weight - mean + shift * deviation) for shift in shifts]


class WeightBases(nn.Module):
    """A real layer whose weights are approximated: W = alpha_1 * B_1 + ... + alpha_M * B_M."""

    def __init__(self, real: nn.Conv2d | nn.Linear) -> None:
        super().__init__()
        self.real = real
        self.register_buffer("alphas", torch.ones(WEIGHT_BASES))

    def forward(self, x: Tensor) -> Tensor:
        """The sum of the binary layers (equation 6)."""
        bases = binary_bases(self.real.weight)
        if self.training:
            self.fit(bases)
        return sum(self.alphas[index] * self.apply_base(x, base) for index, base in enumerate(bases))

    def fit(self, bases: list[Tensor]) -> None:
        """The scales that approximate the real weights best, by linear regression (equation 5)."""
        with torch.no_grad():
            columns = torch.stack([base.flatten() for base in bases], dim=1)
            self.alphas = torch.linalg.lstsq(columns, self.real.weight.flatten()[:, None]).solution[:, 0]

    def apply_base(self, x: Tensor, base: Tensor) -> Tensor:
        """One binary layer."""
        if isinstance(self.real, nn.Linear):
            return functional.linear(x, base)
        return functional.conv2d(x, base, None, self.real.stride, self.real.padding)


class Bases(nn.Module):
    """A layer on N binary bases of its input: signs at learned thresholds, with learned scales (3.2)."""

    def __init__(self, layer: WeightBases) -> None:
        super().__init__()
        self.layer = layer
        self.thresholds = nn.Parameter(torch.linspace(-0.6, 0.6, ACTIVATION_BASES))
        self.betas = nn.Parameter(torch.full((ACTIVATION_BASES,), 1 / ACTIVATION_BASES))

    def forward(self, x: Tensor) -> Tensor:
        """The sum over both kinds of bases (equation 10); sign(x - v) is the paper's H_v, shifted."""
        return sum(
            self.betas[index] * self.layer(Sign.apply(x - self.thresholds[index]))
            for index in range(ACTIVATION_BASES)
        )


def make_network() -> nn.Sequential:
    """Two convolutions that halve the map, and a fully connected layer; the first takes pixels."""
    first, second = CHANNELS
    pixels = (SIDE // 4) ** 2
    return nn.Sequential(
        WeightBases(nn.Conv2d(1, first, 3, stride=2, padding=1, bias=False)),
        nn.BatchNorm2d(first),
        Bases(WeightBases(nn.Conv2d(first, second, 3, stride=2, padding=1, bias=False))),
        nn.BatchNorm2d(second),
        nn.Flatten(),
        Bases(WeightBases(nn.Linear(second * pixels, CLASSES, bias=False))),
        nn.BatchNorm1d(CLASSES),
    )


def make_twin() -> nn.Sequential:
    """The same of ordinary layers."""
    first, second = CHANNELS
    pixels = (SIDE // 4) ** 2
    return nn.Sequential(
        nn.Conv2d(1, first, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(first),
        nn.ReLU(),
        nn.Conv2d(first, second, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(second),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(second * pixels, CLASSES),
    )


METHOD = Method(
    name="abc_net",
    paper="Lin et al.: Towards Accurate Binary Convolutional Neural Network, 2017, arXiv:1711.11294",
    twin=make_twin,
    variants=(Variant("2 x 2", make_network, {"input_type": "uint5"}, exact=False),),
)
