"""Train the 1-bit networks on scikit-learn's digits with Brevitas, and export them as QONNX.

Quantisation-aware and seeded; some seconds each on two CPU cores. Writes `digits.onnx` or
`digits_conv.onnx`, `test_x.npy` and `test_y.npy`.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from brevitas.export import export_qonnx
from brevitas.nn import QuantConv2d, QuantLinear
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from networks import make_conv, make_dense

BATCH = 64
Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Recipe:
    """A network, the name of its file, what it is, and how it is trained."""

    name: str
    title: str
    make: Callable[[], nn.Sequential]
    epochs: int
    learning_rate: float


RECIPES = {
    "dense": Recipe("digits", "fully connected", make_dense, epochs=60, learning_rate=0.005),
    "conv": Recipe("digits_conv", "convolutional", make_conv, epochs=30, learning_rate=0.01),
}


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


def train(split: Split, recipe: Recipe, seed: int = 0) -> nn.Sequential:
    """Train a network, and return it in evaluation mode. Deterministic on one machine."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # the matrices are too small to share, and the sums keep one order
    network = recipe.make()
    images, labels = torch.from_numpy(split.train_x), torch.from_numpy(split.train_y)
    optimizer = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs)
    for _ in range(recipe.epochs):
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
            if isinstance(layer, QuantConv2d | QuantLinear):
                layer.weight.clamp_(-1, 1)


def accuracy(network: nn.Module, images: Floats, labels: Labels) -> float:
    """The fraction of images whose highest score is their label's."""
    with torch.no_grad():
        classes = network(torch.from_numpy(images)).argmax(1).numpy()
    return float((classes == labels).mean())


def save(network: nn.Module, split: Split, folder: Path, name: str) -> Path:
    """Export `network` as QONNX beside the test split, and return the model's path."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "test_x.npy", split.test_x)
    np.save(folder / "test_y.npy", split.test_y)
    model = folder / f"{name}.onnx"
    # torch's exporter reports every operator of torchvision that it cannot find.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    example = torch.from_numpy(split.test_x[:1])
    export_qonnx(network, args=example, export_path=str(model), external_data=False, verbose=False)
    return model


def main() -> None:
    """Train, export, and print the accuracy on the held-out digits."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=Path, default=Path("build/digits"), help="folder to write to")
    parser.add_argument("--network", choices=RECIPES, default="dense", help="which to train")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    split, recipe = load_split(), RECIPES[arguments.network]
    network = train(split, recipe, arguments.seed)
    model = save(network, split, arguments.output, recipe.name)
    correct = accuracy(network, split.test_x, split.test_y)
    print(f"{model}: {correct:.2%} of {len(split.test_y)} held-out digits")


if __name__ == "__main__":
    main()
