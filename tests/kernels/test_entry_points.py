"""Kernels of other packages: what is taken, and what is said of those that cannot be."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.models import ModelBuilder
from thresher.errors import ThresherError, UnsupportedModelError, UsageError
from thresher.hardware.select import select_kernels
from thresher.ir.graph import interpret
from thresher.kernels import all_kernels
from thresher.kernels.installed import MOVED, available_kernels, custom_operators
from thresher.lower import Lowered, explain, lower
from thresher.lower.storage import dump_lowered, load_lowered
from thresher.onnx_import import import_model, parse_model
from thresher_sim.streams import IntType

# A kernel for an operator that adds a constant; all its other duties are those of `threshold`.
MODULE = """
from dataclasses import dataclass, replace
from typing import ClassVar
from thresher.kernels import CustomOperator, IntCustom, IntType, RefusalError
from thresher.kernels.threshold import Threshold

@dataclass(frozen=True)
class Raise(CustomOperator):
    domain: ClassVar[str] = "test.PACKAGE"
    op_type: ClassVar[str] = "Raise"
    by: int
    labels: tuple[str, ...]

    @classmethod
    def from_attributes(cls, attributes):
        if not isinstance(attributes.get("by"), int):
            raise RefusalError("its 'by' is not an integer", "give one")
        return cls(attributes["by"], attributes.get("labels", ()))

    def output(self, shape, source):
        if source.element.signed:
            raise RefusalError(f"its input is {source.element}", "use unsigned integers")
        return replace(source, element=IntType(source.element.lo, source.element.hi + 1))

    def evaluate(self, frames):
        if frames.ndim != 2:
            raise RefusalError(f"its frames have {frames.ndim - 1} axes", "flatten its input")
        return frames + self.by

class Raiser(Threshold):
    @classmethod
    def operators(cls):
        return (Raise,)

    @classmethod
    def take(cls, nodes):
        return (cls(nodes[0]), 1) if isinstance(nodes[0], IntCustom) else None
