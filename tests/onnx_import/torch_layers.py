"""Binary and low-bit layers as people write them in plain PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class Sign(torch.autograd.Function):  # type: ignore[misc]
    """The sign with sign(0) = +1; its gradient is passed through where |x| <= 1."""

    @staticmethod
    def forward(context: Any, x: torch.Tensor) -> torch.Tensor:
        context.save_for_backward(x)
        return torch.where(x == 0, torch.ones_like(x), torch.sign(x))

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> torch.Tensor:
        (x,) = context.saved_tensors
        return gradient * (x.abs() <= 1)


def sign(x: torch.Tensor) -> torch.Tensor:
    return Sign.apply(x)


class BinaryActivation(nn.Module):  # type: ignore[misc]
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return sign(x)


class BinaryLinear(nn.Linear):  # type: ignore[misc]
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(x, sign(self.weight), self.bias)


class BinaryConv2d(nn.Conv2d):  # type: ignore[misc]
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._conv_forward(x, sign(self.weight), self.bias)


class ScaledConv2d(nn.Conv2d):  # type: ignore[misc]
    """XNOR-Net's filters: signs times the mean magnitude of each filter."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        alpha = self.weight.abs().mean(dim=(1, 2, 3), keepdim=True)
        return self._conv_forward(x, alpha * sign(self.weight), self.bias)


class ScaledByInput(nn.Module):  # type: ignore[misc]
    """A block of XNOR-Net with its K: the mean magnitude of what a window reads."""

    def __init__(self, channels: int, rows: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = ScaledConv2d(channels, rows, 3, padding=1)
        self.register_buffer("box", torch.full((1, 1, 3, 3), 1 / 9))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(x)
        scale = nn.functional.conv2d(x.abs().mean(1, keepdim=True), self.box, padding=1)
        return self.conv(sign(x)) * scale


def quantise(x: torch.Tensor, bits: int) -> torch.Tensor:
    """DoReFa-Net's quantiser of 0..1 in steps of 1 / (2**bits - 1)."""
    steps = float(2**bits - 1)
    return torch.round(x * steps) / steps


class DorefaActivation(nn.Module):  # type: ignore[misc]
    def __init__(self, bits: int) -> None:
        super().__init__()
        self.bits = bits

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return quantise(torch.clamp(x, 0, 1), self.bits)


def dorefa_weight(weight: torch.Tensor, bits: int) -> torch.Tensor:
    if bits == 1:
        return sign(weight) * weight.abs().mean()
    limited = torch.tanh(weight)
    return 2 * quantise(limited / (2 * limited.abs().max()) + 0.5, bits) - 1


class DorefaConv2d(nn.Conv2d):  # type: ignore[misc]
    bits = 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._conv_forward(x, dorefa_weight(self.weight, self.bits), self.bias)


class DorefaLinear(nn.Linear):  # type: ignore[misc]
    bits = 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(x, dorefa_weight(self.weight, self.bits), self.bias)


def of_bits(layer: Any, bits: int) -> Any:
    """The layer with weights of so many bits."""
    layer.bits = bits
    return layer


def binary_network(conv: Any = BinaryConv2d) -> nn.Sequential:
    """A float layer in front, two binary convolutions, a pool, and two binary layers, for 2 x 8 x 8 maps."""
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        BinaryActivation(),
        conv(6, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        BinaryActivation(),
        conv(8, 8, 3, padding=1),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(8),
        nn.Hardtanh(),
        BinaryActivation(),
        nn.Flatten(),
        BinaryLinear(128, 16, bias=False),
        nn.BatchNorm1d(16),
        BinaryActivation(),
        BinaryLinear(16, 10),
    )


def dorefa_network(weight_bits: int, bits: int) -> nn.Sequential:
    """Convolutions and a layer of so many bits behind a float one, for 2 x 8 x 8 maps."""
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.Tanh(),
        DorefaActivation(bits),
        of_bits(DorefaConv2d(6, 8, 3, stride=2, padding=1, bias=False), weight_bits),
        nn.BatchNorm2d(8),
        DorefaActivation(bits),
        nn.Flatten(),
        of_bits(DorefaLinear(128, 10), weight_bits),
    )
