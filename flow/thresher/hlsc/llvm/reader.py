"""Recursive descent over the tokens of one line: types and values."""

from __future__ import annotations

import re
from collections.abc import Mapping

from thresher.hlsc.fault import HlscFaultError
from thresher.hlsc.llvm.module import (
    Address,
    Aggregate,
    Local,
    Number,
    Opaque,
    Operand,
    Undefined,
    Value,
    Zeros,
)
from thresher.hlsc.llvm.types import (
    ArrayType,
    IntegerType,
    OtherType,
    PointerType,
    StructType,
    Type,
    bytes_of,
    struct_offsets,
)

_TOKEN = re.compile(
    r'c?"[^"]*"|[%@](?:"[^"]*"|[-\w.$]+)|\.\.\.|-?\d+\.\d+e[-+]\d+|-?[\w.]+|[!#][\w.]*|<\{|\}>|\S'
)
_ESCAPE = re.compile(rb"\\(\\|[0-9A-Fa-f]{2})")
_INTEGER = re.compile(r"i\d+")
_WORDS: dict[str, Value] = {
    "true": Number(1),
    "false": Number(0),
    "null": Number(0),
    "undef": Undefined(),
    "poison": Undefined(),
}
_BRACKETS = {"[": "]", "{": "}", "<{": "}>"}


def name_of(token: str) -> str:
    """A name without its sigil; of one in quotes, what the quotes mean."""
    name = token[1:] if token[:1] in ("%", "@") else token
    return text_of(name[1:-1]) if name.startswith('"') else name


def text_of(escaped: str) -> str:
    """The text that stands between quotes, which LLVM writes in ASCII."""
    return bytes_of_string(escaped).decode(errors="backslashreplace")


def bytes_of_string(escaped: str) -> bytes:
    r"""The bytes that stand between quotes: `\\` is a backslash, `\xx` any byte in hexadecimal."""
    return _ESCAPE.sub(lambda found: _unescaped(found[1]), escaped.encode())


def _unescaped(escape: bytes) -> bytes:
    return escape if escape == b"\\" else bytes([int(escape, 16)])