"""

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a package with one kernel where Python looks, as pip would; returns its folder."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(package: str, text: str = MODULE, entry: str = "{0}.{0}_unit:Raiser", module: str = "") -> Path:
        module = module or f"{package}_unit"
        folder, metadata = tmp_path / package, tmp_path / f"{package}-1.0.dist-info"
        folder.mkdir()
        metadata.mkdir()
        (folder / f"{module}.py").write_text(text.replace("PACKAGE", package))
        (folder / f"{module}.hpp").touch()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(
            f"[thresher.kernels]\nunit = {entry.format(package, module)}\n"
        )
        return folder

    yield put
    for name in [name for name, module in sys.modules.items() if _lies_in(module, tmp_path)]:
        del sys.modules[name]


def _lies_in(module: object, folder: Path) -> bool:
    return str(getattr(module, "__file__", "")).startswith(str(folder))


def problem() -> str:
    with pytest.raises(UsageError) as caught:
        available_kernels()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def lowered(build: ModelBuilder, output: str, input_type: IntType | None = None) -> Lowered:
    model = parse_model(with_domain(build.proto(output)).SerializeToString(), "m.onnx")
    return lower(import_model(model, operators=custom_operators()).graph, input_type)


def refusal(build: ModelBuilder, output: str, kind: type[ThresherError] = UnsupportedModelError) -> str:
    with pytest.raises(kind) as caught:
        lowered(build, output)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def with_domain(proto: onnx.ModelProto) -> onnx.ModelProto:
    proto.opset_import.append(helper.make_opsetid("test.alpha", 1))
    return proto


def network(shape: tuple[int, ...] = (1, 4), **quant: object) -> tuple[ModelBuilder, str]:
    """A quantiser of the input, and the tensor that it writes."""
    build = ModelBuilder(shape)
    return build, build.quant("x", **({"signed": False, "name": "q"} | quant))  # type: ignore[arg-type]


def raised(build: ModelBuilder, x: str, **attributes: object) -> str:
    """A node of the custom domain."""
    return build.node("Raise", x, name="up", domain="test.alpha", **attributes)


def finished(build: ModelBuilder, x: str) -> str:
    """A quantised layer on 4 elements."""
    return build.node("MatMul", x, build.weights(np.eye(4)), name="fc")


def test_installed_kernels_come_after_thresher_s_own(install: Install) -> None:
    install("bravo")
    install("alpha")

    names = [kernel.__module__ for kernel in available_kernels()]

    assert names[: len(all_kernels())] == [kernel.__module__ for kernel in all_kernels()]
    assert [name for name in names if name in {"alpha.alpha_unit", "bravo.bravo_unit"}] == [
        "alpha.alpha_unit",
        "bravo.bravo_unit",
    ]
    assert {("test.alpha", "Raise"), ("test.bravo", "Raise")} <= set(custom_operators())


def test_a_kernel_knows_its_header_and_namespace(install: Install) -> None:
    folder = install("alpha")

    kernel = next(kernel for kernel in available_kernels() if kernel.kernel_name() == "alpha_unit")

    assert (kernel.namespace(), kernel.unit_class(), kernel.cpp_folder()) == ("alpha", "AlphaUnit", folder)


def test_a_custom_node_becomes_an_integer_operator_and_a_layer(install: Install) -> None:
    install("alpha")
    build, x = network(scale=0.5)

    network_of_integers = lowered(build, finished(build, raised(build, x, by=1)))

    frames = np.arange(8).reshape(2, 1, 4)
    tensors = interpret(network_of_integers.graph, {network_of_integers.graph.inputs[0]: frames})
    assert np.array_equal(tensors["custom0_out"], frames + 1)
    layers = select_kernels(network_of_integers.graph)
    assert (layers[0].name, layers[0].onnx_nodes) == ("alpha_unit0", ("up",))


def test_a_custom_node_can_take_the_model_s_input_or_give_its_output(install: Install) -> None:
    install("alpha")
    build = ModelBuilder((1, 4))
    first = lowered(build, finished(build, raised(build, "x", by=1)), IntType(0, 15))
    build, x = network()
    last = lowered(build, build.node("Relu", raised(build, x, by=1)))

    assert [node.name for node in first.graph.nodes] == ["custom0", "matmul0"]
    assert ([node.name for node in last.graph.nodes], last.epilogue) == (["custom0"], "up_y")


def test_a_project_keeps_the_operator(install: Install) -> None:
    install("alpha")
    build, x = network()
    network_of_integers = lowered(build, finished(build, raised(build, x, by=1, labels=["a", "b"])))
    data = dump_lowered(network_of_integers)

    restored = load_lowered(data, custom_operators())

    assert restored.graph.nodes[0] == network_of_integers.graph.nodes[0]
    assert dump_lowered(restored) == data
    with pytest.raises(UsageError) as caught:
        load_lowered(data)
    assert str(caught.value) == (
        "load: the project has a unit for operator Raise of domain 'test.alpha', which no installed package "
        "knows; install the one that it was built with"
    )


def test_a_node_that_no_package_takes() -> None:
    build, x = network()

    assert refusal(build, finished(build, raised(build, x, by=1))) == (
        "import: node 'up': operator Raise is not supported (of domain 'test.alpha', which the host does not "
        "know either); install the package whose kernel takes it (an entry point of the group "
        "'thresher.kernels'), or export the model without it"
    )


def test_a_node_of_two_inputs(install: Install) -> None:
    install("alpha")
    build, x = network()
    x = build.node("Raise", x, np.ones(4, np.float32), name="up", domain="test.alpha")

    assert refusal(build, finished(build, x)) == (
        "import: node 'up': it has 2 inputs and 1 outputs, where a custom operator has one of each; pass "
        "constants as attributes"
    )


def test_attributes_that_the_operator_refuses(install: Install) -> None:
    install("alpha")
    build, x = network()

    assert refusal(build, finished(build, raised(build, x, by="1\n2"))) == (
        "import: node 'up': its 'by' is not an integer; give one"
    )


def test_an_attribute_that_is_a_graph(install: Install) -> None:
    install("alpha")
    build, x = network()
    graph = helper.make_graph([], "g", [], [])

    assert refusal(build, finished(build, raised(build, x, by=graph))) == (
        "import: node 'up': attribute 'by' is neither numbers, nor strings, nor a tensor; mend the export"
    )


def test_a_shape_that_the_operator_refuses(install: Install) -> None:
    install("alpha")
    build, x = network((1, 2, 2))

    assert refusal(build, raised(build, x, by=1)) == (
        "import: node 'up': its frames have 2 axes; flatten its input"
    )


def test_a_type_that_the_operator_refuses(install: Install) -> None:
    install("alpha")
    build, x = network(signed=True)

    assert refusal(build, finished(build, raised(build, x, by=1))) == (
        "lower: node 'up': its input is int4[-8..7]; use unsigned integers"
    )


def test_floats_ahead_of_the_operator(install: Install) -> None:
    install("alpha")
    build = ModelBuilder((1, 4))
    x = build.quant(raised(build, "x", by=1))

    assert refusal(build, finished(build, x)) == (
        "lower: node 'up': it works on integers, and its input has met no quantiser; quantise its input, or "
        "build with an input type"
    )


def test_a_function_ahead_of_the_operator(install: Install) -> None:
    install("alpha")
    build, x = network()
    x = raised(build, build.node("Add", x, np.ones(4, np.float32), name="add"), by=1)

    assert refusal(build, finished(build, x)) == (
        "lower: node 'up': it needs a quantiser between node 'add' and itself; quantise its input, as "
        "Brevitas' QuantIdentity does"
    )


def test_scales_per_channel(install: Install) -> None:
    install("alpha")
    build, x = network(scale=[1.0, 2.0, 1.0, 1.0])

    assert refusal(build, finished(build, raised(build, x, by=1))) == (
        "lower: node 'up': its input has scales or zero points per channel, and it takes one for the whole "
        "tensor; use one scale per tensor in the quantiser before it"
    )


def test_another_order_than_the_stream_s(install: Install) -> None:
    install("alpha")
    build, x = network((1, 2, 2))
    x = build.node("Flatten", build.node("Transpose", x, perm=[0, 2, 1]))

    assert refusal(build, finished(build, raised(build, x, by=1))) == (
        "lower: node 'up': its input is transposed, and a stream keeps the order in which it began; "
        "transpose behind it, or ahead of the first quantiser"
    )


def test_a_golden_model_that_leaves_its_type(install: Install) -> None:
    install("alpha")
    build, x = network()
    graph = lowered(build, finished(build, raised(build, x, by=2))).graph

    with pytest.raises(UsageError) as caught:
        interpret(graph, {graph.inputs[0]: np.full((1, 1, 4), 15)})

    assert str(caught.value) == (
        "golden: operator 'test.alpha.Raise' gave 17..17, outside of the uint5[0..16] that its `output` "
        "promises; mend its Python"
    )


def test_check_goes_on_past_a_refused_node(install: Install) -> None:
    install("alpha")
    build, x = network(signed=True)
    x = build.quant(raised(build, x, by=1), name="again")
    model = parse_model(with_domain(build.proto(finished(build, x))).SerializeToString(), "m.onnx")

    reports = {entry.node: entry for entry in explain(import_model(model, True, custom_operators()).graph)}

    assert (reports["up"].taken_by, reports["up"].reason) == (None, "its input is int4[-8..7]")
    assert reports["fc"].taken_by == "matmul0"


@pytest.mark.parametrize("old", MOVED)
def test_a_package_that_imports_a_module_by_its_old_name(install: Install, old: str) -> None:
    install("alpha", f"import {old}")

    assert problem() == (
        "kernels: package 'alpha', entry point 'unit': it cannot be imported (ModuleNotFoundError: "
        f"No module named '{old}'); import '{MOVED[old]}' there, which is the module's name now"
    )
    assert importlib.util.find_spec(MOVED[old]) is not None


@pytest.mark.parametrize(
    ("text", "entry", "what"),
    [
        ("import nothing_here", "{0}.{0}_unit:Raiser", "ModuleNotFoundError: No module named 'nothing_here'"),
        (
            "x = 1",
            "{0}.{0}_unit:Raiser",
            "AttributeError: module 'alpha.alpha_unit' has no attribute 'Raiser'",
        ),
        ("1 / 0", "{0}.{0}_unit:Raiser", "ZeroDivisionError: division by zero"),
        ("def", "{0}.{0}_unit:Raiser", "SyntaxError: invalid syntax (alpha_unit.py, line 1)"),
    ],
)
def test_a_package_that_cannot_be_imported(install: Install, text: str, entry: str, what: str) -> None:
    install("alpha", text, entry)

    assert problem() == (
        f"kernels: package 'alpha', entry point 'unit': it cannot be imported ({what}); mend or remove it"
    )


@pytest.mark.parametrize("name", ["Raise", "Kernel", "number"])
def test_an_entry_point_that_is_no_kernel(install: Install, name: str) -> None:
    install(
        "alpha", MODULE + "\nfrom thresher.kernels import Kernel\nnumber = 1\n", f"{{0}}.{{0}}_unit:{name}"
    )

    assert problem() == (
        f"kernels: package 'alpha', entry point 'unit': it names 'alpha.alpha_unit:{name}', which is no "
        "class that implements thresher.kernels.Kernel; mend its entry point, or remove it"
    )


def test_a_missing_header(install: Install) -> None:
    folder = install("alpha")
    (folder / "alpha_unit.hpp").unlink()

    assert problem() == (
        "kernels: package 'alpha', entry point 'unit': it lacks the C++ header "
        f"'{folder / 'alpha_unit.hpp'}'; put it into the package, or remove that"
    )


def test_a_name_that_thresher_has(install: Install) -> None:
    install("alpha", module="mvu", entry="{0}.mvu:Raiser")

    assert problem() == (
        "kernels: package 'alpha', entry point 'unit': it offers a kernel 'mvu', which Thresher itself has "
        "too; remove one of the two"
    )


def test_a_name_that_another_package_has(install: Install) -> None:
    install("alpha", module="shared", entry="{0}.shared:Raiser")
    install("bravo", module="shared", entry="{0}.shared:Raiser")

    assert problem() == (
        "kernels: package 'bravo', entry point 'unit': it offers a kernel 'shared', which package 'alpha' "
        "has too; remove one of the two"
    )


def test_an_operator_that_another_package_has(install: Install) -> None:
    install("alpha")
    install("bravo", MODULE.replace("test.PACKAGE", "test.alpha"))

    assert problem() == (
        "kernels: package 'bravo', entry point 'unit': it offers operator Raise of domain 'test.alpha', "
        "which package 'alpha' has too; remove one of the two"
    )


@pytest.mark.parametrize("domain", ["", "ai.onnx", "qonnx.custom_op.general"])
def test_a_domain_that_is_not_custom(install: Install, domain: str) -> None:
    install("alpha", MODULE.replace("test.PACKAGE", domain))

    assert problem() == (
        f"kernels: package 'alpha', entry point 'unit': it offers operator Raise of domain '{domain}', which "
        "is not a custom one; name a domain of your own"
    )


@pytest.mark.parametrize(("package", "module"), [("layers", "unit"), ("alpha", "Unit")])
def test_a_name_that_cpp_cannot_have(install: Install, package: str, module: str) -> None:
    install(package, module=module, entry="{0}.{1}:Raiser")

    assert problem() == (
        f"kernels: package '{package}', entry point 'unit': it has its kernel in module "
        f"'{package}.{module}', whose name cannot be that of a C++ namespace; use lower-case "
        "letters, digits and _, and none of Thresher's own names"
    )
