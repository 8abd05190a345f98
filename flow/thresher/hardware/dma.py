"""How frames cross between a DMA and the accelerator's streams: the DMA's words for each stream."""

from __future__ import annotations

import math
from dataclasses import dataclass

from thresher_sim.streams import StreamLayout

# Bytes that the data port of a processor system takes a cycle: 64 bits of a Zynq-7000's S_AXI_HP, 128 of a
# Zynq UltraScale+'s (AMD UG585, UG1085).
PORT_BYTES = {"processing_system7": 8, "zynq_ultra_ps_e": 16}
# AMD's stream width converter goes by the least common multiple of both widths, of at most so many
# bytes (PG085).
_MOST_COMMON_BYTES = 512


@dataclass(frozen=True)
class DmaStream:
    """A stream at the accelerator's edge, as a DMA moves it.

    Attributes:
        bytes_per_beat: of the accelerator.
        bytes_per_frame: beats follow one another with no gap.
        bytes_per_word: that the DMA moves a cycle; frames are whole words. None where no DMA's stream can be
            converted to such beats.
    """

    bytes_per_beat: int
    bytes_per_frame: int
    bytes_per_word: int | None

    def cycles_per_frame(self) -> int | None:
        """The DMA's cycles for one frame at its best; None where it cannot move any."""
        return None if self.bytes_per_word is None else self.bytes_per_frame // self.bytes_per_word


def dma_stream(layout: StreamLayout, port_bytes: int) -> DmaStream:
    """The widest words, up to `port_bytes`, of which a frame is a whole number and whose width converts."""
    beat, frame = layout.bytes_per_beat, layout.bytes_per_beat * layout.beats_per_frame
    widths = (1 << power for power in reversed(range(port_bytes.bit_length())))
    words = (
        word
        for word in widths
        if word <= port_bytes and frame % word == 0 and math.lcm(word, beat) <= _MOST_COMMON_BYTES
    )
    return DmaStream(beat, frame, next(words, None))
