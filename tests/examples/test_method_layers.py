"""The layers of the methods, against the arithmetic of their papers."""

from __future__ import annotations

from itertools import product

import numpy as np
import torch
from torch.nn import functional

from abc_net import ACTIVATION_BASES, WEIGHT_BASES, Bases, WeightBases
from bireal import ApproximateSign, MagnitudeConv2d, Quantise8
from bnn import BinaryConv2d, Sign
from dorefa import QuantisedActivation, quantise_weights
from keras_forms import SameConv2d
from reactnet import RPReLU, RSign
from training import load_split
from xnor_net import ScaledConv2d, XnorConv2d

torch.manual_seed(0)


def signs(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x >= 0, 1.0, -1.0)


def test_the_split_holds_out_a_quarter_of_each_class() -> None:
    split = load_split()

    assert (split.train_x.shape, split.test_x.shape) == ((1347, 1, 8, 8), (450, 1, 8, 8))
    assert np.abs(np.bincount(split.test_y) * 3 - np.bincount(split.train_y)).max() <= 2
    assert set(np.unique(split.test_x)) <= set(range(17))


def test_the_sign_of_zero_is_one_and_gradients_pass_within_one() -> None:
    x = torch.tensor([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0], requires_grad=True)

    y = Sign.apply(x)
    y.sum().backward()

    assert y.tolist() == [-1, -1, -1, 1, 1, 1, 1]
    assert x.grad.tolist() == [0, 1, 1, 1, 1, 1, 0]


def test_the_approximate_sign_has_the_gradient_of_its_polynomial() -> None:
    x = torch.tensor([-2.0, -0.5, 0.0, 0.25, 1.0], requires_grad=True)

    y = ApproximateSign.apply(x)
    y.sum().backward()

    assert y.tolist() == [-1, -1, 1, 1, 1]
    assert x.grad.tolist() == [0, 1, 2, 1.5, 0]


def test_a_binary_convolution_pads_with_zero_and_clips_its_real_weights() -> None:
    layer = BinaryConv2d(2, 3, 3, padding=1, bias=False)
    layer.weight.data *= 100
    x = signs(torch.randn(1, 2, 5, 5))
    expected = functional.conv2d(functional.pad(x, (1, 1, 1, 1)), signs(layer.weight))

    assert torch.equal(layer(x), expected)
    layer.clip_weights()
    assert layer.weight.abs().max() == 1


def test_a_filter_of_xnor_net_is_its_signs_times_its_mean_magnitude() -> None:
    layer = ScaledConv2d(2, 3, 3, padding=1, bias=False)
    x = torch.randn(1, 2, 4, 4)
    estimated = torch.stack([signs(kernel) * kernel.abs().sum() / 18 for kernel in layer.weight])

    assert torch.allclose(layer(x), functional.conv2d(x, estimated, padding=1), atol=1e-6)


def test_the_input_scale_of_xnor_net_is_the_mean_magnitude_of_each_window() -> None:
    plain, scaled = XnorConv2d(2, 3, False), XnorConv2d(2, 3, True)
    scaled.load_state_dict(plain.state_dict())
    x = torch.randn(1, 2, 4, 4)
    window = torch.ones(1, 2, 3, 3) / 18

    expected = plain(x) * functional.conv2d(x.abs(), window, padding=1)

    assert torch.allclose(scaled(x), expected, atol=1e-6)


def test_dorefa_net_gives_multiples_of_a_third() -> None:
    weights = quantise_weights(torch.randn(64, 9))
    activations = QuantisedActivation()(torch.linspace(-1, 2, 100))

    assert torch.equal(torch.unique(torch.round(weights * 3)), torch.tensor([-3.0, -1.0, 1.0, 3.0]))
    assert torch.allclose(weights * 3, torch.round(weights * 3), atol=1e-6)
    assert torch.equal(torch.unique(activations), torch.tensor([0, 1, 2, 3]) / 3)


def test_abc_net_sums_every_pair_of_bases() -> None:
    real = torch.nn.Conv2d(2, 3, 3, padding=1, bias=False)
    layer = Bases(WeightBases(real))
    x = torch.randn(1, 2, 5, 5)
    layer(x)  # fits the scales
    weight, alphas = real.weight.detach(), layer.layer.alphas.detach()
    bases = [signs(weight - weight.mean() - weight.std()), signs(weight - weight.mean() + weight.std())]

    layer.eval()
    expected = sum(
        float(alphas[m] * layer.betas[n].detach())
        * functional.conv2d(signs(x - layer.thresholds[n]), bases[m], padding=1)
        for m, n in product(range(WEIGHT_BASES), range(ACTIVATION_BASES))
    )

    assert torch.allclose(layer(x), expected, atol=1e-5)


def test_the_scales_of_abc_net_approximate_the_real_weights_best() -> None:
    real = torch.nn.Linear(20, 10, bias=False)
    layer = WeightBases(real)
    layer(torch.randn(1, 20))
    weight = real.weight.detach()
    bases = [signs(weight - weight.mean() - weight.std()), signs(weight - weight.mean() + weight.std())]

    # The residual of a least-squares fit is orthogonal to what it is made of.
    residual = weight - sum(float(a) * base for a, base in zip(layer.alphas, bases, strict=True))

    assert all(abs(float((residual * base).sum())) < 1e-4 for base in bases)


def test_the_filters_of_bireal_net_are_the_same_in_training_and_after() -> None:
    layer = MagnitudeConv2d(2, 3, 3, padding=1, bias=False)
    x = signs(torch.randn(1, 2, 5, 5))
    estimated = torch.stack([signs(kernel) * kernel.abs().mean() for kernel in layer.weight])
    expected = functional.conv2d(x, estimated, padding=1)

    assert torch.allclose(layer.train()(x), expected, atol=1e-5)
    assert torch.allclose(layer.eval()(x), expected, atol=1e-5)


def test_the_stem_gives_integers_of_eight_bits() -> None:
    integers = Quantise8()(torch.linspace(-9, 9, 1001)) * 32

    assert torch.equal(integers, integers.round())
    assert (integers.min(), integers.max()) == (-128, 127)


def test_the_activations_of_reactnet_are_moved_per_channel() -> None:
    sign, activation = RSign(2), RPReLU(2)
    sign.alpha.data[0, :, 0, 0] = torch.tensor([0.5, -0.5])
    activation.gamma.data[0, :, 0, 0] = torch.tensor([1.0, 0.0])
    activation.zeta.data[0, :, 0, 0] = torch.tensor([0.0, 3.0])
    x = torch.tensor([0.0, 0.0]).reshape(1, 2, 1, 1)

    assert sign(x).flatten().tolist() == [-1, 1]
    assert activation(x).flatten().tolist() == [-0.25, 3]


def test_padding_same_adds_at_the_right_and_at_the_bottom() -> None:
    layer = SameConv2d(1, 1, 3, bias=False)
    layer.weight.data.fill_(1)
    x = torch.arange(16.0).reshape(1, 1, 4, 4)

    assert layer(x).flatten().tolist() == [45, 39, 66, 50]
