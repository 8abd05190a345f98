"""A Brevitas network of binary layers between float ones, trained on scikit-learn's digits in seconds."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

_EPOCHS = 12
_BATCH = 64


@dataclass(frozen=True, eq=False)
class Trained:
    """The exported network, that of a float twin, and digits `[N, 1, 8, 8]` from 0 to 1."""

    model: Path
    twin: Path
    train_x: Floats
    test_x: Floats
    test_y: Labels


def make_network() -> Any:
    """A float convolution with BatchNorm, ReLU and MaxPool; two binary layers; a float matrix with a bias."""
    from brevitas.nn import QuantConv2d, QuantIdentity, QuantLinear
    from brevitas.quant import SignedBinaryActPerTensorConst, SignedBinaryWeightPerTensorConst
    from torch import nn

    def sign() -> Any:
        return QuantIdentity(act_quant=SignedBinaryActPerTensorConst)

    binary = {"bias": False, "weight_quant": SignedBinaryWeightPerTensorConst}
    first = [
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(16),
    ]
    middle = [sign(), QuantConv2d(16, 16, 3, padding=1, **binary), nn.BatchNorm2d(16), sign(), nn.Flatten()]
    last = [QuantLinear(256, 32, **binary), nn.BatchNorm1d(32), nn.Hardtanh(), nn.Linear(32, 10)]
    return nn.Sequential(*first, *middle, *last)


def make_twin() -> Any:
    """A plain network for the same digits."""
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))


def train(network: Any, images: Floats, labels: Labels) -> Any:
    """Train in place, the same each time on one machine."""
    import torch
    from torch import nn

    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _EPOCHS)
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    for _ in range(_EPOCHS):
        for batch in torch.randperm(len(x)).split(_BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x[batch]), y[batch]).backward()
            optimizer.step()
        schedule.step()
    return network.eval()


def train_digits(folder: Path) -> Trained:
    """Train both networks, and write them to `folder`."""
    import torch
    from brevitas.export import export_qonnx
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = digits.images.astype(np.float32)[:, None] / 16
    labels = digits.target.astype(np.int64)
    split = 1347
    torch.manual_seed(0)
    torch.set_num_threads(1)
    networks = {"ends": make_network(), "twin": make_twin()}
    example = torch.from_numpy(images[:1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for network in networks.values():
            train(network, images[:split], labels[:split])
        export_qonnx(networks["ends"], example, str(folder / "ends.onnx"), dynamo=False)
        torch.onnx.export(networks["twin"], (example,), str(folder / "twin.onnx"), dynamo=False)
    return Trained(
        model=folder / "ends.onnx",
        twin=folder / "twin.onnx",
        train_x=images[:split],
        test_x=images[split:],
        test_y=labels[split:],
    )
