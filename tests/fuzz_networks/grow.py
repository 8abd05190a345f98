"""The growth of a random network, block by block."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tests.fuzz_networks.draws import Draws
from tests.fuzz_networks.layers import Convolve, Dense
from tests.fuzz_networks.moves import Join, Largest, Move
from tests.fuzz_networks.pointwise import Pointwise
from tests.fuzz_networks.pools import GlobalPool, Pool
from tests.fuzz_networks.quantisers import BINARY_VARIANTS, Quantise
from tests.fuzz_networks.values import Shape

_MOST_BLOCKS = 5


@dataclass
class Grower(Draws):
    """Draws blocks that fit what is there; `argmax` is the option that the network is to be built with."""

    argmax: bool = False

    def grow(self) -> None:
        """The whole network."""
        head = self._entered()
        ready = [head]
        for _ in range(int(self.random.integers(1, _MOST_BLOCKS + 1))):
            head = self._block(head if self.chance(0.75) else self.pick(ready))
            if self.values[head].state in ("levels", "sum"):
                ready.append(head)
        self._end(head)

    def _entered(self) -> int:
        """The integers behind the first quantiser, if there is one."""
        head = 0
        for _ in range(int(self.pick([0, 0, 0, 1, 1, 2]))):
            head = self._pointwise(head)
        if self.chance(0.1):
            head = self.add(Move((head,), kind=self.pick(["flatten", "reshape", "transpose"])))
        if not self.entry.input_type and self.chance(0.08):
            head = self._float_layer(head)
        if not self.entry.input_type or not self.values[head].linear or self.chance(0.5):
            step = self._quantiser(head)
            if not self.entry.input_type and step.form in ("Trunc",):
                step = replace(step, form="Quant")
            if step.form == "binary" and step.variant % BINARY_VARIANTS in (6, 7):
                step = replace(step, variant=1)
            if step.form == "round" and self.chance(0.9):
                step = replace(step, narrow=False)
            made = self.add(step)
            head = made if made != head else self.add(Quantise((head,)))
        return head

    def _block(self, head: int) -> int:
        """Some steps behind `head`."""
        value = self.values[head]
        if value.pooled:
            return self._behind_pool(head)
        if value.state == "levels":
            kinds = ["quantise", "layout", "pick", "tour", "join", "pointwise", "pool"]
            weights = [0.08, 0.06, 0.08, 0.1, 0.14, 0.06, 0.16]
            if value.linear:
                kinds += ["layer", "residual"]
                weights += [0.4, 0.12]
        else:
            kinds = ["quantise", "join", "pool", "layout", "pick", "tour"]
            weights = [0.7, 0.06, 0.12, 0.04, 0.04, 0.04]
        kind = kinds[int(self.random.choice(len(kinds), p=np.asarray(weights) / sum(weights)))]
        return int(getattr(self, f"_{kind}")(head))

    def _behind_pool(self, head: int) -> int:
        """A quantiser, behind a norm of each channel or a flattened map at times."""
        if self.chance(0.3):
            head = self.add(Move((head,), kind=self.pick(["flatten", "reshape"]), variant=self._variant()))
        for _ in range(int(self.pick([0, 1, 1]))):
            head = self._pointwise(head)
        return self._quantised(head)

    def _tour(self, head: int) -> int:
        """Elements moved, picked and quantised in any order."""
        for _ in range(int(self.random.integers(2, 5))):
            head = self.pick([self._layout, self._layout, self._pick, self._pick, self._quantised])(head)
        return head

    def _quantise(self, head: int) -> int:
        for _ in range(int(self.pick([0, 0, 1, 1, 2, 3]))):
            head = self._pointwise(head)
        if self.chance(0.1) and len(self.values[head].shape) > 1:
            head = self._pool(head)
        return self._quantised(head)

    def _layer(self, head: int) -> int:
        shape = self.values[head].shape
        if len(shape) in (2, 3) and self.chance(0.75):
            return self._convolve(head)
        if len(shape) > 1:
            head = self.add(Move((head,), kind=self.pick(["flatten", "reshape"]), variant=self._variant()))
        return self._dense(head) if len(self.values[head].shape) == 1 else self._quantised(head)

    def _residual(self, head: int) -> int:
        if len(self.values[head].shape) > 3:
            return self._layer(head)
        around = self._same_size(head)
        for _ in range(int(self.pick([0, 0, 1]))):
            around = self._pointwise(around)
        if self.chance(0.7):
            around = self._quantised(around)
        pair = (head, around) if self.chance(0.5) else (around, head)
        return self.add(Join(pair, op=self.pick(["Add", "Add", "Sub", "Sum"]), variant=self._variant()))

    def _join(self, head: int) -> int:
        """With another value that fits, or with another quantiser of the same one."""
        mine = self.values[head]
        op = self.pick(["Add", "Sub", "Sum", "Concat", "Concat", "Concat"])
        others = [
            place
            for place, value in enumerate(self.values)
            if value.state in ("levels", "sum", "pending") and not value.pooled
            if (value.shape[1:] == mine.shape[1:] if op == "Concat" else value.shape == mine.shape)
        ]
        other = self.pick(others)
        if self.chance(0.3) or (other == head and op != "Concat"):
            other = self._quantised(other)
        sources = [head, other] if self.chance(0.5) else [other, head]
        if op in ("Sum", "Concat") and self.chance(0.2):
            sources.append(self.pick(others))
        return self.add(Join(tuple(sources), op=op, variant=self._variant()))

    def _pool(self, head: int) -> int:
        shape = self.values[head].shape
        sizes = shape[1:]
        if len(sizes) not in (1, 2):
            return self._quantised(head)
        if self.chance(0.3):
            names = ["GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax"]
            return self.add(GlobalPool((head,), op=self.pick(names), keep=self.chance(0.5)))
        op = self.pick(["MaxPool", "MaxPool", "AveragePool"])
        kernel = tuple(min(int(self.pick([1, 2, 2, 3])), size) for size in sizes)
        strides = tuple(int(self.pick([1, 2, 2, 3])) for _ in sizes) if self.chance(0.8) else ()
        pads: Shape = ()
        if self.chance(0.25) and min(kernel) > 1:
            pads = tuple(int(each) for each in self.random.integers(0, min(kernel), 2 * len(sizes)))
        auto_pad = self.pick(["SAME_UPPER", "SAME_LOWER", "VALID"]) if not pads and self.chance(0.15) else ""
        return self.add(
            Pool(
                (head,),
                op=op,
                kernel=kernel,
                strides=strides,
                pads=pads,
                auto_pad=auto_pad,
                total=self.chance(0.3),
            )
        )

    def _end(self, head: int) -> None:
        """A layer if there was none, operators of the host at times, and the index of the largest."""
        if not any(isinstance(step, Quantise) for step in self.steps):
            head = self._quantised(head)
        layers = any(isinstance(step, Dense | Convolve) for step in self.steps)
        if self.values[head].linear and (not layers or self.chance(0.6)):
            head = self._layer(head)
        if self.values[head].pooled:
            head = self._quantised(head)
        for _ in range(int(self.pick([0, 0, 0, 1, 2]))):
            head = self._pointwise(head)
        if self.chance(0.08):
            head = self._float_layer(head)
        if len(self.values[head].shape) == 1 and self.chance(0.3):
            if self.chance(0.5) and self.values[head].uniform:
                self.argmax = True
            else:
                head = self.add(Largest((head,), op=self.pick(["ArgMax", "TopK"]), keep=self.chance(0.5)))
        if head != len(self.values) - 1:
            self.add(Pointwise((head,)))
