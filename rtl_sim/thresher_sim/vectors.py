"""Beats on disk: `FOLDER/<stream>.bin`, one file per stream, raw.

A file is `frames * beats_per_frame` beats of `bytes_per_beat` bytes, frame after frame, the least
significant byte of a beat first, the bits above the stream's width zero. The golden model writes
them as stimulus and as what is expected, and both simulations write what they saw.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .errors import UsageError
from .project import Stream
from .streams import Bytes


def beats_path(folder: Path, stream: Stream) -> Path:
    """The file of `stream` in `folder`."""
    return folder / f"{stream.name}.bin"


def read_beats(folder: Path, stream: Stream) -> Bytes:
    """The beats of `stream` as `[beats, bytes_per_beat]`, not yet in memory (a memory map).

    Raises:
        UsageError: the file is not there, or ends within a beat.
    """
    path = beats_path(folder, stream)
    width = stream.layout.bytes_per_beat
    if not path.is_file():
        raise UsageError(
            f"sim: '{path}' is missing: no beats for stream '{stream.name}'; build the project again"
        )
    size = path.stat().st_size
    if size % width:
        raise UsageError(
            f"sim: '{path}' holds {size} bytes, not a multiple of the {width} bytes per beat of stream "
            f"'{stream.name}'; build the project again"
        )
    if size == 0:
        return np.zeros((0, width), np.uint8)
    return np.memmap(path, np.uint8, "r").reshape(-1, width)


def read_frames(folder: Path, stream: Stream, frames: int | None = None) -> Bytes:
    """The first `frames` frames of `stream` (None for all) as `[frames, beats_per_frame, bytes_per_beat]`.

    Raises:
        UsageError: the file is not there, ends within a frame, or holds fewer frames.
    """
    beats = read_beats(folder, stream)
    per_frame = stream.layout.beats_per_frame
    available, rest = divmod(len(beats), per_frame)
    if rest:
        raise UsageError(
            f"sim: '{beats_path(folder, stream)}' ends within a frame: {len(beats)} beats, and a frame of "
            f"stream '{stream.name}' has {per_frame}; build the project again"
        )
    wanted = available if frames is None else frames
    if wanted < 0 or frames == 0:
        raise UsageError(f"sim: {wanted} frames cannot be run; ask for 1 or more")
    if wanted > available:
        raise UsageError(
            f"sim: {wanted} frames are asked for, and '{beats_path(folder, stream)}' holds {available}; "
            f"ask for at most {available}"
        )
    return beats[: wanted * per_frame].reshape(wanted, per_frame, -1)


def write_frames(folder: Path, stream: Stream, beats: Bytes) -> None:
    """Write beats `[frames, beats_per_frame, bytes_per_beat]` of `stream`, the file whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = beats_path(folder, stream)
    beside = path.with_suffix(f".{os.getpid()}.part")
    np.ascontiguousarray(beats).tofile(beside)
    beside.replace(path)


def write_vectors(
    folder: Path, streams: Sequence[Stream], chunks: Iterable[Mapping[str, npt.NDArray[np.integer]]]
) -> None:
    """Pack and write the integers `[frames, vectors, channels]` of each stream, by its name.

    The frames come in one or more `chunks`; every file is written whole or not at all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    beside = {
        stream.name: beats_path(folder, stream).with_suffix(f".{os.getpid()}.part") for stream in streams
    }
    with ExitStack() as stack:
        files = {name: stack.enter_context(path.open("wb")) for name, path in beside.items()}
        for values in chunks:
            for stream in streams:
                files[stream.name].write(stream.layout.pack(values[stream.name]).tobytes())
    for stream in streams:
        beside[stream.name].replace(beats_path(folder, stream))
