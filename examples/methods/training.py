"""scikit-learn's digits, and the training that all methods and their float twins share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

SIDE = 8  # pixels
CLASSES = 10
BATCH = 64
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


def train(network: nn.Module, split: Split, epochs: int, learning_rate: float) -> nn.Module:
    """Train `network` in place, and return it in evaluation mode.

    Adam, a learning rate that falls as a cosine, cross-entropy. Layers with a method `clip_weights` have it
    called after every step.
    """
    images, labels = torch.from_numpy(split.train_x), torch.from_numpy(split.train_y)
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    network.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images[batch]), labels[batch]).backward()
            optimizer.step()
            for layer in network.modules():
                if hasattr(layer, "clip_weights"):
                    layer.clip_weights()
        schedule.step()
    return network.eval()


def torch_scores(network: nn.Module, images: Floats) -> Floats:
    """The scores `[N, 10]` of a network in evaluation mode, image by image as its ONNX model takes them."""
    with torch.no_grad():
        scores: Floats = torch.cat([network(image[None]) for image in torch.from_numpy(images)]).numpy()
    return scores


def accuracy(scores: Floats, labels: Labels) -> float:
    """The fraction of images whose highest score is their label's."""
    return float((scores.argmax(1) == labels).mean())
