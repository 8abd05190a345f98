"""What the model takes and gives, as frames and as bytes; nothing here needs a board."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from packing import Layout

HERE = Path(__file__).resolve().parent
# Frames of one call of a host model that takes several.
HOST_CHUNK = 256
# How far from a whole step of the input's scale a value may lie: float32 has 24 bits.
GRID_TOLERANCE = 1e-3


class DriverError(Exception):
    """What is wrong with the request, and what to do."""


class HostModel:
    """A part of the model that stays on the host, under onnxruntime."""

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise DriverError(
                f"driver: '{path}' needs onnxruntime, which is not installed; install it, or build with an "
                "input type and --argmax, which leave nothing to the host"
            ) from None
        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        entry = self._session.get_inputs()[0]
        self._name = entry.name
        # A prologue has a second output, for checks of inputs.
        self._output = self._session.get_outputs()[0].name
        self._dtype = np.int32 if entry.type == "tensor(int32)" else np.float32
        self._chunk = HOST_CHUNK if isinstance(entry.shape[0], str) else 1
        self.shape = tuple(entry.shape[1:])

    def run(self, frames: np.ndarray) -> np.ndarray:
        """Compute frames `[N, ...]`."""
        typed = frames.astype(self._dtype)
        results = []
        for first in range(0, len(typed), self._chunk):
            feeds = {self._name: typed[first : first + self._chunk]}
            result = self._session.run([self._output], feeds)[0]
            results.append(result if result.ndim else result[None])
        return np.concatenate(results)


class Network:
    """The model's frames, and the bytes that the DMA moves for them.

    `folder` holds project.json, and the host's models or a folder `model` with them.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or _find_project()
        data = json.loads((folder / "project.json").read_text(encoding="utf-8"))
        self.input, self.output = Layout(data["streams"][0]), Layout(data["streams"][-1])
        self._entry, self._end = data["input"], data["output"]
        self._prologue = _host_model(folder, "prologue")
        # Read where it is first needed, as a request for integers never does.
        self._epilogue: HostModel | None = None
        self._folder = folder

    def encode(self, frames: np.ndarray) -> np.ndarray:
        """Frames `[N, ...]`, shaped as the model's input, as bytes `[N, bytes_per_frame]` for the DMA.

        With a prologue, frames are the model's own floats. Without one, integers are taken as they are, and
        floats must be whole multiples of the input's scale.
        """
        shape = self._prologue.shape if self._prologue else tuple(self._entry["onnx_shape"][1:])
        if frames.ndim != len(shape) + 1 or frames.shape[1:] != shape or len(frames) == 0:
            wanted = ", ".join(["N", *map(str, shape)])
            raise DriverError(
                f"driver: the inputs have shape {list(frames.shape)}, and the model takes [{wanted}]"
            )
        if self._prologue:
            whole = self._prologue.run(frames)
        else:
            whole = frames if frames.dtype.kind in "iub" else self._to_grid(frames)
        low, high = int(whole.min()), int(whole.max())
        lowest, highest = self.input.lo, self.input.hi
        if low < lowest or high > highest or (self.input.bipolar and not np.all(abs(whole) == 1)):
            raise DriverError(
                f"driver: the inputs go from {low} to {high}, and the hardware takes {lowest} to {highest}"
                + (", without 0" if self.input.bipolar else "")
            )
        flat = whole.reshape(len(whole), -1)
        order = self._entry["order"]
        if order is not None:
            streamed = np.empty_like(flat)
            streamed[:, order] = flat
            flat = streamed
        return self.input.pack(flat.reshape(-1, self.input.vectors, self.input.channels))

    def decode(self, data: np.ndarray, raw: bool = False) -> np.ndarray:
        """Bytes `[N, bytes_per_frame]` of the accelerator as the model's own outputs.

        With `raw` they are the accelerator's integers in the model's order, and the host's epilogue is not
        run, nor is onnxruntime needed for it.
        """
        flat = self.output.unpack(data).reshape(len(data), -1)
        if self._end["order"] is not None:
            flat = flat[:, self._end["order"]]
        frames = flat.reshape([-1, *self._end["onnx_shape"][1:]])
        if not raw and self._epilogue is None:
            self._epilogue = _host_model(self._folder, "epilogue")
        return frames.astype(np.int64) if raw or self._epilogue is None else self._epilogue.run(frames)

    def _to_grid(self, frames: np.ndarray) -> np.ndarray:
        steps = frames / np.asarray(self._entry["scale"]) + np.asarray(self._entry["zero"])
        whole: np.ndarray = np.rint(steps)
        if not float(abs(steps - whole).max()) <= GRID_TOLERANCE:
            raise DriverError(
                "driver: the inputs are not multiples of the input's scale; give integers, or such multiples"
            )
        integers: np.ndarray = whole.astype(np.int64)
        return integers


def _find_project() -> Path:
    for folder in (HERE, HERE.parent):
        if (folder / "project.json").is_file():
            return folder
    raise DriverError(f"driver: there is no project.json in '{HERE}' or above; run `make deploy`")


def _host_model(folder: Path, name: str) -> HostModel | None:
    for path in (folder / f"{name}.onnx", folder / "model" / f"{name}.onnx"):
        if path.is_file():
            return HostModel(path)
    return None
