"""Host driver: frames of integers to the beats of the accelerator's input, and its output back.

Nothing of a board is assumed: `Driver.send` gives the bytes that a DMA moves to `s_axis`, and
`Driver.receive` takes the bytes that it moved from `m_axis`. On PYNQ, for instance:

    driver = Driver()
    source = allocate(driver.send(frames).shape, "u1"); source[:] = driver.send(frames)
    target = allocate(driver.output_shape(len(frames)), "u1")
    dma.recvchannel.transfer(target); dma.sendchannel.transfer(source)
    dma.sendchannel.wait(); dma.recvchannel.wait()
    outputs = driver.receive(target)

Floats to integers and back, where the model needs that on the host, is `model/prologue.onnx` and
`model/epilogue.onnx` under onnxruntime.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "sim"))

from thresher_sim.project import load_project  # noqa: E402


class Driver:
    """Packs and unpacks frames for the accelerator of the project that this file lies in."""

    def __init__(self) -> None:
        project = load_project(PROJECT)
        self.input = project.input.layout
        self.output = project.output.layout

    def send(self, frames: npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
        """Pack integers `[N, vectors, channels]` to `[N, beats, bytes]`, in the order of the DMA."""
        return self.input.pack(frames)

    def output_shape(self, frames: int) -> tuple[int, int, int]:
        """The shape `[N, beats, bytes]` of what the accelerator sends for `frames` frames."""
        return frames, self.output.beats_per_frame, self.output.bytes_per_beat

    def receive(self, beats: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        """Unpack `[N, beats, bytes]` to integers `[N, vectors, channels]`."""
        return self.output.unpack(beats)
