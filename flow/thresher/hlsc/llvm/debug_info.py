"""What the debug metadata says: the members of a class with their places, lines, variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePath

from thresher.hlsc.llvm.reader import name_of

_FIELD = re.compile(r'(\w+): ("[^"]*"|[^,()]+)')
_ELEMENT = re.compile(r"!\d+")
_BIT_INT = re.compile(r"_BitInt\((\d+)\)")
# What `thresher::Integer` calls the number that it holds, and `std::array` its elements: the object is that,
# by its own name.
_ALONE = frozenset({"thresher_value_", "__elems_", "_M_elems"})
_ATTACHED = re.compile(r", !dbg (!\d+)")
_ADDRESSES = frozenset(
    {
        *("DW_TAG_pointer_type", "DW_TAG_reference_type", "DW_TAG_rvalue_reference_type"),
        "DW_TAG_ptr_to_member_type",
        # The type of `nullptr`.
        "DW_TAG_unspecified_type",
    }
)
_NAMED_SCOPES = frozenset({"DINamespace", "DICompositeType"})
_UNION = "DW_TAG_union_type"
_KIND = re.compile(r"!(\w+)\(")


@dataclass(frozen=True)
class Leaf:
    """One scalar, or one object of a class that the caller keeps whole.

    `offset` and `size` are bits of memory; `width` is the number of bits that carry the value,
    which sign or zero extension fills up to `size`. `class_name` is empty for scalars. `array_start`
    and `array_end` are the bits of the outermost array that it is an element of, and `array_stride`
    those from one element to the next; 0 if it is in none. `kind` is "address" of a pointer or reference,
    "float" of a floating-point number, "endless" of an array that has no size, and else empty. Of an address
    `holder` is the class of the standard library that has it, and `name` and `line` are that one's.
    """

    name: str
    class_name: str
    offset: int
    size: int
    width: int
    signed: bool
    line: str
    array_start: int = 0
    array_end: int = 0
    array_stride: int = 0
    kind: str = ""
    holder: str = ""


class DebugInfo:
    """The numbered metadata of a module, read when asked for."""

    def __init__(self, metadata: Mapping[str, str]) -> None:
        self._metadata = metadata

    def fields(self, reference: str) -> dict[str, str]:
        """The fields of a specialised node that are not null; of strings, what the quotes mean."""
        text = self._metadata[reference]
        return {key: name_of(value) for key, value in _FIELD.findall(text) if value != "null"}

    def kind(self, reference: str) -> str:
        """`DIBasicType`, `DILocation`, ...; empty for a list."""
        found = _KIND.match(self._metadata[reference])
        return found[1] if found else ""

    def elements(self, reference: str) -> list[str]:
        """The references in a list."""
        return _ELEMENT.findall(self._metadata[reference])

    # Lines

    def line(self, reference: str, is_library: Callable[[str], bool]) -> str:
        """`file:line` of a location: the innermost one that is not in a library file, or nothing."""
        while reference:
            fields = self.fields(reference)
            path = self._file_of(fields["scope"])
            if fields["line"] != "0" and not is_library(path):
                return f"{PurePath(path).name}:{fields['line']}"
            reference = fields.get("inlinedAt", "")
        return ""

    def functions(self, reference: str) -> tuple[str, ...]:
        """The functions that a location stands in, by their symbols: each was inlined into the next one."""
        return tuple(self._symbol(function) for _, function in self._frames(reference))

    def library_call(self, reference: str, is_library: Callable[[str], bool]) -> str:
        """The function of a library that the user called, as `std::map::at`, where a location lies in one.

        Empty for a location in a file that is not the library's.
        """
        called = ""
        for path, function in self._frames(reference):
            if not is_library(path):
                break
            called = self.qualified_name(function)
        return called

    def qualified_name(self, reference: str) -> str:
        """The name of a function or class, as `std::map::at`, without template arguments."""
        fields = self.fields(reference)
        name = without_arguments(fields.get("name", ""))
        declared = fields.get("declaration", "")
        scope = self.fields(declared).get("scope", "") if declared else fields.get("scope", "")
        if not scope or self.kind(scope) not in _NAMED_SCOPES:
            return name
        # A namespace of the library's own, such as libc++'s `__1`, is not written.
        own = name.startswith("__") and self.kind(reference) == "DINamespace"
        return "::".join(filter(None, (self.qualified_name(scope), "" if own else name)))

    @cached_property
    def function_nodes(self) -> dict[str, str]:
        """The node of every function by its linkage name."""
        nodes = (each for each, text in self._metadata.items() if "!DISubprogram(" in text)
        return {self._symbol(reference): reference for reference in nodes}

    def _frames(self, reference: str) -> Iterator[tuple[str, str]]:
        """The file and the function of a location, and of each that it was inlined at."""
        while reference:
            fields = self.fields(reference)
            yield self._file_of(fields["scope"]), self._function_of(fields["scope"])
            reference = fields.get("inlinedAt", "")

    def _function_of(self, scope: str) -> str:
        while self.kind(scope) != "DISubprogram":
            scope = self.fields(scope)["scope"]
        return scope

    def _symbol(self, function: str) -> str:
        fields = self.fields(function)
        return fields.get("linkageName", fields.get("name", ""))

    def declaration_line(self, reference: str) -> str:
        """`file:line` of a function, or nothing of one that clang made by itself."""
        line = self.fields(reference).get("line", "")
        return f"{PurePath(self._file_of(reference)).name}:{line}" if line else ""

    def variable(self, reference: str, is_library: Callable[[str], bool]) -> str:
        """The name of a variable, or an empty string if it is a library's own."""
        fields = self.fields(reference)
        return "" if is_library(self._file_of(reference)) else fields.get("name", "")

    def _file_of(self, scope: str) -> str:
        while True:
            fields = self.fields(scope)
            if "file" in fields:
                return self.fields(fields["file"])["filename"]
            if "scope" not in fields:
                return ""
            scope = fields["scope"]

    @cached_property
    def function_names(self) -> dict[str, str]:
        """The plain name of every function that has one, by its linkage name."""
        names = {}
        for reference, text in self._metadata.items():
            if "!DISubprogram(" in text:
                fields = self.fields(reference)
                # What initialises the variables of a file has no name in C++.
                if name := fields.get("name"):
                    names[fields.get("linkageName", name)] = name
        return names

    def global_name(self, definition: str) -> str:
        """The plain name of a global variable from its definition, or an empty string."""
        found = _ATTACHED.search(definition)
        if not found:
            return ""
        return self.fields(self.fields(found[1])["var"]).get("name", "")

    # Types

    def parameter_types(self, function: str) -> list[str]:
        """The types of a function's parameters, references and aliases resolved."""
        signature = self.fields(self.fields(function)["type"])["types"]
        return [self._referred(reference) for reference in self.elements(signature)]

    def _resolve(self, reference: str) -> str:
        """The type behind aliases and qualifiers; `void` has none."""
        while self.kind(reference) == "DIDerivedType" and self.fields(reference)["tag"] not in _ADDRESSES:
            base = self.fields(reference).get("baseType")
            if base is None:
                break
            reference = base
        return reference

    def _referred(self, reference: str) -> str:
        """The type that a parameter is of or refers to."""
        reference = self._resolve(reference)
        while self.kind(reference) == "DIDerivedType":
            reference = self._resolve(self.fields(reference)["baseType"])
        return reference

    def type_name(self, reference: str) -> str:
        """The name of a type without its namespaces."""
        return self.fields(self._resolve(reference)).get("name", "")

    def leaves(self, reference: str, is_whole: Callable[[str], bool]) -> Iterator[Leaf]:
        """The scalars of a class in the order of its members; classes that are `is_whole` uncut."""
        yield from self._leaves(reference, "", 0, "", is_whole)

    def _leaves(
        self, reference: str, name: str, offset: int, line: str, is_whole: Callable[[str], bool]
    ) -> Iterator[Leaf]:
        reference = self._resolve(reference)
        fields = self.fields(reference)
        size = int(fields.get("size", "0"))
        tag = fields.get("tag", "")
        if tag in ("DW_TAG_structure_type", "DW_TAG_class_type"):
            class_name = fields.get("name", "")
            if is_whole(class_name):
                yield Leaf(name, class_name, offset, size, 0, False, line)
            else:
                yield from self._members(fields, name, offset, line, is_whole)
        elif tag == "DW_TAG_array_type":
            yield from self._array(fields, name, offset, line, is_whole)
        else:
            width, signed = self._scalar(reference)
            if tag == _UNION:
                name = name or "union"
            kind = "address" if tag in _ADDRESSES else "float" if self._is_float(fields) else ""
            yield Leaf(name, "", offset, size, width or size, signed, line, kind=kind)

    def _members(
        self, fields: Mapping[str, str], name: str, offset: int, line: str, is_whole: Callable[[str], bool]
    ) -> Iterator[Leaf]:
        for member in self.elements(fields["elements"]):
            own = self.fields(member)
            flags = own.get("flags", "")
            if own.get("tag") not in ("DW_TAG_member", "DW_TAG_inheritance") or "StaticMember" in flags:
                continue
            place = offset + int(own.get("offset", "0"))
            if own.get("name") in _ALONE:
                yield from self._leaves(own["baseType"], name, place, line, is_whole)
                continue
            path = "_".join(part for part in (name, own.get("name", "")) if part)
            if "file" in own and own.get("line", "0") != "0":
                line = f"{PurePath(self.fields(own['file'])['filename']).name}:{own['line']}"
            if "BitField" in flags:
                width = int(own["size"])
                yield Leaf(path, "", place, width, width, False, line)
            else:
                holder = self.qualified_name(self._resolve(own["baseType"]))
                for leaf in self._leaves(own["baseType"], path, place, line, is_whole):
                    hidden = leaf.kind == "address" and holder.startswith("std::")
                    yield replace(leaf, name=path, line=line, holder=holder) if hidden else leaf

    def _array(
        self, fields: Mapping[str, str], name: str, offset: int, line: str, is_whole: Callable[[str], bool]
    ) -> Iterator[Leaf]:
        counts = [int(self.fields(item)["count"]) for item in self.elements(fields["elements"])]
        total = 1
        for count in counts:
            total *= count
        if -1 in counts:
            yield Leaf(name, "", offset, 0, 0, False, line, kind="endless")
            return
        # Of no elements an array has no size either.
        stride = int(fields.get("size", "0")) // max(total, 1)
        for flat in range(total):
            indices, rest = [], flat
            for count in reversed(counts):
                indices.append(rest % count)
                rest //= count
            path = "_".join([name, *(str(index) for index in reversed(indices))])
            for leaf in self._leaves(fields["baseType"], path, offset + flat * stride, line, is_whole):
                end = offset + total * stride
                yield replace(leaf, array_start=offset, array_end=end, array_stride=stride)

    def _is_float(self, fields: Mapping[str, str]) -> bool:
        return "float" in fields.get("encoding", "")

    def _scalar(self, reference: str) -> tuple[int, bool]:
        """The bits that carry a value (0: all), and whether its sign fills the rest."""
        fields = self.fields(reference)
        encoding = fields.get("encoding", "")
        if encoding == "DW_ATE_boolean":
            return 1, False
        found = _BIT_INT.search(fields.get("name", ""))
        return int(found[1]) if found else 0, encoding == "DW_ATE_signed"


def without_arguments(name: str) -> str:
    """The name of a function or class without the arguments of a template; of an operator as it is."""
    return name if name.startswith("operator") else name.partition("<")[0]