class Reader:
    """A position in the tokens of a line. Methods raise IndexError or ValueError on what is no IR.

    `types` are the named types of the module, as they are written.
    """

    def __init__(self, text: str, types: Mapping[str, str] | None = None) -> None:
        self._types = types or {}
        self._tokens: list[str] = _TOKEN.findall(text)
        self._at = 0

    def peek(self) -> str:
        """The next token; an empty string at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def next(self) -> str:
        """Take the next token."""
        token = self._tokens[self._at]
        self._at += 1
        return token

    def accept(self, token: str) -> bool:
        """Take the next token if it is `token`."""
        if self.peek() != token:
            return False
        self._at += 1
        return True

    def expect(self, token: str) -> None:
        """Take `token`."""
        if not self.accept(token):
            raise ValueError(f"'{token}' is missing before '{self.peek()}'")

    # Types

    def type(self) -> Type:
        """A type."""
        token = self.next()
        if _INTEGER.fullmatch(token):
            return IntegerType(int(token[1:]))
        if token == "ptr":
            if self.accept("addrspace"):
                self._parentheses()
            return PointerType()
        if token == "[":
            count = int(self.next())
            self.expect("x")
            element = self.type()
            self.expect("]")
            return ArrayType(count, element)
        if token in ("{", "<{"):
            return self._struct("}" if token == "{" else "}>")
        return self._vector() if token == "<" else self._other(token)

    def _other(self, token: str) -> Type:
        """A named type, or one that hlsc has no use for."""
        text = self._types.get(name_of(token)) if token.startswith("%") else None
        return Reader(text, self._types).type() if text else OtherType(token)

    def _struct(self, closing: str) -> StructType:
        elements: list[Type] = []
        while not self.accept(closing):
            elements.append(self.type())
            self.accept(",")
        return StructType(tuple(elements), packed=closing == "}>")

    def _vector(self) -> OtherType:
        words = []
        while (token := self.next()) != ">":
            words.append(token)
        return OtherType(f"<{' '.join(words)}>")

    # Values

    def operand(self) -> Operand:
        """A type, attributes, and a value."""
        kind = self.type()
        self._attributes()
        return Operand(kind, self.value(kind))

    def _attributes(self) -> None:
        """Skip what stands between the type of an argument and its value."""
        while self.peek() in ("align", "dereferenceable", "dereferenceable_or_null") or self._is_attribute():
            aligned = self.next() == "align"
            if self.peek() == "(":
                self._parentheses()
            elif aligned:
                self.next()

    def _is_attribute(self) -> bool:
        token = self.peek()
        if not token[:1].isalpha() or token in _WORDS or token.startswith('c"'):
            return False
        return token not in ("zeroinitializer", "getelementptr", "splat")

    def _parentheses(self) -> None:
        """Skip a balanced group."""
        self.expect("(")
        depth = 1
        while depth:
            depth += {"(": 1, ")": -1}.get(self.next(), 0)

    def value(self, kind: Type) -> Value:
        """A value of a type that has been read."""
        token = self.next()
        if token.startswith("%"):
            return Local(name_of(token))
        if token.startswith("@"):
            return Address(name_of(token))
        if token in _WORDS:
            return _WORDS[token]
        if token == "zeroinitializer":
            return Number(0) if isinstance(kind, IntegerType) else Zeros()
        if isinstance(kind, IntegerType) and re.fullmatch(r"-?\d+", token):
            return Number(int(token))
        return self._expression(token, kind)

    def _expression(self, token: str, kind: Type) -> Value:
        """A constant that is made of others."""
        if token.startswith('c"'):
            return _checked(_string(token), kind)
        if token in _BRACKETS:
            return _checked(self._aggregate(_BRACKETS[token]), kind)
        return self._address() if token == "getelementptr" else self._opaque(token)

    def _aggregate(self, closing: str) -> Aggregate:
        elements: list[Operand] = []
        while not self.accept(closing):
            elements.append(self.operand())
            self.accept(",")
        return Aggregate(tuple(elements))

    def _opaque(self, token: str) -> Opaque:
        if self.peek() == "(":
            self._parentheses()
        return Opaque(token)

    def _address(self) -> Value:
        """A constant `getelementptr`."""
        while self.peek() != "(":
            self.next()
            if self.peek() == "(" and self._tokens[self._at - 1] in ("inrange",):
                self._parentheses()
        self.expect("(")
        kind = self.type()
        self.expect(",")
        base = self.operand().value
        indices: list[int] = []
        while self.accept(","):
            index = self.operand().value
            if not isinstance(index, Number):
                return Opaque("getelementptr")
            indices.append(index.value)
        self.expect(")")
        if not isinstance(base, Address):
            return Opaque("getelementptr")
        return Address(base.symbol, base.offset + constant_offset(kind, indices))


def constant_offset(kind: Type, indices: list[int]) -> int:
    """The bytes that constant indices of a `getelementptr` over `kind` step."""
    offset = indices[0] * bytes_of(kind)
    for index in indices[1:]:
        if isinstance(kind, StructType):
            offset += struct_offsets(kind)[index]
            kind = kind.elements[index]
        elif isinstance(kind, ArrayType):
            offset += index * bytes_of(kind.element)
            kind = kind.element
        else:
            raise ValueError("an index into a scalar")
    return offset


def _string(token: str) -> Aggregate:
    """`c"..."`: an array of bytes."""
    return Aggregate(tuple(Operand(IntegerType(8), Number(byte)) for byte in bytes_of_string(token[2:-1])))


def _checked(value: Aggregate, kind: Type) -> Aggregate:
    """An aggregate that has the elements of its type.

    Raises:
        HlscFaultError: it has not, so that something before it was misread.
    """
    read = tuple(element.type for element in value.elements)
    wanted = _element_types(kind)
    if len(read) != len(wanted):
        raise HlscFaultError(f"a constant of {len(wanted)} elements is read as one of {len(read)}")
    if read != wanted:
        raise HlscFaultError("a constant is read as one of another type")
    return value


def _element_types(kind: Type) -> tuple[Type, ...]:
    if isinstance(kind, ArrayType):
        return (kind.element,) * kind.count
    return kind.elements if isinstance(kind, StructType) else ()
