"""The host's side of an accelerator: arrays of the model to integers, and integers back."""

from __future__ import annotations

import tokenize
import warnings
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from thresher.errors import UsageError
from thresher.ir.graph import Array
from thresher.ir.integer import Ints
from thresher.lower import Lowered
from thresher.onnx_import.host import HostModel
from thresher_sim.files import UnreadableError, check_regular

# How far from a whole step of the input's scale a value may lie: float32 has 24 bits.
_GRID_TOLERANCE = 1e-3
# What numpy raises for headers, which are a literal of Python.
_MAGIC, _ZIP = b"\x93NUMPY", b"PK"
_BROKEN_HEADER = (
    *(ValueError, TypeError, SyntaxError, tokenize.TokenError, OverflowError, MemoryError),
    zipfile.BadZipFile,
)


@dataclass(frozen=True, eq=False)
class Host:
    """Turns what the ONNX model takes and gives into what the hardware takes and gives."""

    lowered: Lowered
    prologue: HostModel | None
    epilogue: HostModel | None

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of the frames that are taken, with a batch axis of 1."""
        return self.lowered.input.onnx_shape if self.prologue is None else self.prologue.input_shape

    @cached_property
    def classes(self) -> int | None:
        """How many classes the outputs tell apart, which may be scores or an index; None: it is not known."""
        if self.epilogue is not None:
            return self.epilogue.classes
        return self.lowered.output.type.element.hi + 1

    def encode(self, frames: Array) -> Ints:
        """Turn frames `[N, ...]`, shaped as the model's input, into integers `[N, vectors, channels]`.

        With a prologue, frames are the model's own floats. Without one, an integer array of any type is taken
        as it is, and floats must be whole multiples of the input's scale.

        Raises:
            UsageError: The array has a wrong shape or dtype, no frames, or values out of range.
        """
        check_array(frames, self.input_shape)
        if self.prologue is not None:
            return self.lowered.input.to_stream(self.prologue.run(frames.astype(np.float32)))
        whole = frames if frames.dtype.kind in "iub" else self._to_grid(frames)
        element = self.lowered.input.type.element
        low, high = int(whole.min()), int(whole.max())
        if low < element.lo or high > element.hi or (element.bipolar and not np.all(np.abs(whole) == 1)):
            raise UsageError(
                f"inputs: the values go from {low} to {high}, and the hardware takes {element}; "
                "give integers of that type, or floats that are its multiples of the input scale"
            )
        return self.lowered.input.to_stream(whole.astype(np.int64, copy=False))

    def _to_grid(self, frames: Array) -> Array:
        endpoint = self.lowered.input
        steps = frames / endpoint.scale + endpoint.zero
        whole = np.rint(steps)
        worst = float(np.abs(steps - whole).max())
        if not worst <= _GRID_TOLERANCE:
            scale = float(endpoint.scale.reshape(-1)[0])
            raise UsageError(
                f"inputs: the values are not multiples of the input scale {scale:g}, which the hardware "
                f"takes (off by up to {worst:.3g} of it); give integers, or floats on that grid"
            )
        return whole.astype(np.int64)

    def decode(self, outputs: Ints) -> Array:
        """Turn integers `[N, vectors, channels]` of the output into the model's own output.

        That is the host's epilogue, or where the hardware ends in an argmax the class indices: in the
        model's own shape, or as `[N]` where the model itself has none.
        """
        frames = self.lowered.output.from_stream(outputs)
        if self.epilogue is not None:
            return self.epilogue.run(frames)
        return frames.astype(np.int64)


def as_array(values: npt.ArrayLike, what: str = "inputs") -> Array:
    """An array, or what numpy makes one of; of a tensor of PyTorch, its values.

    Raises:
        UsageError: Nothing can be made of it, as of lists whose lengths differ.
    """
    detach = getattr(values, "detach", None)
    try:
        return np.asarray(values if detach is None else detach().cpu())
    except (ValueError, TypeError, RuntimeError) as error:
        raise UsageError(f"{what}: no array can be made of it ({error}); give an array of numbers") from None


def check_array(frames: Array, shape: tuple[int, ...], what: str = "inputs") -> None:
    """Raises `UsageError` where `frames` are not finite numbers `[N, ...]` of a model's input `shape`."""
    wanted = "[N, " + ", ".join(map(str, shape[1:])) + "]"
    if frames.dtype.kind not in "fiub":
        raise UsageError(f"{what}: the array has dtype {frames.dtype}; give numbers, in the shape {wanted}")
    if frames.ndim != len(shape) or frames.shape[1:] != tuple(shape[1:]):
        raise UsageError(f"{what}: the array has shape {list(frames.shape)}; the model takes {wanted}")
    if len(frames) == 0:
        raise UsageError(f"{what}: the array holds no frames; give at least one, in the shape {wanted}")
    if frames.dtype.kind == "f":
        with np.errstate(over="ignore"):
            finite = np.isfinite(frames.astype(np.float32)).all()
        if not finite:
            held = "numbers beyond float32" if np.isfinite(frames).all() else "NaN or infinity"
            raise UsageError(f"{what}: the array holds {held}; give finite numbers")


def _first_bytes(path: Path) -> bytes:
    """As many as tell a kind of file; raises `UnreadableError` where there are none."""
    # What holds nothing yet passes for a regular file may wait for ever, as /proc/kmsg does.
    if path.stat().st_size == 0:
        raise UnreadableError("it is empty")
    with path.open("rb") as file:
        return file.read(len(_MAGIC))


def load_array(path: Path, what: str) -> Array:
    """Map a `.npy` file into memory; raises `UsageError` where it is missing, damaged, or pickled."""
    try:
        check_regular(path)
        start = _first_bytes(path)
        # A map of the file is never larger than the file, whatever its header says.
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of sizes that overflow, which end in an error as well.
            array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise UsageError(f"{what}: file '{path}' does not exist; give the path of a .npy file") from None
    except (OSError, EOFError, UnreadableError) as error:
        raise UsageError(f"{what}: file '{path}' cannot be read ({error}); give a .npy file") from None
    except _BROKEN_HEADER as error:
        if not start.startswith((_MAGIC, _ZIP)):
            fault, remedy = "is not a .npy file", "save plain numbers with numpy.save"
        elif "Python objects" in str(error):
            fault, remedy = "holds Python objects, which are not read", "save plain numbers with numpy.save"
        else:
            fault, remedy = "is damaged: its header is broken or promises more than it has", "save it again"
        raise UsageError(f"{what}: file '{path}' {fault}; {remedy}") from None
    if not isinstance(array, np.ndarray):
        raise UsageError(f"{what}: file '{path}' is an archive of arrays; give a .npy file with one array")
    return np.asarray(array)
