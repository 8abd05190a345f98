"""XNOR-Net: signs with a scale per filter, and a scale K per pixel that follows the input.

M. Rastegari, V. Ordonez, J. Redmon, A. Farhadi: "XNOR-Net: ImageNet Classification Using Binary
Convolutional Neural Networks", 2016, arXiv:1603.05279.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from bnn import BinaryActivation, Sign
from method import Method, Variant
from training import CLASSES
from twins import CHANNELS, PIXELS_LEFT, float_chain


class ScaledConv2d(nn.Conv2d):
    """A convolution with weights alpha * sign(W), where alpha is the mean of |W| over a filter."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x` with the estimated filters (section 3.1 of the paper)."""
        alpha = self.weight.abs().mean(dim=(1, 2, 3), keepdim=True)
        return functional.conv2d(x, alpha * Sign.apply(self.weight), None, self.stride, self.padding)


class ScaledLinear(nn.Linear):
    """A fully connected layer with weights alpha * sign(W), alpha per output."""

    def forward(self, x: Tensor) -> Tensor:
        """Multiply `x` with the estimated weights."""
        alpha = self.weight.abs().mean(dim=1, keepdim=True)
        return functional.linear(x, alpha * Sign.apply(self.weight))


class XnorConv2d(ScaledConv2d):
    """The binary convolution of section 3.2: sign(X) * sign(W), times alpha, and times K if asked for."""

    def __init__(self, inputs: int, outputs: int, input_scale: bool) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=False)
        self.input_scale = input_scale

    def forward(self, x: Tensor) -> Tensor:
        """Convolve the signs of `x`; K is the mean of |x| over the channels, averaged over each window."""
        y = super().forward(Sign.apply(x))
        if not self.input_scale:
            return y
        scale = functional.avg_pool2d(x.abs().mean(dim=1, keepdim=True), 3, stride=1, padding=1)
        return y * scale


def make_network(input_scale: bool) -> nn.Sequential:
    """The paper's order of layers: batch norm, sign, convolution, pool. The first layer takes pixels."""
    first, second, third = CHANNELS
    return nn.Sequential(
        ScaledConv2d(1, first, 3, padding=1, bias=False),
        nn.BatchNorm2d(first),
        XnorConv2d(first, second, input_scale),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(second),
        XnorConv2d(second, third, input_scale),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(third),
        BinaryActivation(),
        nn.Flatten(),
        ScaledLinear(third * PIXELS_LEFT, CLASSES, bias=False),
        nn.BatchNorm1d(CLASSES),
    )


def make_without_scale() -> nn.Sequential:
    """With alpha only."""
    return make_network(input_scale=False)


def make_with_scale() -> nn.Sequential:
    """With alpha and K."""
    return make_network(input_scale=True)


METHOD = Method(
    name="xnor_net",
    paper="Rastegari et al.: XNOR-Net, 2016, arXiv:1603.05279",
    twin=float_chain,
    variants=(
        Variant("alpha", make_without_scale, {"input_type": "uint5"}),
        Variant(
            "K dropped",
            make_with_scale,
            {"input_type": "uint5", "drop_input_scale": True},
            exact=False,
        ),
    ),
)
