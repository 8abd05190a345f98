"""Identifiers: legal, unique, and as near to the C++ as can be."""

from __future__ import annotations

import re
from collections.abc import Iterable

from thresher.hlsc.ir import Node, Op, Origin

_KEYWORD_TEXT = """
    accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before
    begin bind bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class
    clocking cmos config const constraint context continue cover covergroup coverpoint cross deassign
    default defparam design disable dist do edge else end endcase endchecker endclass endclocking endconfig
    endfunction endgenerate endgroup endinterface endmodule endpackage endprimitive endprogram endproperty
    endsequence endspecify endtable endtask enum event eventually expect export extends extern final
    first_match for force foreach forever fork forkjoin function generate genvar global highz0 highz1 if iff
    ifnone ignore_bins illegal_bins implements implies import incdir include initial inout input inside
    instance int integer interconnect interface intersect join join_any join_none large let liblist library
    local localparam logic longint macromodule matches medium modport module nand negedge nettype new
    nexttime nmos nor noshowcancelled not notif0 notif1 null or output package packed parameter pmos posedge
    primitive priority program property protected pull0 pull1 pulldown pullup pulsestyle_ondetect
    pulsestyle_onevent pure rand randc randcase randsequence rcmos real realtime ref reg reject_on release
    repeat restrict return rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually s_nexttime s_until
    s_until_with scalared sequence shortint shortreal showcancelled signed small soft solve specify
    specparam static string strong strong0 strong1 struct super supply0 supply1 sync_accept_on
    sync_reject_on table tagged task this throughout time timeprecision timeunit tran tranif0 tranif1 tri
    tri0 tri1 triand trior trireg type typedef union unique unique0 unsigned until until_with untyped use
    uwire var vectored virtual void wait wait_order wand weak weak0 weak1 while wildcard wire with within
    wor xnor xor
"""
_KEYWORDS = frozenset(_KEYWORD_TEXT.split())

_BY_OPERATION = {
    Op.NOT: "inverse",
    Op.AND: "both",
    Op.OR: "either",
    Op.XOR: "differ",
    Op.ADD: "sum",
    Op.SUB: "difference",
    Op.MUL: "product",
    Op.EQ: "equal",
    Op.ULT: "below",
    Op.SLT: "below",
    Op.SELECT: "choice",
    Op.SHL: "shifted",
    Op.LSHR: "shifted",
    Op.ASHR: "shifted",
    Op.COMPRESS: "columns",
    Op.CONCAT: "word",
}


def identifier(text: str) -> str:
    """`text` as a legal identifier; unequal texts may give equal ones."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    name = re.sub("__+", "_", name).rstrip("_")
    if not name or name[0].isdigit():
        name = f"v{name}"
    return f"{name}_v" if name in _KEYWORDS else name


class Names:
    """Hands out identifiers, each once."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._next: dict[str, int] = {}

    def take(self, wanted: str) -> str:
        """An identifier like `wanted` that nothing else has."""
        base = identifier(wanted)
        name = base
        while name in self._taken:
            self._next[base] = self._next.get(base, 0) + 1
            name = f"{base}_{self._next[base]}"
        self._taken.add(name)
        return name


def wanted_name(node: Node, origin: Origin | None) -> str:
    """What a node would be called if names were free."""
    if node.op is Op.INPUT:
        return (origin and origin.name) or f"{node.symbol}_beat"
    if node.op in (Op.VALID, Op.FULL):
        return f"{node.symbol}_{'tvalid' if node.op is Op.VALID else 'full'}"
    if node.op is Op.STATE:
        return node.symbol
    if origin and origin.name:
        return origin.name
    if node.op in (Op.ROM, Op.RAM):
        return f"{node.symbol}_word"
    return _BY_OPERATION.get(node.op, "value")
