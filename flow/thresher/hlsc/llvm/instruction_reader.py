"""Recursive descent over one instruction."""

from __future__ import annotations

import re

from thresher.hlsc.llvm.module import Instruction, Operand
from thresher.hlsc.llvm.reader import Reader, name_of
from thresher.hlsc.llvm.types import IntegerType, OtherType

_BINARY = re.compile("add|sub|mul|[us]div|[us]rem|shl|[la]shr|and|or|xor|f(add|sub|mul|div|rem)")
_CASTS = re.compile(
    "trunc|[zs]ext|fp(trunc|ext|toui|tosi)|[us]itofp|ptrto(int|addr)|inttoptr|(bit|addrspace)cast"
)
_SCALARS = re.compile(r"i\d+|ptr|void|half|bfloat|float|double|fp128|x86_fp80|ppc_fp128")


class InstructionReader(Reader):
    """Reads the instructions that clang writes for integer code; of others it keeps the name."""

    def instruction(self, location: str) -> Instruction:
        """One instruction."""
        result = ""
        if self.peek().startswith("%") and self._tokens[self._at + 1] == "=":
            result = name_of(self.next())
            self.expect("=")
        opcode = self.next()
        if opcode in ("tail", "musttail", "notail"):
            opcode = self.next()
        made = self._body(opcode)
        return Instruction(made.opcode, made.type, made.operands, made.labels, made.detail, result, location)

    def _body(self, opcode: str) -> Instruction:
        if _BINARY.fullmatch(opcode):
            return self._binary(opcode)
        if _CASTS.fullmatch(opcode):
            return self._cast(opcode)
        special = getattr(self, f"_read_{opcode}", None)
        if special is None:
            return Instruction(opcode, OtherType("void"))
        made: Instruction = special()
        return made

    def _flags(self) -> None:
        """Skip flags such as `nuw`; the first token of a type ends them."""
        while re.fullmatch(r"[a-z]\w*", self.peek()) and not self._begins_type():
            if self.next() == "align" and self.peek() != "(":
                self.next()
            if self.peek() == "(":
                self._parentheses()

    def _begins_type(self) -> bool:
        return bool(_SCALARS.fullmatch(self.peek()))

    def _pair(self) -> tuple[Operand, Operand]:
        first = self.operand()
        self.expect(",")
        return first, Operand(first.type, self.value(first.type))

    def _binary(self, opcode: str) -> Instruction:
        self._flags()
        pair = self._pair()
        return Instruction(opcode, pair[0].type, pair)

    def _cast(self, opcode: str) -> Instruction:
        self._flags()
        operand = self.operand()
        self.expect("to")
        return Instruction(opcode, self.type(), (operand,))

    def _read_icmp(self) -> Instruction:
        self.accept("samesign")
        predicate = self.next()
        return Instruction("icmp", IntegerType(1), self._pair(), detail=predicate)

    def _read_select(self) -> Instruction:
        self._flags()
        operands = [self.operand()]
        while self.accept(","):
            operands.append(self.operand())
        return Instruction("select", operands[1].type, tuple(operands))

    def _read_phi(self) -> Instruction:
        self._flags()
        kind = self.type()
        operands: list[Operand] = []
        labels: list[str] = []
        while self.accept("["):
            operands.append(Operand(kind, self.value(kind)))
            self.expect(",")
            labels.append(name_of(self.next()))
            self.expect("]")
            self.accept(",")
        return Instruction("phi", kind, tuple(operands), tuple(labels))

    def _read_alloca(self) -> Instruction:
        kind = self.type()
        counts = (self.operand(),) if self.accept(",") and self.peek() != "align" else ()
        return Instruction("alloca", kind, counts)

    def _read_load(self) -> Instruction:
        self._flags()
        kind = self.type()
        self.expect(",")
        return Instruction("load", kind, (self.operand(),))

    def _read_store(self) -> Instruction:
        self._flags()
        value = self.operand()
        self.expect(",")
        return Instruction("store", OtherType("void"), (value, self.operand()))

    def _read_getelementptr(self) -> Instruction:
        detail = "inbounds" if self.peek() == "inbounds" else ""
        self._flags()
        kind = self.type()
        operands: list[Operand] = []
        while self.accept(","):
            operands.append(self.operand())
        return Instruction("getelementptr", kind, tuple(operands), detail=detail)

    def _read_freeze(self) -> Instruction:
        operand = self.operand()
        return Instruction("freeze", operand.type, (operand,))

    def _read_extractvalue(self) -> Instruction:
        operand = self.operand()
        self.expect(",")
        return Instruction("extractvalue", operand.type, (operand,), detail=self.next())

    def _read_br(self) -> Instruction:
        if self.accept("label"):
            return Instruction("br", OtherType("void"), labels=(name_of(self.next()),))
        condition = self.operand()
        labels = []
        while self.accept(","):
            self.expect("label")
            labels.append(name_of(self.next()))
        return Instruction("br", OtherType("void"), (condition,), tuple(labels))

    def _read_switch(self) -> Instruction:
        operands, labels = [self.operand()], []
        self.expect(",")
        self.expect("label")
        labels.append(name_of(self.next()))
        self.expect("[")
        while not self.accept("]"):
            operands.append(self.operand())
            self.expect(",")
            self.expect("label")
            labels.append(name_of(self.next()))
        return Instruction("switch", OtherType("void"), tuple(operands), tuple(labels))

    def _read_ret(self) -> Instruction:
        if self.accept("void"):
            return Instruction("ret", OtherType("void"))
        return Instruction("ret", OtherType("void"), (self.operand(),))

    def _read_call(self) -> Instruction:
        self._flags()
        kind = self.type()
        if self.peek() == "(":
            self._parentheses()
        callee = self.next()
        if callee == "asm":
            return Instruction("asm", kind)
        self.expect("(")
        operands: list[Operand] = []
        while not self.accept(")"):
            operands.append(self.operand())
            self.accept(",")
        detail = name_of(callee) if callee.startswith("@") else ""
        return Instruction("call", kind, tuple(operands), detail=detail)
