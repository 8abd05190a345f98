"""What clang says of a unit's C++, by the user's own line, with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from thresher.errors import ThresherError, ToolFailedError
from thresher.hlsc.frontend.layout import WRAPPER, is_standard
from thresher.hlsc.refusal import UnsupportedUnitError, message

_DIAGNOSTIC = re.compile(
    r"^(?:(\S+?):(\d+):\d+: )?((?:fatal )?error|warning|note): (.*?)(?: \[-W.*\])?$", re.MULTILINE
)
# Notes that say where something is, or what else there is, and not why.
_WHERE = re.compile(
    r".*\bhere$|in (?:instantiation|call|evaluation|implicit|defaulted) |expanded from |forward declaration"
    r"|from 'diagnose_if'|expression evaluates to "
    r"|candidate (?:found|function$)|did you mean|to match|(?:use|add|insert|remove|replace|initialize) |\("
)
# Notes that lead from a line of a library to the line that brought it about, the nearest first.
_REQUESTED = re.compile(r"(?:in instantiation of|while) .* here$|in (?:call|evaluation|implicit|defaulted) ")
_ASSERTION = re.compile(r"static assertion failed(?: due to requirement '.*?')?: (.*)")

_USER_DEFINED = "[-Wuser-defined-warnings]"

_MEND = "mend the C++"
# What is wrong with the machine and not with the C++, in the words of the system, of clang and of zig.
_MACHINE = re.compile(
    r"no space left|quota exceeded|file too large|read-only file system|cache directory|input/output error",
    re.IGNORECASE,
)
_MEND_MACHINE = (
    "free space among the temporary files, or let TMPDIR and XDG_CACHE_HOME name folders that can be written"
)
_NO_COMMA = "overload resolution selected deleted operator ','"
_UNKNOWN = "(?:no template named|unknown type name|use of undeclared identifier)"
_AMD_TYPES = {
    "ap_uint": "thresher::uint<8>",
    "ap_int": "thresher::sint<8>",
    "ap_ufixed": "thresher::ufixed<8, 4>",
    "ap_fixed": "thresher::fixed<8, 4>",
    "ap_axiu": "thresher::Beat<8, thresher::Keep, thresher::Last>",
    "ap_axis": "thresher::Beat<8, thresher::Keep, thresher::Last>",
    "hls": "thresher::InStream<8> and thresher::OutStream<8>",
}
_OUR_TYPE = "u?int|sint|u?fixed|Ram|InStream|OutStream|Beat|Keep|Strb|Last|User|Id|Dest|rom_read|divide"
_REMEDIES = {
    # `count == 4 ? 0 : count + 1` is C++ that many write first.
    "conditional expression is ambiguous": (
        "convert both results of ?: to the type that is meant, as in 'last ? uint<8>(0) : uint<8>(x + 1)'"
    ),
    **{
        rf"{_UNKNOWN} '{theirs}'": (
            f"write {ours}, or the same without 'thresher::' behind 'using namespace thresher;': it stands "
            "for AMD's own type under Vitis HLS"
        )
        for theirs, ours in _AMD_TYPES.items()
    },
    r"'(?:ap_\w+|hls_\w+)\.h' file not found": (
        "include thresher/bits.hpp, thresher/fixed.hpp and thresher/stream.hpp, whose types are AMD's under "
        "Vitis HLS"
    ),
    _NO_COMMA: "concatenate integers only, such as the bits() of a fixed-point number",
    r"no viable overloaded '(\S+)='$": (
        r"write it out, as in 'x[i] = x[i] \1 y': bits and ranges take '=' alone"
    ),
    rf"{_UNKNOWN} '(?:{_OUR_TYPE})'": (
        "write 'thresher::' in front of it, or 'using namespace thresher;' at the top, and include its header"
    ),
}
# C++ that hardware has no counterpart for, and that clang itself refuses.
_NO_HARDWARE = {
    "cannot use '(?:throw|try)' with exceptions disabled": (
        "hardware has no exceptions: keep what went wrong in a member, or write a beat that says so"
    ),
    "use of (?:dynamic_cast|typeid) requires -frtti": "choose the type by a template argument",
}


@dataclass(frozen=True)
class _Diagnostic:
    """One message of clang; `path` and `number` are empty where it names no place."""

    path: str
    number: str
    kind: str
    what: str

    @property
    def is_user_s(self) -> bool:
        """Whether it names a line that is the user's own to change."""
        path = PurePath(self.path)
        ours = path.parent.name == "thresher" and Path(path.parent, "bits.hpp").is_file()
        return bool(self.path) and path.name != WRAPPER and not ours and not is_standard(self.path)

    @property
    def place(self) -> str:
        """`file:line`, or nothing."""
        return f"{PurePath(self.path).name}:{self.number}" if self.path else ""


