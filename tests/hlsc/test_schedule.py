"""Schedules are sound, and stand where few registers are needed."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.hlsc.differential import source
from thresher.hlsc.builder import Builder
from thresher.hlsc.clang import emit_llvm
from thresher.hlsc.compiler import optimise
from thresher.hlsc.cut import cut
from thresher.hlsc.frontend.unit import unit_graph
from thresher.hlsc.ir import Input, Memory, Node, Op, Output, Table, UnitGraph
from thresher.hlsc.llvm.parser import parse
from thresher.hlsc.schedule.delay import delay_model
from thresher.hlsc.schedule.dependencies import dependencies
from thresher.hlsc.schedule.maximum_flow import UNLIMITED, Network
from thresher.hlsc.schedule.registers import Registers
from thresher.hlsc.schedule.stages import schedule
from thresher.hlsc.schedule.timing import Timing

CLOCKS = (50.0, 150.0, 400.0)


@pytest.mark.parametrize("seed", range(40))
def test_the_cut_is_the_cheapest_of_all(seed: int) -> None:
    rng = random.Random(seed)
    size = rng.randint(3, 8)
    edges = [
        (tail, head, rng.choice([1, 2, 5, 9, UNLIMITED]))
        for tail, head in itertools.permutations(range(size), 2)
        if rng.random() < 0.4 and (tail, head) != (0, 1)
    ]
    network = Network(size)
    for edge in edges:
        network.connect(*edge)

    def cost(near: tuple[bool, ...]) -> int:
        return sum(room for tail, head, room in edges if near[tail] and not near[head])

    sides = [(True, False, *rest) for rest in itertools.product((False, True), repeat=size - 2)]
    assert cost(tuple(network.near_side(0, 1))) == min(map(cost, sides))


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> list[UnitGraph]:
    folder = tmp_path_factory.mktemp("units")
    texts = [emit_llvm(source(folder, seed)).text for seed in range(3000, 3012)]
    return [optimise(unit_graph(parse(text)), delay_model("xc7")) for text in texts]


@pytest.mark.parametrize("family", ["xc7", "ecp5"])
@pytest.mark.parametrize("clock", CLOCKS)
def test_everything_stands_after_what_it_needs(graphs: list[UnitGraph], clock: float, family: str) -> None:
    delays = delay_model(family)
    for whole in graphs:
        graph = cut(whole, delays, clock)
        plan = schedule(graph, delays, clock)
        for point, needed in dependencies(graph).of.items():
            for other in needed:
                before = plan.stage[other] if isinstance(other, Memory) else plan.ready(other)
                reads_itself = isinstance(point, Memory) and isinstance(other, Node) and other.op is Op.RAM
                assert before <= plan.stage[point] or reads_itself
        assert all(0 <= stage < plan.stages for stage in plan.stage.values())
        assert all(plan.stage[node] == 0 for node in graph.nodes() if node.op is Op.INPUT)
        in_time = [when <= delays.usable_ns(clock) for when in plan.stage_ns]
        assert all(in_time) == (not plan.misses)


@pytest.mark.parametrize("family", ["xc7", "ecp5"])
def test_a_word_is_there_before_its_register(family: str) -> None:
    """The sum that gives the address stands in the stage of the look-up tables only where both fit in."""
    delays = delay_model(family)
    graph = table_unit(6)
    (total,) = (node for node in graph.nodes() if node.op is Op.ADD)
    (read,) = (node for node in graph.nodes() if node.op is Op.ROM)
    both = delays.delay_ns(total, first=True) + delays.delay_ns(read)
    apart = set()
    for clock in range(20, 400, 20):
        plan = schedule(graph, delays, clock)
        usable = delays.usable_ns(clock)
        assert plan.registered == {read}
        assert plan.ready(read) == plan.stage[read] + 1 <= plan.stages
        together = plan.stage[total] == plan.stage[read]
        assert together == (both <= usable), clock
        assert plan.stage_ns[plan.stage[read]] == pytest.approx(both if together else delays.delay_ns(read))
        apart.add(together)
    assert apart == {False, True}


@pytest.mark.parametrize("family", ["xc7", "ecp5"])
def test_a_table_that_takes_longer_than_a_cycle_is_said(family: str) -> None:
    delays = delay_model(family)
    graph = table_unit(9)
    (read,) = (node for node in graph.nodes() if node.op is Op.ROM)
    takes = delays.delay_ns(read)

    assert [schedule(graph, delays, clock).misses for clock in (20.0, 1000.0 / takes)] == [(), (read,)]


def table_unit(bits: int) -> UnitGraph:
    """A table of one bit a word, at the sum of two numbers."""
    builder = Builder()
    always = builder.const(1, 1)
    table = Table("words", 1, tuple(place % 3 % 2 for place in range(2**bits)))
    pair = builder.input("x", 2 * bits)
    address = builder.add(builder.slice(pair, 0, bits), builder.slice(pair, bits, bits))
    word = builder.rom(table, address)
    inputs = (Input("x", 2 * bits, always),)
    return UnitGraph(inputs, (Output("y", 1, always, word),), (), (), {"words": table})


def test_fewer_registers_than_where_everything_is_as_early_as_can_be(graphs: list[UnitGraph]) -> None:
    delays = delay_model("xc7")
    saved = []
    for whole in graphs:
        graph = cut(whole, delays, 300.0)
        timing = Timing(graph, dependencies(graph), delays, delays.usable_ns(300.0))
        registers = Registers(timing)
        earliest, last = registers.earliest, max(registers.earliest, default=0)
        saved.append(registers.count(earliest, last) - registers.count(registers.fewest(last), last))

    assert min(saved) >= 0
    assert max(saved) > 0
