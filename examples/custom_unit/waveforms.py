"""Train a 1-bit network on noisy waveforms, behind a median filter that takes the noise out.

A signal is 64 samples of 8 bits: a square wave, a triangle, or a sawtooth that rises or falls, of random
pitch, phase and height. Impulses hit a fifth of its samples. The filter is a node of a custom ONNX domain.
"""

from __future__ import annotations

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
from torch import nn

SAMPLES = 64
SIZE = 5
NOISE = 0.2
CLASSES = 4
HIDDEN = (64, 32)
TRAIN, TEST = 4000, 400
EPOCHS = 20
BATCH = 100
LEARNING_RATE = 0.01
Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Signals `[N, 64]` of whole numbers 0 to 255, and labels 0 to 3, to train on and to test with."""

    train_x: Floats
    train_y: Labels
    test_x: Floats
    test_y: Labels


def make_split(seed: int = 0) -> Split:
    """Signals to train on, and others to test with."""
    random = np.random.default_rng(seed)
    return Split(*make_signals(random, TRAIN), *make_signals(random, TEST))


def make_signals(random: np.random.Generator, count: int) -> tuple[Floats, Labels]:
    """`count` signals with impulses in them, and which of the four waveforms each is."""
    labels = random.integers(0, CLASSES, count)
    periods, phase = random.uniform(1, 3, (count, 1)), random.uniform(0, 0.25, (count, 1))
    turn = (np.arange(SAMPLES) / SAMPLES * periods + phase) % 1
    waves = np.stack(
        [
            np.where(turn < 0.5, 1.0, -1.0),
            4 * np.abs(turn - 0.5) - 1,
            2 * turn - 1,
            1 - 2 * turn,
        ]
    )
    clean = waves[labels, np.arange(count)] * random.uniform(60, 120, (count, 1)) + 128
    hit = random.random((count, SAMPLES)) < NOISE
    noisy = np.where(hit, random.choice([0.0, 255.0], (count, SAMPLES)), clean)
    return np.rint(noisy).astype(np.float32), labels


class MedianFilter(nn.Module):  # type: ignore[misc]  # torch is not followed
    """The median of the `size` samples around each; the node `example.filters.MedianFilter` in ONNX."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, signals: torch.Tensor) -> torch.Tensor:
        """Filter signals `[N, samples]`, with zeros beyond their ends."""
        if torch.onnx.is_in_onnx_export():
            exported: torch.Tensor = torch.onnx.ops.symbolic(
                "example.filters::MedianFilter",
                (signals,),
                {"size": self.size},
                dtype=signals.dtype,
                shape=signals.shape,
                version=1,
            )
            return exported
        padded = nn.functional.pad(signals, (self.size // 2, self.size // 2))
        return padded.unfold(-1, self.size, 1).median(-1).values


class SampleQuant(Uint8ActPerTensorFloat):  # type: ignore[misc]  # Brevitas is untyped
    """Samples as unsigned integers of 8 bits, at scale 1."""

    bit_width = 8
    scaling_impl_type = ScalingImplType.CONST
    restrict_scaling_type = RestrictValueType.FP
    scaling_init = 255.0  # the real value of the largest integer, so that the scale is 1


def make_network(hidden: tuple[int, ...]) -> nn.Sequential:
    """Quantised samples, the filter, hidden layers of binary neurons, and one score per waveform."""
    layers: list[nn.Module] = [QuantIdentity(act_quant=SampleQuant), MedianFilter(SIZE)]
    width = SAMPLES
    for neurons in hidden:
        layers += [binary_linear(width, neurons), nn.BatchNorm1d(neurons)]
        layers += [QuantIdentity(act_quant=SignedBinaryActPerTensorConst)]
        width = neurons
    layers += [binary_linear(width, CLASSES), nn.BatchNorm1d(CLASSES)]
    return nn.Sequential(*layers)


def binary_linear(inputs: int, outputs: int) -> nn.Module:
    """A fully connected layer with weights -1 and +1, and no bias."""
    return QuantLinear(inputs, outputs, bias=False, weight_quant=SignedBinaryWeightPerTensorConst)


def train(split: Split, hidden: tuple[int, ...] = HIDDEN, epochs: int = EPOCHS, seed: int = 0) -> nn.Module:
    """Train a network, and return it in evaluation mode. Deterministic on one machine."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # the matrices are too small to share, and the sums keep one order
    network = make_network(hidden)
    signals, labels = torch.from_numpy(split.train_x), torch.from_numpy(split.train_y)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        for batch in torch.randperm(len(signals)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(signals[batch]), labels[batch]).backward()
            optimizer.step()
            with torch.no_grad():
                for layer in network.modules():
                    if isinstance(layer, QuantLinear):
                        layer.weight.clamp_(-1, 1)  # so that each can still change its sign
        schedule.step()
    return network.eval()


def save(network: nn.Module, folder: Path) -> Path:
    """Export `network` as QONNX with the custom node in it, and return the model's path."""
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / "waveforms.onnx"
    # torch's exporter reports every operator of torchvision that it cannot find.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    example = torch.zeros(1, SAMPLES)
    export_qonnx(network, args=example, export_path=str(model), external_data=False, verbose=False)
    return model
