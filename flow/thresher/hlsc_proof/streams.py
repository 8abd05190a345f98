"""The streams of a unit, read from the debug metadata for the reference of a proof alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

_NODE = re.compile(r"^(!\d+) = (?:distinct )?!?(\w*)([({].*[)}])$", re.MULTILINE)
_FIELD = re.compile(r'(\w+): (?:"([^"]*)"|([^,()]+))')
_CLASS = re.compile(r"(In|Out)Stream<(\d+)((?:, [\w:]+(?:<\d+>)?)*) ?>")
_SIDEBAND = re.compile(r"(\w+)(?:<(\d+)>)?(?:,|$)")


@dataclass(frozen=True)
class Signal:
    """A signal of a stream: `width` bits of a beat from bit `low` on."""

    name: str
    low: int
    width: int

    def of(self, beat: str) -> str:
        """The signal of a variable that holds a beat."""
        return f"{beat}[{self.low + self.width - 1}:{self.low}]"


@dataclass(frozen=True)
class Stream:
    """A stream: its signals, whether the unit reads it, and its byte in `Ports`."""

    name: str
    signals: tuple[Signal, ...]
    is_input: bool
    offset: int

    @property
    def width(self) -> int:
        """The bits of a beat."""
        return sum(signal.width for signal in self.signals)


@dataclass(frozen=True)
class Streams:
    """The streams that a unit reads, and those that it writes.

    `asked` are the outputs of which the unit's module says whether they are full.
    """

    inputs: tuple[Stream, ...]
    outputs: tuple[Stream, ...]
    asked: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[Stream, ...]:
        """The inputs, then the outputs."""
        return (*self.inputs, *self.outputs)


@dataclass(frozen=True)
class _Metadata:
    nodes: Mapping[str, str]

    def fields(self, reference: str) -> dict[str, str]:
        return {key: quoted or plain for key, quoted, plain in _FIELD.findall(self.nodes[reference])}

    def items(self, reference: str) -> list[str]:
        return re.findall(r"!\d+", self.nodes[reference])


def streams_of(text: str) -> Streams:
    """The members of the second parameter of `thresher_step` that are streams, in their order."""
    metadata = _Metadata({number: body for number, _, body in _NODE.findall(text)})
    found = re.search(r"^define [^\n]*@thresher_step\([^\n]* !dbg (!\d+) \{$", text, re.MULTILINE)
    assert found is not None
    signature = metadata.fields(metadata.fields(found[1])["type"])["types"]
    streams = list(_walk(metadata, metadata.items(signature)[1], "", 0))
    inputs = tuple(stream for stream in streams if stream.is_input)
    return Streams(inputs, tuple(stream for stream in streams if not stream.is_input))


def _walk(metadata: _Metadata, reference: str, name: str, offset: int) -> Iterator[Stream]:
    fields = metadata.fields(reference)
    if stream := _CLASS.fullmatch(fields.get("name", "")):
        yield Stream(name, _signals(int(stream[2]), stream[3]), stream[1] == "In", offset // 8)
    elif fields.get("tag") == "DW_TAG_array_type":
        sizes = [int(metadata.fields(each)["count"]) for each in metadata.items(fields["elements"])]
        for flat in range(prod(sizes)):
            place = offset + flat * (int(fields["size"]) // prod(sizes))
            yield from _walk(metadata, fields["baseType"], f"{name}_{_indices(flat, sizes)}", place)
    elif "elements" in fields:
        for member in metadata.items(fields["elements"]):
            yield from _member(metadata, metadata.fields(member), name, offset)
    elif "baseType" in fields:
        yield from _walk(metadata, fields["baseType"], name, offset)


def _signals(width: int, others: str) -> tuple[Signal, ...]:
    """The data, and what is named behind it, which lies above it in that order."""
    found = [Signal("data", 0, width)]
    for name, bits in _SIDEBAND.findall(others):
        own = {"Keep": width // 8, "Strb": width // 8, "Last": 1}.get(name) or int(bits)
        found.append(Signal(name.lower(), found[-1].low + found[-1].width, own))
    return tuple(found)


def _member(metadata: _Metadata, own: Mapping[str, str], name: str, offset: int) -> Iterator[Stream]:
    if own.get("tag") in ("DW_TAG_member", "DW_TAG_inheritance") and "StaticMember" not in own.get(
        "flags", ""
    ):
        path = "_".join(part for part in (name, own.get("name", "")) if part)
        yield from _walk(metadata, own["baseType"], path, offset + int(own.get("offset", "0")))


def _indices(flat: int, sizes: list[int]) -> str:
    found = []
    for size in reversed(sizes):
        flat, index = divmod(flat, size)
        found.append(str(index))
    return "_".join(reversed(found))
