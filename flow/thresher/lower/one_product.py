"""What is known of sums of a single product, which float32 computes in one way only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thresher.ir.integer import Doubles, Ints


@dataclass(frozen=True, eq=False)
class OneProduct:
    """Sums of a single product: float32 rounds that in one way, so the model's value is known to the bit.

    The integers of channel c are `weights[c]` times integers of what the layer reads. Those mean `x_scale[c]`
    each, and the model's own weight is `real[c]`. Channels whose sums have other than one product have a
    weight of 0, and nothing is known of them here. `scale` and `zero` are those of the sums.
    """

    weights: Ints
    x_scale: Doubles
    real: npt.NDArray[np.float32]
    scale: Doubles
    zero: Ints

    def taking(self, channels: Ints) -> OneProduct:
        """What is known of `channels`, one after the other."""
        return OneProduct(
            self.weights[channels],
            self.x_scale[channels],
            self.real[channels],
            self.scale[channels],
            self.zero[channels],
        )

    def turned(self, signs: Ints) -> OneProduct:
        """What is known once the sums of each channel are multiplied by 1 or -1."""
        return OneProduct(
            self.weights * signs, self.x_scale, self.real, self.scale * signs, self.zero * signs
        )

    def means(self, scale: Doubles, zero: Ints) -> bool:
        """Whether integers of this scale and zero are still those sums."""
        return np.array_equal(self.scale, scale) and np.array_equal(self.zero, zero)

    def values(self, q: Ints, others: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """What the model has for the sums `q` `[..., channels]`: the input is rounded, then the product.

        It is what `others`, of the same shape, has where a channel's sums have other than one product, and
        for integers that the product cannot be.
        """
        x, rest = np.divmod(q - self.zero, np.where(self.weights, self.weights, 1))
        with np.errstate(over="ignore", invalid="ignore"):
            products = (x * self.x_scale).astype(np.float32) * self.real
        return np.where((self.weights != 0) & (rest == 0), products, others)
