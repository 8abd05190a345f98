"""Train a 1-bit network on scikit-learn's digits with Brevitas, and export it as QONNX.

Quantisation-aware and seeded; some seconds on two CPU cores. Weights and activations are -1 and +1,
fed by pixels of 4 bits. Writes `digits.onnx`, `test_x.npy` and `test_y.npy`.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from brevitas.export import export_qonnx
from brevitas.inject.enum import RestrictValueType, ScalingImplType
from brevitas.nn import QuantIdentity, QuantLinear
from brevitas.quant import (
    SignedBinaryActPerTensorConst,
    SignedBinaryWeightPerTensorConst,
    Uint8ActPerTensorFloat,
)
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

PIXELS = 64
CLASSES = 10
HIDDEN = (256, 128)
EPOCHS = 60
BATCH = 64
LEARNING_RATE = 0.005
Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Images `[N, 1, 8, 8]` of pixels 0 to 16, and labels 0 to 9, to train on and to test with."""

    train_x: Floats
    train_y: Labels
    test_x: Floats
    test_y: Labels


def load_split(seed: int = 0) -> Split:
    """The 1,797 digits of scikit-learn, a quarter of them held out, each class in proportion."""
    digits = load_digits()
    images = digits.images.astype(np.float32)[:, None]
    train_x, test_x, train_y, test_y = train_test_split(
        images, digits.target.astype(np.int64), test_size=0.25, stratify=digits.target, random_state=seed
    )
    return Split(train_x, train_y, test_x, test_y)


class PixelQuant(Uint8ActPerTensorFloat):  # type: ignore[misc]  # Brevitas is untyped
    """Pixels as unsigned integers of 4 bits, at scale 1: 0 to 15, where 16 saturates."""

    bit_width = 4
    scaling_impl_type = ScalingImplType.CONST
    restrict_scaling_type = RestrictValueType.FP
    scaling_init = 15.0  # the real value of the largest integer, so that the scale is 1


def sign() -> nn.Module:
    """A quantiser to -1 and +1."""
    return QuantIdentity(act_quant=SignedBinaryActPerTensorConst)


def binary_linear(inputs: int, outputs: int) -> nn.Module:
    """A fully connected layer with weights -1 and +1, and no bias."""
    return QuantLinear(inputs, outputs, bias=False, weight_quant=SignedBinaryWeightPerTensorConst)


def make_network(hidden: tuple[int, ...]) -> nn.Sequential:
    """Quantised pixels, hidden layers of `hidden` binary neurons, and one score per class."""
    layers: list[nn.Module] = [nn.Flatten(), QuantIdentity(act_quant=PixelQuant)]
    width = PIXELS
    for neurons in hidden:
        layers += [binary_linear(width, neurons), nn.BatchNorm1d(neurons), sign()]
        width = neurons
    layers += [binary_linear(width, CLASSES), nn.BatchNorm1d(CLASSES)]
    return nn.Sequential(*layers)


def train(split: Split, hidden: tuple[int, ...] = HIDDEN, epochs: int = EPOCHS, seed: int = 0) -> nn.Module:
    """Train a network, and return it in evaluation mode. Deterministic on one machine."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # the matrices are too small to share, and the sums keep one order
    network = make_network(hidden)
    images, labels = torch.from_numpy(split.train_x), torch.from_numpy(split.train_y)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images[batch]), labels[batch]).backward()
            optimizer.step()
            clip_weights(network)
        schedule.step()
    return network.eval()


def clip_weights(network: nn.Module) -> None:
    """Keep the real weights behind the signs within -1 and +1, so that each can still flip."""
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, QuantLinear):
                layer.weight.clamp_(-1, 1)


def accuracy(network: nn.Module, images: Floats, labels: Labels) -> float:
    """The fraction of images whose highest score is their label's."""
    with torch.no_grad():
        classes = network(torch.from_numpy(images)).argmax(1).numpy()
    return float((classes == labels).mean())


def save(network: nn.Module, split: Split, folder: Path) -> Path:
    """Export `network` as QONNX beside the test split, and return the model's path."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "test_x.npy", split.test_x)
    np.save(folder / "test_y.npy", split.test_y)
    model = folder / "digits.onnx"
    # torch's exporter reports every operator of torchvision that it cannot find.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    example = torch.from_numpy(split.test_x[:1])
    export_qonnx(network, args=example, export_path=str(model), external_data=False, verbose=False)
    return model


def main() -> None:
    """Train, export, and print the accuracy on the held-out digits."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=Path, default=Path("build/digits"), help="folder to write to")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    split = load_split()
    network = train(split, seed=arguments.seed)
    model = save(network, split, arguments.output)
    correct = accuracy(network, split.test_x, split.test_y)
    print(f"{model}: {correct:.2%} of {len(split.test_y)} held-out digits")


if __name__ == "__main__":
    main()
