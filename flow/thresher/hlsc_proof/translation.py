"""The LLVM IR of a step, instruction by instruction, as statements of one `always_comb`.

Blocks stand in topological order. `run` of a block says whether the step comes through it; values are
computed in any case, memory and streams change only where it runs. Nothing is optimised, and nothing is
shared with hlsc's own reading of the same step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from thresher.hlsc_proof import meaning
from thresher.hlsc_proof.addresses import ADDRESS_BITS, Pointer
from thresher.hlsc_proof.calls import Calls
from thresher.hlsc_proof.llvm_module import UntranslatedError, Value
from thresher.hlsc_proof.values import number, plain_name, run_of, text_of, width_of

_PREDICATE = re.compile(r" = icmp (?:samesign )?(\w+) ")
_STEPPED = re.compile(r" = getelementptr (?:(?:inbounds|nuw|nusw) )*(.+?), ptr ")
_ALLOCATED = re.compile(r" = alloca (.+?)(?:, i\d+ \d+)?(?:, align \d+)?(?:, !.*)?$")
_CASE = re.compile(r"i\d+ (-?\d+|true|false), label")
_BOOLEANS = {"true": 1, "false": 0}
_NUMBER = re.compile(r", (\d+)(?:, !.*)?$")


class Translation(Calls):
    """Translates instructions and control flow."""

    def step(self) -> None:
        """Translate `thresher_step`.

        Raises:
            UntranslatedError: it has something that has no translation.
        """
        function = self.module.function("thresher_step")
        unit, ports = function.arguments
        self._values |= {unit.name: self._unit, ports.name: self._ports}
        blocks = {block.name: block for block in function.blocks}
        order = self._order(blocks, next(iter(blocks)))
        for name in order:
            for other in order:
                if (edge := _edge(other, name)) in self.variables:
                    self._add(f"{run_of(name)} = {run_of(name)} | {edge};")
            for instruction in blocks[name].instructions:
                self._instruction(instruction, name)
        if self._space.is_full:
            raise self.module.refusal("constants of so many bytes")

    def _order(self, blocks: dict[str, Value], entry: str) -> list[str]:
        """The blocks that can be reached, in topological order; each gets its `run`."""
        order: list[str] = []
        pending: list[tuple[str, Iterator[str]]] = [(entry, iter(_successors(blocks[entry])))]
        seen, open_ = {entry}, {entry}
        while pending:
            name, rest = pending[-1]
            following = next(rest, None)
            if following in open_:
                raise self.module.refusal("a loop")
            if following is None:
                pending.pop()
                open_.discard(name)
                order.append(name)
            elif following not in seen:
                seen.add(following)
                open_.add(following)
                pending.append((following, iter(_successors(blocks[following]))))
        order.reverse()
        for name in order:
            self.variables[run_of(name)] = 1
            self._add(f"{run_of(name)} = 1'b{int(name == entry)};")
        return order

    def _leave(self, block: str, taken: Sequence[tuple[str, str]]) -> None:
        """Go on to a block on each condition; the same block may be named several times."""
        for target in dict.fromkeys(target for target, _ in taken):
            condition = " | ".join(f"({condition})" for name, condition in taken if name == target)
            self.variables[_edge(block, target)] = 1
            self._add(f"{_edge(block, target)} = {run_of(block)} & ({condition});")

    def _branch(self, instruction: Value, block: str) -> None:
        first, *targets = instruction.operands
        if not targets:
            self._leave(block, [(first.name, "1'b1")])
            return
        condition = self._integer(first)
        no, yes = targets
        self._leave(block, [(yes.name, condition), (no.name, f"~{condition}")])

    def _switch(self, instruction: Value, block: str) -> None:
        subject, default, *targets = instruction.operands
        value, width = self._integer(subject), width_of(subject)
        cases = [int(_BOOLEANS.get(case, case)) for case in _CASE.findall(str(instruction))]
        tests = [f"{value} == {number(width, case)}" for case in cases]
        others = " & ".join(f"!({test})" for test in tests) or "1'b1"
        named = zip((target.name for target in targets), tests, strict=True)
        self._leave(block, [*named, (default.name, others)])

    def _phi(self, instruction: Value, block: str) -> None:
        found = zip(instruction.operands, instruction.incoming_blocks, strict=True)
        edges = {
            edge: value for value, other in found if (edge := _edge(other.name, block)) in self.variables
        }
        self._choose(instruction, list(edges.items()))

    def _instruction(self, instruction: Value, block: str) -> None:
        opcode = instruction.opcode
        action = _ACTIONS.get(opcode)
        if opcode in meaning.BINARY:
            self._binary(instruction, block)
        elif action is None:
            raise self._refused(instruction)
        else:
            action(self, instruction, block)

    def _refused(self, instruction: Value) -> UntranslatedError:
        text = str(instruction).split(", !")[0].strip()
        return self.module.refusal(f"the LLVM instruction '{text}'")

    def _binary(self, instruction: Value, block: str) -> None:
        a, b = (self._integer(operand) for operand in instruction.operands)
        if instruction.opcode in meaning.DIVISIONS:
            undefined = meaning.undefined_division(instruction.opcode, width_of(instruction), a, b)
            self._leave_out(f"{run_of(block)} & ({undefined})")
        text = meaning.BINARY[instruction.opcode](a, b)
        self._values[instruction.name] = self._fresh(width_of(instruction), text)

    def _icmp(self, instruction: Value, _: str) -> None:
        found = _PREDICATE.search(str(instruction))
        assert found is not None
        a, b = (text_of(self._value(operand)) for operand in instruction.operands)
        self._values[instruction.name] = self._fresh(1, meaning.compared(found[1], a, b))

    def _cast(self, instruction: Value, _: str) -> None:
        (operand,), width = instruction.operands, width_of(instruction)
        text = meaning.extended(instruction.opcode, width, self._integer(operand))
        self._values[instruction.name] = self._fresh(width, text)

    def _freeze(self, instruction: Value, _: str) -> None:
        (operand,) = instruction.operands
        self._values[instruction.name] = self._value(operand)

    def _select(self, instruction: Value, _: str) -> None:
        condition, yes, no = instruction.operands
        self._choose(instruction, [(self._integer(condition), yes), ("", no)])

    def _alloca(self, instruction: Value, _: str) -> None:
        (count,) = instruction.operands
        found = _ALLOCATED.search(str(instruction))
        assert found is not None
        size = self.module.size_of(self.module.type_of(found[1])) * count.get_constant_value()
        variable = f"local{len(self.variables)}"
        self._values[instruction.name] = self._object(variable, size)
        self._add(f"{variable} = '0;")

    def _read_memory(self, instruction: Value, _: str) -> None:
        (pointer,), width = instruction.operands, width_of(instruction)
        if not width:
            raise self._refused(instruction)
        self._values[instruction.name] = self._load(self._pointer(pointer), width)

    def _write_memory(self, instruction: Value, block: str) -> None:
        value, pointer = instruction.operands
        size = -(-width_of(value) // 8)
        self._store_integer(self._pointer(pointer), size, self._integer(value), run_of(block))

    def _getelementptr(self, instruction: Value, _: str) -> None:
        base, *indices = instruction.operands
        found = _STEPPED.search(str(instruction))
        assert found is not None
        kind, steps = self.module.type_of(found[1]), [self._index(index) for index in indices]
        pointer = self._stepped(self._pointer(base), kind, steps)
        if pointer.step:
            pointer = Pointer(
                self._fresh(ADDRESS_BITS, pointer.text), pointer.first, pointer.step, pointer.objects
            )
        self._values[instruction.name] = pointer

    def _extractvalue(self, instruction: Value, _: str) -> None:
        (pair,) = instruction.operands
        found, index = self._values[pair.name], _NUMBER.search(str(instruction))
        assert isinstance(found, tuple) and index is not None
        self._values[instruction.name] = found[int(index[1])]

    def _unreachable(self, _: Value, block: str) -> None:
        self._leave_out(run_of(block))


Action = Callable[[Translation, Value, str], None]

_ACTIONS: dict[str, Action] = {
    "br": Translation._branch,
    "switch": Translation._switch,
    "ret": lambda translation, instruction, block: None,
    "unreachable": Translation._unreachable,
    "phi": Translation._phi,
    "icmp": Translation._icmp,
    **dict.fromkeys(("zext", "sext", "trunc"), Translation._cast),
    "freeze": Translation._freeze,
    "select": Translation._select,
    "alloca": Translation._alloca,
    "load": Translation._read_memory,
    "store": Translation._write_memory,
    "getelementptr": Translation._getelementptr,
    "extractvalue": Translation._extractvalue,
    "call": Translation._call,
}


def _successors(block: Value) -> list[str]:
    *_, last = block.instructions
    if last.opcode not in ("br", "switch"):
        return []
    return [operand.name for operand in last.operands if operand.value_kind.name == "basic_block"]


def _edge(block: str, target: str) -> str:
    return f"edge_{plain_name(block)}_to_{plain_name(target)}"
