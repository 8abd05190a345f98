"""A module `pynq` whose overlay is a DMA around an accelerator that is given as a function on bytes."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Hardware = Callable[[np.ndarray], np.ndarray]


class Buffer(np.ndarray):
    """An array that a DMA can reach, and that is to be given back."""

    def freebuffer(self) -> None:
        board = self.__dict__.pop("board", None)
        assert board is not None, "a buffer is given back twice"
        board.allocated -= 1


@dataclass
class Channel:
    """One direction of the DMA: what is to be moved, until it was waited for."""

    dma: Dma
    buffer: Any = None

    def transfer(self, buffer: Any) -> None:
        assert isinstance(buffer, Buffer), "the DMA reaches only what was allocated"
        assert buffer.__dict__.get("board") is not None, "the DMA reaches no buffer that was given back"
        assert self.buffer is None, "DMA channel not idle"
        self.buffer = buffer
        self.dma.run()

    def wait(self) -> None:
        assert self.buffer is not None, "nothing was transferred"
        assert self.dma.done, "the DMA never comes to an end: the other channel is not under way"
        self.buffer = None


@dataclass
class Dma:
    """Runs the accelerator once both channels are under way."""

    hardware: Hardware
    done: bool = False
    batches: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sendchannel, self.recvchannel = Channel(self), Channel(self)

    def run(self) -> None:
        self.done = False
        source, target = self.sendchannel.buffer, self.recvchannel.buffer
        if source is None:
            return
        assert target is not None, "results would come before there is a place for them"
        result = self.hardware(np.array(source))
        assert result.shape == target.shape, "a DMA waits for as many bytes as it was told"
        target[:] = result
        self.batches.append(len(source))
        self.done = True


@dataclass
class Board:
    """What the tests look at: the module to import, the DMA, buffers that were not given back."""

    hardware: Hardware
    allocated: int = 0

    def __post_init__(self) -> None:
        self.dma = Dma(self.hardware)

    def module(self) -> types.ModuleType:
        """The module `pynq`."""
        module: Any = types.ModuleType("pynq")
        module.Overlay = self._overlay
        module.allocate = self._allocate
        return module  # type: ignore[no-any-return]

    def _overlay(self, bitfile: str) -> Any:
        path = Path(bitfile)
        assert path.is_file()
        assert path.with_suffix(".hwh").is_file(), "PYNQ reads the hardware description beside the bitfile"
        return types.SimpleNamespace(axi_dma=self.dma)

    def _allocate(self, shape: tuple[int, ...], dtype: type) -> Buffer:
        self.allocated += 1
        buffer = np.zeros(shape, dtype).view(Buffer)
        buffer.board = self  # type: ignore[attr-defined]
        return buffer
