"""The circular buffer of a sliding window: which words it holds, how many it must, how fast that goes.

A pixel is a number of words. The words of a map are numbered row by row, and so are the taps outside of
it, as if pixels went on to all sides. A window is read tile by tile, a tile tap by tap, a tap word by word.
Taps outside of the map wait for no word, but a frame begins with its first word, so that a unit whose last
frame has come to its end is at rest.

How fast it goes follows from the theory of timed event graphs (Baccelli, Cohen, Olsder and Quadrat,
"Synchronization and Linearity", 1992): the cycles per frame are the largest ratio of time to frames over
all cycles of the graph in which a step waits for the step before it and for its word, and a word for the
word before it and for the step that frees its place. Such a cycle runs along steps and along words. Where it
leaves the words for step j, and the steps after step i, it takes

    (needs[j] - j) + (i - frees[i - 1]) + 1 - capacity

longer than the steps and words that it runs along. With a capacity of at least the largest of these sums over
i < j (`_starving`), steps that find no word, for it found no room, cost nothing within a frame; with one
of at least the largest over j <= i (`_blocking`), words that find no room, for steps found no word, do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from thresher.ir.kernel import Lookahead, divide_up
from thresher.ir.window import Window

Ints = npt.NDArray[np.int64]

_NEVER = -(1 << 60)
"""Below all numbers of words."""


@dataclass(frozen=True)
class LineBuffer:
    """The buffer of the windows of one map.

    A pixel is `words` words, a tile `tile_words` of these. With `overlap`, frames follow each other as
    fast as steps or words can, whichever are more; without, these never wait within a frame, but may at
    its end.
    """

    window: Window
    words: int
    tile_words: int
    overlap: bool

    @property
    def beats(self) -> int:
        """Words of a frame."""
        return self.window.pixels * self.words

    @property
    def steps(self) -> int:
        """Steps of a frame: the words of all windows."""
        return self.window.count * self._window_steps

    @property
    def origin(self) -> int:
        """The number of the first window's first word: with padding before the map, a negative one."""
        above, left = self.window.before
        return -(above * self.window.width + left) * self.words

    @property
    def _window_steps(self) -> int:
        return self.window.taps * self.words

    @property
    def free_rows(self) -> int:
        """Rows of windows that free words: all but those that begin below the map."""
        return min(self.window.output[0], divide_up(self.window.height, self.window.stride[0]))

    @property
    def free_columns(self) -> int:
        """Windows of a row, but for its last, that free words at their end.

        None of them goes past the first of the next row, or of the next frame.
        """
        window, (down, across) = self.window, self.window.stride
        rows = min(down, window.height - (self.free_rows - 1) * down)
        return min(window.output[1] - 1, rows * window.width // across)

    @cached_property
    def capacity(self) -> int:
        """The words that it holds."""
        steps, words = self.steps, self.beats
        if not self.overlap:
            return max(self._starving if steps >= words else self._blocking, self._least)
        full_rate = min(
            max(self._starving, self._blocking - max(0, steps - words)),
            max(self._blocking, self._starving - max(0, words - steps)),
        )
        return max(full_rate, self._least)

    @cached_property
    def cycles_per_frame(self) -> int:
        """In steady state, where a word is always there and every step's beat is taken at once."""
        late_words = max(0, self._starving - self.capacity)
        late_steps = max(0, self._blocking - self.capacity)
        return max(self.steps + late_words, self.beats + late_steps)

    @cached_property
    def margin(self) -> tuple[int, int]:
        """The least and the most that words taken less a step's number less 1 can be."""
        (down, across), window = self.window.dilation, self.window
        reach = (window.kernel[0] - 1) * down * window.width + (window.kernel[1] - 1) * across
        ends = self._starts + (reach + 1) * self.words - 1
        return int((self._taken - ends).min()) - 1, max(self.capacity, -self.origin) - 1

    @cached_property
    def room(self) -> tuple[int, int]:
        """The least and the most words that there can be room for, less 1."""
        first = self.capacity + self.origin
        return min(0, first) - 1, self.capacity + int((self._freed - self._taken).max()) - 1

    def lookahead(self) -> Lookahead:
        """Every step of a frame."""
        rows, columns = self._taps(0), self._taps(1)
        on_map = self.window.inside()
        tiles = self.words // self.tile_words
        shape = (*self.window.output, tiles, *self.window.kernel, self.tile_words)
        word = np.arange(self.words).reshape(tiles, 1, 1, self.tile_words)
        numbers = (rows[:, None, None, :, None, None] * self.window.width) + columns[:, None, None, :, None]
        inside = on_map[0][:, None, None, :, None, None] & on_map[1][:, None, None, :, None]
        needs = np.where(inside, numbers * self.words + word + 1, -self.beats)
        needs = np.broadcast_to(needs, shape).flatten()
        needs[0] = 1
        frees = np.repeat(self._freed, self._window_steps)
        frees = np.append(frees[1:], self.beats + self.origin)
        return Lookahead(self.beats, self.capacity, needs, np.ones(self.steps, np.bool_), frees)

    @cached_property
    def _least(self) -> int:
        """The capacity below which a step waits for a word that there is never room for."""
        return max(1, int((self._needed - self._freed).max()))

    @cached_property
    def _starving(self) -> int:
        """See above; the steps i that count are those that free words."""
        before = np.maximum.accumulate(self._given)[:-1]
        return int((self._asked[1:] + before).max(initial=_NEVER)) + 1

    @cached_property
    def _blocking(self) -> int:
        """See above."""
        return int((np.maximum.accumulate(self._asked) + self._given).max()) + 1

    @cached_property
    def _starts(self) -> Ints:
        """The number of each window's first word."""
        return (self._taps(0)[:, :1] * self.window.width + self._taps(1)[:, 0]).ravel() * self.words

    @cached_property
    def _freed(self) -> Ints:
        """For each window, the words ahead of this one are free while it is read."""
        window, (down, across) = self.window, self.window.stride
        row, column = np.indices(window.output).reshape(2, -1)
        column = np.where(row < self.free_rows, column, self.free_columns)
        pixels = np.minimum(row, self.free_rows - 1) * down * window.width
        pixels += np.minimum(column, self.free_columns) * across
        freed: Ints = pixels * self.words + self.origin
        return freed

    @cached_property
    def _given(self) -> Ints:
        """`i - frees[i - 1]` of each window's last step i, where that frees words."""
        ends = (np.arange(self.window.count) + 1) * self._window_steps - 1
        after = np.append(self._freed[1:], self.beats + self.origin)
        return np.where(after > self._freed, ends - self._freed, _NEVER)

    @cached_property
    def _asked(self) -> Ints:
        """The largest `needs[j] - j` of each window's steps j: one at the first word of a tap."""
        first = np.arange(self.window.count) * self._window_steps
        asked = self._last_word(self.window.kernel[1] * self.tile_words, self.tile_words) + 1 - first
        return _from_first(asked)

    @cached_property
    def _needed(self) -> Ints:
        """For each window, the words of its frame that must have been taken to read all of it."""
        return _from_first(self._last_word(0, 0) + self.words)

    @cached_property
    def _taken(self) -> Ints:
        """How many words of its frame have been taken at least, when a window begins."""
        needed = np.maximum.accumulate(self._needed)
        return np.append(needed[-1] - self.beats, needed[:-1])

    def _last_word(self, tap_row: int, tap_column: int) -> Ints:
        """For each window, the largest number of the first word of a tap on the map.

        It is less `tap_row` and `tap_column` for each row and column of taps ahead of it.
        """
        inside = self.window.inside()
        rows = self._taps(0) * (self.window.width * self.words) - np.arange(self.window.kernel[0]) * tap_row
        columns = self._taps(1) * self.words - np.arange(self.window.kernel[1]) * tap_column
        last_row = np.where(inside[0], rows, _NEVER).max(axis=1)
        last_column = np.where(inside[1], columns, _NEVER).max(axis=1)
        last: Ints = np.maximum(last_row[:, None] + last_column, _NEVER).ravel()
        return last

    def _taps(self, axis: int) -> Ints:
        """The row or column of each tap of each row or column of windows, `[window, tap]`."""
        window = self.window
        starts: Ints = np.arange(window.output[axis]) * window.stride[axis] - window.before[axis]
        return starts[:, None] + np.arange(window.kernel[axis]) * window.dilation[axis]


def _from_first(asked: Ints) -> Ints:
    """What the windows ask for, and the first one for the first word at least."""
    asked[0] = max(asked[0], 1)
    return asked


@lru_cache(maxsize=4096)
def line_buffer(window: Window, words: int, tile_words: int, overlap: bool) -> LineBuffer:
    """The buffer of such windows, with what was found out about it before."""
    return LineBuffer(window, words, tile_words, overlap)
