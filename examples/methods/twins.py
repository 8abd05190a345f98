"""The float networks that the methods are compared with: the same topologies of ordinary layers."""

from __future__ import annotations

from torch import Tensor, nn

from training import CLASSES

CHANNELS = (16, 32, 32)
PIXELS_LEFT = 4  # after two halvings of 8x8


def float_chain() -> nn.Sequential:
    """Three convolutions, of which the second and the third are pooled, and a fully connected layer."""
    first, second, third = CHANNELS
    return nn.Sequential(
        nn.Conv2d(1, first, 3, padding=1, bias=False),
        nn.BatchNorm2d(first),
        nn.ReLU(),
        nn.Conv2d(first, second, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(second),
        nn.ReLU(),
        nn.Conv2d(second, third, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(third),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(third * PIXELS_LEFT, CLASSES),
    )


class FloatBlock(nn.Module):
    """A convolution with a shortcut around it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Add what the convolution says to `x`."""
        return self.relu(x + self.norm(self.conv(x)))


def float_residual(channels: int, blocks: int) -> nn.Sequential:
    """A stem that halves the map, `blocks` blocks, an average over the map, a fully connected layer."""
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        *(FloatBlock(channels) for _ in range(blocks)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(channels, CLASSES),
    )
