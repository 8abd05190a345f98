"""Run the accelerator on a Zynq board with PYNQ: frames in, the model's outputs out.

    python driver.py --bitfile accelerator.bit --inputs x.npy --outputs y.npy --benchmark

It needs numpy and pynq; Python 3.8 will do. onnxruntime is needed where the model has a part that stays on
the host, and `--raw` leaves out what comes behind the accelerator. Beside it, or where a project has them,
this finds project.json and the host's prologue.onnx and epilogue.onnx; `make deploy` in the project puts all
that a board needs into build/deploy. From Python:

    from driver import Accelerator

    with Accelerator("accelerator.bit") as accelerator:
        y = accelerator.predict(x)
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from network import DriverError, Network

# The length register of the block design's DMA has 26 bits.
MOST_BYTES = (1 << 26) - 1
# Frames that are sent at once: enough to hide what Python takes for a transfer, in some megabytes.
BATCH = 1024
MOST_BUFFER = 1 << 23
# Sizes of batches that --benchmark times, as far as the DMA moves so many frames.
BENCHMARKED = (1, 10, 100, 1000)


class Accelerator:
    """The accelerator on the board: loads the bitfile, and moves frames through its DMA."""

    def __init__(
        self, bitfile: str = "accelerator.bit", folder: Path | None = None, batch: int = BATCH
    ) -> None:
        try:
            import pynq
        except ImportError:
            raise DriverError(
                "driver: pynq is not installed; run this on a board with a PYNQ image"
            ) from None
        if batch < 1:
            raise DriverError(f"driver: batches of {batch} frames cannot be; give 1 or more")
        self.network = Network(folder)
        frame = max(self.network.input.bytes_per_frame, self.network.output.bytes_per_frame)
        if frame > MOST_BYTES:
            raise DriverError(f"driver: a frame has {frame} bytes, and the DMA moves {MOST_BYTES}")
        self.batch = min(batch, max(1, MOST_BUFFER // frame))
        self.most_frames = MOST_BYTES // frame
        self._allocate = pynq.allocate
        self._dma = pynq.Overlay(str(bitfile)).axi_dma
        self._buffers: dict[int, tuple[Any, Any]] = {}

    def __enter__(self) -> Accelerator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the buffers back."""
        for pair in self._buffers.values():
            for buffer in pair:
                buffer.freebuffer()
        self._buffers = {}

    def predict(self, frames: np.ndarray, raw: bool = False) -> np.ndarray:
        """The model's outputs for frames `[N, ...]`, shaped as its input; `raw` as for `Network.decode`."""
        return self.network.decode(self.run(self.network.encode(np.asarray(frames))), raw)

    def run(self, data: np.ndarray) -> np.ndarray:
        """Send packed frames `[N, bytes]`, batch by batch; return what comes back, `[N, bytes]`."""
        results = [self._run(data[first : first + self.batch]) for first in range(0, len(data), self.batch)]
        return np.concatenate(results)

    def benchmark(self, data: np.ndarray, batches: Sequence[int], repeats: int = 5) -> list[dict[str, float]]:
        """Time transfers alone, for each size of batch; `data` are packed frames, repeated as needed.

        Each result has `batch`, `frames_per_second` of the fastest of `repeats`, and the megabytes (10^6) a
        second that go in and come out.
        """
        results = []
        for batch in batches:
            if not 1 <= batch <= self.most_frames:
                raise DriverError(
                    f"driver: the DMA moves 1 to {self.most_frames} frames at once, not {batch}"
                )
            source, target = self._pair(batch)
            source[:] = np.resize(data, (batch, data.shape[1])).reshape(-1)
            rate = batch / min(self._transfer(source, target) for _ in range(repeats))
            results.append(
                {
                    "batch": batch,
                    "frames_per_second": rate,
                    "megabytes_in": rate * self.network.input.bytes_per_frame / 1e6,
                    "megabytes_out": rate * self.network.output.bytes_per_frame / 1e6,
                }
            )
        return results

    def _run(self, data: np.ndarray) -> np.ndarray:
        source, target = self._pair(len(data))
        source[:] = data.reshape(-1)
        self._transfer(source, target)
        return np.array(target).reshape(len(data), -1)

    def _pair(self, frames: int) -> tuple[Any, Any]:
        """Buffers of so many frames, which the DMA fills or empties as a whole."""
        if frames not in self._buffers:
            # The full batch's pair stays; of others one is enough.
            for other in [size for size in self._buffers if size != self.batch]:
                for buffer in self._buffers.pop(other):
                    buffer.freebuffer()
            sizes = self.network.input.bytes_per_frame, self.network.output.bytes_per_frame
            source, target = (self._allocate(shape=(frames * size,), dtype=np.uint8) for size in sizes)
            self._buffers[frames] = source, target
        return self._buffers[frames]

    def _transfer(self, source: Any, target: Any) -> float:
        """Send one buffer and fill the other; the seconds that it took."""
        started = time.perf_counter()
        # Where to put results is known before the first can come.
        self._dma.recvchannel.transfer(target)
        self._dma.sendchannel.transfer(source)
        self._dma.sendchannel.wait()
        self._dma.recvchannel.wait()
        return time.perf_counter() - started


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit code, 2 where the request is wrong."""
    options = _parser().parse_args(arguments)
    try:
        with Accelerator(options.bitfile, batch=options.batch) as accelerator:
            return _run(accelerator, options)
    except DriverError as error:
        print(error, file=sys.stderr)
        return 2


def _run(accelerator: Accelerator, options: argparse.Namespace) -> int:
    network = accelerator.network
    packed = None
    if options.inputs:
        frames = _load(options.inputs)
        started = time.perf_counter()
        packed = network.encode(frames)
        outputs = network.decode(accelerator.run(packed), options.raw)
        rate = len(frames) / (time.perf_counter() - started)
        print(f"{len(frames)} frames, {rate:,.0f} frames/s with packing and the host's part")
        if options.outputs:
            np.save(options.outputs, outputs)
    if options.benchmark:
        if packed is None:
            # What the bits say does not change the time that they take.
            bits = np.random.RandomState(0).bytes(network.input.bytes_per_frame)
            packed = np.frombuffer(bits, np.uint8)[None]
        batches = options.batches or [size for size in BENCHMARKED if size <= accelerator.most_frames]
        for line in accelerator.benchmark(packed, batches):
            print(
                f"batch {line['batch']:>7,}: {line['frames_per_second']:>12,.0f} frames/s, "
                f"{line['megabytes_in']:>8,.1f} MB/s in, {line['megabytes_out']:>8,.1f} MB/s out"
            )
    if not options.inputs and not options.benchmark:
        raise DriverError("driver: there is nothing to do; give --inputs or --benchmark")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Run frames through the accelerator on this board.")
    parser.add_argument("--bitfile", default="accelerator.bit", help="its .hwh lies beside it (%(default)s)")
    parser.add_argument("--inputs", metavar="X.npy", help="frames [N, ...] shaped as the model's input")
    parser.add_argument("--outputs", metavar="Y.npy", help="write the model's outputs")
    parser.add_argument("--raw", action="store_true", help="the accelerator's integers, no host epilogue")
    parser.add_argument("--batch", type=int, default=BATCH, metavar="N", help="frames sent at once")
    parser.add_argument("--benchmark", action="store_true", help="time transfers of several sizes")
    parser.add_argument(
        "--batches",
        type=_sizes,
        metavar="N,N",
        help="sizes for --benchmark (1,10,100,1000)",
    )
    return parser


def _sizes(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def _load(name: str) -> np.ndarray:
    try:
        frames = np.load(name, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DriverError(f"driver: '{name}' cannot be read ({error}); give a .npy file") from None
    if not isinstance(frames, np.ndarray):
        raise DriverError(f"driver: '{name}' holds several arrays; give a .npy file with one")
    return frames


if __name__ == "__main__":
    sys.exit(main())
