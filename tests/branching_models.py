"""Brevitas networks that are no chains, to be exported with random statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SMALL = ((6, 6, 1), (6, 8, 2), (8, 8, 1))
"""Input and output channels, and stride, of each residual block: for maps of 8 x 8."""
RESNET20 = (
    *((16, 16, 1),) * 3,
    *((16, 32, 2), (32, 32, 1), (32, 32, 1)),
    *((32, 64, 2), (64, 64, 1), (64, 64, 1)),
)
"""As ResNet-20 for maps of 32 x 32 (K. He et al., Deep Residual Learning, arXiv:1512.03385, section 4.2)."""


def residual_network(
    shared: bool, blocks: Sequence[tuple[int, int, int]] = SMALL, inputs: int = 2, pixels: int = 16
) -> Any:
    """A stem, blocks of two convolutions, and a linear layer on the `pixels` that are left of the map.

    With `shared` both operands of an addition come from one quantiser; otherwise what is added has the scales
    that it has, and the last sum leaves the hardware.
    """
    from brevitas.nn import QuantConv2d, QuantIdentity, QuantLinear, QuantReLU
    from torch import nn

    def conv(columns: int, rows: int, kernel: int, stride: int) -> Any:
        padding = kernel // 2
        made = QuantConv2d(columns, rows, kernel, stride, padding, bias=False, weight_bit_width=4)
        return nn.Sequential(made, nn.BatchNorm2d(rows))

    class Block(nn.Module):  # type: ignore[misc]
        def __init__(self, columns: int, rows: int, stride: int) -> None:
            super().__init__()
            self.entry = nn.Identity() if shared else QuantReLU(bit_width=4)
            self.first, self.relu = conv(columns, rows, 3, stride), QuantReLU(bit_width=4)
            self.second = conv(rows, rows, 3, 1)
            self.short = conv(columns, rows, 1, stride) if stride > 1 else nn.Identity()
            self.common = QuantIdentity(bit_width=5) if shared else nn.Identity()
            self.last = QuantReLU(bit_width=4) if shared else nn.PReLU(rows)

        def forward(self, x: Any) -> Any:
            around = self.short(self.entry(x) if isinstance(self.short, nn.Sequential) else x)
            through = self.second(self.relu(self.first(self.entry(x))))
            return self.last(self.common(through) + self.common(around))

    class Network(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.input = QuantIdentity(bit_width=8)
            self.stem, self.relu = conv(inputs, blocks[0][0], 3, 1), QuantReLU(bit_width=4)
            self.blocks = nn.Sequential(*(Block(*block) for block in blocks))
            self.flatten = nn.Flatten()
            features = blocks[-1][1] * pixels
            self.linear = QuantLinear(features, 10, True, weight_bit_width=4) if shared else nn.Identity()

        def forward(self, x: Any) -> Any:
            x = self.blocks(self.relu(self.stem(self.input(x))))
            return self.linear(self.flatten(x))

    return Network()


def u_shaped_network() -> Any:
    """Down, up again by repeating pixels, and what was there before beside it."""
    import torch
    from brevitas.nn import QuantConv2d, QuantIdentity, QuantReLU
    from torch import nn

    def conv(columns: int, rows: int) -> Any:
        made = QuantConv2d(columns, rows, 3, padding=1, bias=False, weight_bit_width=3)
        return nn.Sequential(made, nn.BatchNorm2d(rows), QuantReLU(bit_width=3))

    class Network(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.input = QuantIdentity(bit_width=8)
            self.top, self.middle, self.bottom = conv(1, 4), conv(4, 6), conv(6, 8)
            self.up, self.last = conv(14, 4), conv(8, 4)
            self.pool, self.larger = nn.MaxPool2d(2), nn.Upsample(scale_factor=2, mode="nearest")
            self.beside = nn.ModuleList([QuantIdentity(bit_width=4, signed=False) for _ in range(2)])
            self.head = QuantConv2d(4, 2, 1, bias=True, weight_bit_width=4)

        def forward(self, x: Any) -> Any:
            top = self.top(self.input(x))
            middle = self.middle(self.pool(top))
            bottom = self.bottom(self.pool(middle))
            up = self.up(self.beside[0](torch.cat([middle, self.larger(bottom)], 1)))
            last = self.last(self.beside[1](torch.cat([top, self.larger(up)], 1)))
            return self.head(last)

    return Network()


def separable_network() -> Any:
    """Depthwise and pointwise convolutions of 4 bits, the average of the map, and a linear layer."""
    from brevitas.nn import QuantConv2d, QuantIdentity, QuantLinear, QuantReLU
    from torch import nn

    def conv(columns: int, rows: int, kernel: int, stride: int = 1, groups: int = 1) -> list[Any]:
        made = QuantConv2d(
            columns, rows, kernel, stride, kernel // 2, groups=groups, bias=False, weight_bit_width=4
        )
        return [made, nn.BatchNorm2d(rows), QuantReLU(bit_width=4)]

    layers = [QuantIdentity(bit_width=8), *conv(3, 8, 3, stride=2)]
    for columns, rows, stride in ((8, 12, 1), (12, 16, 2), (16, 16, 1)):
        layers += [*conv(columns, columns, 3, stride, groups=columns), *conv(columns, rows, 1)]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), QuantIdentity(bit_width=6)]
    return nn.Sequential(*layers, QuantLinear(16, 10, bias=True, weight_bit_width=4))