def refusal(unit: str, header: str, stderr: str) -> ThresherError:
    """The first error of clang, about a unit of C++ that `header` defines, as one line.

    It stands at the user's line, also where clang finds it in a library: the nearest line that asked for
    that. UnsupportedUnitError where it is C++ that hardware has no counterpart for; else ToolFailedError.
    """
    found = [_Diagnostic(*fields) for fields in _DIAGNOSTIC.findall(stderr)]
    at = next((index for index, one in enumerate(found) if one.kind.endswith("error")), None)
    if at is None:
        last = (stderr.strip().splitlines() or ["nothing"])[-1]
        return ToolFailedError(message(unit, "", f"clang says: {last}", _remedy(stderr)))
    if not found[at].path and _MACHINE.search(found[at].what):
        return ToolFailedError(message(unit, "", f"clang says: {found[at].what}", _MEND_MACHINE))
    error, place = found[at], _place(found, at)
    if PurePath(error.path).name == WRAPPER:
        remedy = f"name a class of {header} that has a nested 'Ports' and a 'void step(Ports&)'"
        return ToolFailedError(message(unit, "", f"clang says: {error.what}", remedy))
    if remedy := _known(_NO_HARDWARE, error.what):
        return UnsupportedUnitError(place.place, f"clang says: {error.what}", remedy, unit)
    what = f"clang says: {error.what}"
    if error.what != _NO_COMMA:
        what += _cause(_notes(found, at))
    remedy = _known(_REMEDIES, error.what) or _MEND
    assertion = _ASSERTION.fullmatch(error.what)
    if assertion and not error.is_user_s and not is_standard(error.path):
        reason, _, advice = assertion[1].partition(": ")
        what, remedy = f"{reason} ({error.place})", advice or _MEND
    return ToolFailedError(message(unit, place.place, what, remedy))


def _remedy(stderr: str) -> str:
    return _MEND_MACHINE if _MACHINE.search(stderr) else _MEND


def warnings(unit: str, stderr: str) -> Iterator[str]:
    """What the library of types warns of, each once."""
    lines = [line for line in stderr.splitlines() if line.endswith(_USER_DEFINED)]
    for one in dict.fromkeys(_Diagnostic(*fields) for line in lines for fields in _DIAGNOSTIC.findall(line)):
        if one.kind == "warning":
            remedy = "write the number that is meant, or name the type, as in uint<8>(300)"
            yield message(unit, one.place, one.what, remedy)


def _place(found: Sequence[_Diagnostic], at: int) -> _Diagnostic:
    """Where the user brought the error at index `at` about; the error itself where no such line is named."""
    error, notes = found[at], _notes(found, at)
    if error.is_user_s:
        return error
    if not any(_REQUESTED.match(note.what) for note in notes):
        # clang says what asked for a template with the first of several messages alone.
        before = next((index for index in range(at - 1, -1, -1) if found[index].kind != "note"), at)
        notes = [*notes, *_notes(found, before)]
    asking = [note for note in notes if note.is_user_s and _REQUESTED.match(note.what)]
    return next(iter([*asking, *(note for note in notes if note.is_user_s), error]))


def _notes(found: Sequence[_Diagnostic], at: int) -> list[_Diagnostic]:
    """The notes to the message at index `at`."""
    notes = []
    for one in found[at + 1 :]:
        if one.kind != "note":
            break
        notes.append(one)
    return notes


def _cause(notes: Sequence[_Diagnostic]) -> str:
    """The first note that says why, with its place, in parentheses; nothing if none does."""
    for note in notes:
        if not _WHERE.match(note.what):
            return f" ({note.place}: {note.what})" if note.path else f" ({note.what})"
    return ""


def _known(remedies: dict[str, str], what: str) -> str:
    found = ((re.match(words, what), remedy) for words, remedy in remedies.items())
    return next((match.expand(remedy) for match, remedy in found if match), "")
