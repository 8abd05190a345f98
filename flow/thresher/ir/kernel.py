"""The contract of a kernel: what it means, which beats it moves when, and what its C++ is given."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import product
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from thresher.errors import UsageError
from thresher.ir.custom import CustomOperator
from thresher.ir.graph import Array
from thresher.ir.integer import IntNode
from thresher_sim.streams import StreamLayout

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Resources:
    """Estimated cost in 6-input LUTs, flip-flops, 36-kbit block RAMs and DSP slices; costs add.

    A difference of two may be negative.
    """

    lut: int = 0
    ff: int = 0
    bram36: float = 0.0
    dsp: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(
            self.lut + other.lut, self.ff + other.ff, self.bram36 + other.bram36, self.dsp + other.dsp
        )

    def __sub__(self, other: Resources) -> Resources:
        return Resources(
            self.lut - other.lut, self.ff - other.ff, self.bram36 - other.bram36, self.dsp - other.dsp
        )


class RamStyle(Enum):
    """What holds weights: block RAM, look-up tables (distributed), or what a rule says."""

    AUTO = "auto"
    BLOCK = "block"
    DISTRIBUTED = "distributed"

    @property
    def enumerator(self) -> str:
        """The enumerator of `thresher::RomStyle`."""
        return f"RomStyle::k{self.value.capitalize()}"


@dataclass(frozen=True)
class Folding:
    """Parallelism: `pe` output rows or channels and `simd` input columns are handled each cycle.

    `ram_style` is that of a kernel with weights; others have no use for it.
    """

    pe: int = 1
    simd: int = 1
    ram_style: RamStyle = RamStyle.AUTO


@dataclass(frozen=True, eq=False)
class Schedule:
    """Which steps of one frame read a beat and which write one; one step is one clock cycle.

    `reads` is `[steps]`, or `[inputs, steps]` of a kernel with several inputs. A step waits until every beat
    that it reads is there. `writes` is `[steps]`: a step writes all outputs or none.
    """

    reads: npt.NDArray[np.bool_]
    writes: npt.NDArray[np.bool_]

    @property
    def reads_by_input(self) -> npt.NDArray[np.bool_]:
        """`reads` as `[inputs, steps]`."""
        return np.atleast_2d(self.reads)


@dataclass(frozen=True, eq=False)
class Lookahead:
    """The steps of one frame of a unit that takes beats ahead of them, into a buffer of `capacity`.

    Of a frame's `beats`, step k runs once `needs[k]` were taken in earlier cycles, writes a beat if
    `writes[k]`, and gives up those before `frees[k]`, which rises along the steps. In any cycle one beat
    is taken if it is there and those taken and not yet given up, before the cycle, are fewer than
    `capacity`; no cycle waits for one. Counts go on through the end of a frame: a new frame begins
    with `beats` taken off both. So the buffer may hold beats of the next frame while the last steps of
    this one run. `frees` may be negative, and may run ahead of what was taken.
    """

    beats: int
    capacity: int
    needs: npt.NDArray[np.int64]
    writes: npt.NDArray[np.bool_]
    frees: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Table:
    """Constants of a unit: `words[lane, address, i]` is the i-th 64-bit word, lowest first.

    Each lane has its own table of `width`-bit words.
    """

    width: int
    words: Words

    @staticmethod
    def of_fields(fields: npt.NDArray[np.int64], bits: int) -> Table:
        """Pack `fields[lane, address, field]`, each in two's complement of `bits`, lowest first."""
        lanes, depth, count = fields.shape
        planes = ((fields[..., None] >> np.arange(bits)) & 1).astype(np.uint8)
        width = count * bits
        words = -(-width // 64)
        padded = np.zeros((lanes, depth, words * 64), np.uint8)
        padded[:, :, :width] = planes.reshape(lanes, depth, width)
        packed = np.packbits(padded, axis=-1, bitorder="little")
        return Table(width, packed.view("<u8").reshape(lanes, depth, words))


@dataclass(frozen=True, eq=False)
class Kernel(ABC):
    """One folded hardware unit. Its C++ is `<namespace>/<kernel_name>.hpp` below a project's `hls`.

    Most have one input and one output. One that joins streams has several inputs, one that forks a
    stream has several outputs, which all carry the same beats.
    """

    @classmethod
    def kernel_name(cls) -> str:
        """The name that its Python module and its C++ header share."""
        return cls.__module__.rpartition(".")[2]

    @classmethod
    def namespace(cls) -> str:
        """The C++ namespace of its unit, and the folder of its header: the name of its Python package."""
        return cls.__module__.partition(".")[0]

    @classmethod
    def cpp_folder(cls) -> Path:
        """The folder whose `*.hpp` every project with such a unit gets: beside its Python module.

        Thresher's own kernels have theirs in the header library, which every project has.
        """
        return Path(inspect.getfile(cls)).parent

    @classmethod
    def operators(cls) -> tuple[type[CustomOperator], ...]:
        """The operators of custom ONNX domains that it brings."""
        return ()

    @classmethod
    def unit_class(cls) -> str:
        """The C++ class template of its unit, in UpperCamelCase."""
        return "".join(part.capitalize() for part in cls.kernel_name().split("_"))

    @classmethod
    @abstractmethod
    def take(cls, nodes: Sequence[IntNode]) -> tuple[Self, int] | None:
        """Take the first nodes of a chain: the kernel with the least folding, and how many it takes."""

    @property
    @abstractmethod
    def input_layout(self) -> StreamLayout:
        """The stream it reads."""

    @property
    def input_layouts(self) -> tuple[StreamLayout, ...]:
        """The streams it reads; kernels that join several override it, and `input_layout` is the first."""
        return (self.input_layout,)

    @property
    @abstractmethod
    def output_layout(self) -> StreamLayout:
        """The stream it writes, or each of those that it writes."""

    @property
    def output_count(self) -> int:
        """How many streams carry its output."""
        return 1

    @property
    def input_ports(self) -> tuple[str, ...]:
        """The names of its inputs, in C++ and in SystemVerilog: `s_axis`, or of several `s_axis0`, ..."""
        return _ports("s_axis", len(self.input_layouts))

    @property
    def output_ports(self) -> tuple[str, ...]:
        """The names of its outputs: `m_axis`, or of several `m_axis0`, `m_axis1`, ..."""
        return _ports("m_axis", self.output_count)

    @property
    def branches(self) -> bool:
        """Whether it has several inputs or several outputs."""
        return len(self.input_layouts) > 1 or self.output_count > 1

    @property
    def input_tile(self) -> int:
        """How the windows that it reads are cut into tiles of channels: channels of a tile, or 0.

        With 0 a window is its taps, each with all channels. Otherwise it is its tiles, each with all taps
        of so many channels; where they do not divide the channels, the last tile is filled up with
        zero bits.
        """
        return 0

    @property
    def output_tile(self) -> int:
        """As `input_tile`, of the windows that it writes."""
        return 0

    @property
    @abstractmethod
    def folding(self) -> Folding:
        """Its present folding."""

    @property
    @abstractmethod
    def folding_limit(self) -> Folding:
        """The folding at which it is unrolled in full."""

    @abstractmethod
    def fold(self, folding: Folding) -> Self:
        """The same operation under another folding, which lies within 1 and `folding_limit`.

        Raises `UsageError`, which says what works, for a combination of the two that cannot be.
        """

    def candidates(self, cycles_per_frame: int) -> Sequence[Self]:
        """The foldings to choose from: all that take at most `cycles_per_frame` and waste no lanes.

        Lanes are wasted where fewer of them handle as many tiles. Combinations that `fold` refuses are
        left out.
        """
        limit = self.folding_limit
        foldings = product(least_lanes(limit.pe), least_lanes(limit.simd))
        kernels = [kernel for pe, simd in foldings if (kernel := self._try(Folding(pe, simd))) is not None]
        return [kernel for kernel in kernels if kernel.cycles_per_frame <= cycles_per_frame]

    def _try(self, folding: Folding) -> Self | None:
        try:
            return self.fold(folding)
        except UsageError:
            return None

    @abstractmethod
    def golden(self, frames: Array) -> Array:
        """Map integers `[N, vectors, channels]` of the input to those of the output.

        Kernels with several inputs take one array for each.
        """

    @abstractmethod
    def schedule(self) -> Schedule | Lookahead:
        """The steps of one frame."""

    @property
    def cycles_per_frame(self) -> int:
        """Clock cycles for one frame in steady state: the number of its steps."""
        return len(self.schedule().writes)

    @property
    def macs_per_frame(self) -> int:
        """Multiply-accumulates of one frame, padding not counted."""
        return 0

    @property
    def weight_bits(self) -> int:
        """Bits of the weights that it holds, padding and thresholds not counted."""
        return 0

    @abstractmethod
    def resources(self) -> Resources:
        """Estimated cost."""

    @abstractmethod
    def constants(self) -> Mapping[str, int | bool | str]:
        """The `static constexpr` members of its C++ `Layer`; a string is a C++ enumerator."""

    def tables(self) -> Mapping[str, Table]:
        """The tables of its C++ `Layer`, by the name of the member function that returns one."""
        return {}


def _ports(stem: str, count: int) -> tuple[str, ...]:
    return (stem,) if count == 1 else tuple(f"{stem}{place}" for place in range(count))


# What a block RAM and a DSP slice are worth in LUTs: a 7-series part has about 380 and 240 LUTs for
# each (AMD DS190: xc7z020 has 53,200 LUT, 140 BRAM36, 220 DSP).
LUT_PER_BRAM36 = 380
LUT_PER_DSP = 240


def signed_bits(lo: int, hi: int) -> int:
    """Bits of two's complement that hold `lo..hi`, at least 2, the fewest that C++ allows."""
    return max((-lo - 1).bit_length() if lo < 0 else 0, hi.bit_length() if hi > 0 else 0, 1) + 1


def same_beats(source: StreamLayout, target: StreamLayout) -> bool:
    """Whether two layouts of the same elements, cut into vectors differently or not, are the same beats."""
    if source.lanes != target.lanes:
        return False
    return source.channels == target.channels or (
        source.channels % source.lanes == 0 and target.channels % target.lanes == 0
    )


def divide_up(numerator: int, denominator: int) -> int:
    """The quotient rounded up."""
    return -(-numerator // denominator)


def least_lanes(size: int) -> list[int]:
    """For each number of tiles that `size` elements can be cut into, the fewest lanes; rising."""
    return sorted({divide_up(size, tiles) for tiles in range(1, size + 1)})


def tile_rows(rows: npt.NDArray[np.int64], pe: int, groups: int = 1) -> npt.NDArray[np.int64]:
    """Deal `rows[row, ...]`, which are `groups` of as many, to lanes; no tile holds rows of two groups.

    The result is `[pe, row tile, ...]`, with zeros where the rows of a group end.
    """
    part = rows.shape[0] // groups
    tiles = divide_up(part, pe)
    padded = np.zeros((groups, tiles * pe, *rows.shape[1:]), np.int64)
    padded[:, :part] = rows.reshape(groups, part, *rows.shape[1:])
    return np.swapaxes(padded.reshape(groups * tiles, pe, *rows.shape[1:]), 0, 1)
