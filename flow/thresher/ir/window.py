"""Where the windows of a convolution or a pooling lie on a feature map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thresher.ir.graph import Array

Pair = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """Windows over maps of `height` x `width` pixels; every pair is (vertical, horizontal).

    A map of one dimension is one row. Window (oy, ox) has its tap (ky, kx) at pixel
    `(oy * stride[0] - before[0] + ky * dilation[0], ox * stride[1] - before[1] + kx * dilation[1])`; taps
    outside of the map are padding. There are `output` windows, in row-major order, and so are the taps
    of each.
    """

    height: int
    width: int
    kernel: Pair
    stride: Pair
    dilation: Pair
    before: Pair
    output: Pair

    @property
    def pixels(self) -> int:
        """Pixels of the map."""
        return self.height * self.width

    @property
    def count(self) -> int:
        """Windows on the map."""
        return self.output[0] * self.output[1]

    @property
    def taps(self) -> int:
        """Taps of a window."""
        return self.kernel[0] * self.kernel[1]

    @property
    def span(self) -> Pair:
        """Rows and columns from the first to the last tap, both counted."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))  # type: ignore[return-value]

    @property
    def after(self) -> Pair:
        """Rows and columns of padding that the last windows need behind the map; 0 where there are none."""
        size, span = (self.height, self.width), self.span
        last = [(self.output[i] - 1) * self.stride[i] - self.before[i] + span[i] - size[i] for i in (0, 1)]
        return max(0, last[0]), max(0, last[1])

    @property
    def padded(self) -> bool:
        """Whether any tap of any window is padding."""
        return any(self.before) or any(self.after)

    @property
    def trivial(self) -> bool:
        """Whether every window is the one pixel at its place."""
        return self.kernel == (1, 1) and self.stride == (1, 1) and not self.padded

    def inside(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Whether tap row ky of window row oy is on the map, `[oy, ky]`, and the same for columns."""
        return self._inside(0, self.height), self._inside(1, self.width)

    def _inside(self, axis: int, size: int) -> npt.NDArray[np.bool_]:
        starts = np.arange(self.output[axis]) * self.stride[axis] - self.before[axis]
        places = starts[:, None] + np.arange(self.kernel[axis]) * self.dilation[axis]
        inside: npt.NDArray[np.bool_] = (places >= 0) & (places < size)
        return inside

    def gather(self, maps: Array, padding: Array | float) -> Array:
        """The windows of `maps` `[N, height, width, C]`: `[N, *output, *kernel, C]`, as a copy.

        `padding` is what taps outside of the map hold: one value, or one for each channel.
        """
        frames, channels = maps.shape[0], maps.shape[3]
        above, left = self.before
        below, right = self.after
        shape = (frames, above + self.height + below, left + self.width + right, channels)
        padded = np.empty(shape, maps.dtype)
        if self.padded:
            padded[:] = np.asarray(padding).astype(maps.dtype)
        padded[:, above : above + self.height, left : left + self.width] = maps
        result = np.empty((frames, *self.output, *self.kernel, channels), maps.dtype)
        (rows, columns), (down, across) = self.output, self.stride
        for ky, kx in np.ndindex(self.kernel):
            top, first = ky * self.dilation[0], kx * self.dilation[1]
            result[:, :, :, ky, kx] = padded[
                :,
                top : top + (rows - 1) * down + 1 : down,
                first : first + (columns - 1) * across + 1 : across,
            ]
        return result
