"""Mutations of the structure of ONNX models: what a protobuf can say, and a model never should."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from tests.fuzz_models import values

Change = Callable[[onnx.ModelProto, Random], None]

_DOMAINS = (
    "",
    "ai.onnx",
    "qonnx.custom_op.general",
    "onnx.brevitas",
    "com.example",
    "finn.custom_op.general",
)
_OPERATORS = tuple(sorted({schema.name for schema in onnx.defs.get_all_schemas()}))
_QUANTISERS = ("Quant", "BipolarQuant", "Trunc", "IntQuant")
_TYPES = tuple(TensorProto.DataType.values())


def mutate_graph(data: bytes, random: Random) -> bytes:
    """A serialised model with one to three changes to its structure."""
    model = onnx.ModelProto()
    model.ParseFromString(data)
    for _ in range(random.choice((1, 1, 2, 3))):
        random.choice(_CHANGES)(model, random)
    return bytes(model.SerializeToString())


def mutate_numbers(data: bytes, random: Random) -> bytes:
    """A serialised model, some of whose floats are as large or as small as floats can be."""
    model = onnx.ModelProto()
    model.ParseFromString(data)
    floats = [tensor for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT]
    for tensor in random.sample(floats, min(len(floats), random.choice((1, 1, 2, 3)))):
        array, value = numpy_helper.to_array(tensor).copy(), random.choice(values.FINITE)
        if not array.size:
            continue
        if random.random() < 0.5:
            array.flat[random.choice((0, slice(None)))] = value
        else:
            array = np.where(array < 0, -abs(value), abs(value)).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    return bytes(model.SerializeToString())


def _node(model: onnx.ModelProto, random: Random) -> onnx.NodeProto:
    nodes = model.graph.node
    node: onnx.NodeProto = random.choice(nodes) if nodes else nodes.add()
    return node


def _tensor(model: onnx.ModelProto, random: Random) -> onnx.TensorProto:
    tensors = model.graph.initializer
    tensor: onnx.TensorProto = random.choice(tensors) if tensors else tensors.add()
    return tensor


def _name(model: onnx.ModelProto, random: Random) -> str:
    """The name of some tensor, of none, or of nothing."""
    names = [name for node in model.graph.node for name in (*node.input, *node.output)]
    names += [tensor.name for tensor in model.graph.initializer]
    return random.choice((*map(str, names), "", values.text(random), "nowhere"))


def _remove_node(model: onnx.ModelProto, random: Random) -> None:
    if model.graph.node:
        del model.graph.node[random.randrange(len(model.graph.node))]


def _repeat_node(model: onnx.ModelProto, random: Random) -> None:
    model.graph.node.append(_node(model, random))


def _swap_nodes(model: onnx.ModelProto, random: Random) -> None:
    kept = onnx.NodeProto()
    one, other = _node(model, random), _node(model, random)
    kept.CopyFrom(one)
    one.CopyFrom(other)
    other.CopyFrom(kept)


def _rewire(model: onnx.ModelProto, random: Random) -> None:
    node = _node(model, random)
    ends = random.choice((node.input, node.input, node.output))
    if ends:
        ends[random.randrange(len(ends))] = _name(model, random)


def _fewer_ends(model: onnx.ModelProto, random: Random) -> None:
    node = _node(model, random)
    ends = random.choice((node.input, node.output))
    del ends[random.randrange(len(ends) + 1) :]


def _more_ends(model: onnx.ModelProto, random: Random) -> None:
    node = _node(model, random)
    for _ in range(random.choice((1, 2, 20))):
        random.choice((node.input, node.output)).append(_name(model, random))


def _operator(model: onnx.ModelProto, random: Random) -> None:
    node = _node(model, random)
    node.op_type = random.choice((random.choice(_OPERATORS), random.choice(_QUANTISERS), values.text(random)))


def _domain(model: onnx.ModelProto, random: Random) -> None:
    _node(model, random).domain = random.choice((*_DOMAINS, values.text(random)))


def _rename_node(model: onnx.ModelProto, random: Random) -> None:
    _node(model, random).name = random.choice((values.text(random), _node(model, random).name))


def _rename_tensor(model: onnx.ModelProto, random: Random) -> None:
    """Everywhere, so that the model stays as good as it was."""
    old, new = _name(model, random), values.text(random)
    for node in model.graph.node:
        for ends in (node.input, node.output):
            for place, name in enumerate(ends):
                ends[place] = new if name == old else name
    for each in (*model.graph.initializer, *model.graph.input, *model.graph.output):
        each.name = new if each.name == old else each.name


def _attribute(model: onnx.ModelProto, random: Random) -> None:
    node = _node(model, random)
    if node.attribute and random.random() < 0.7:
        attribute = random.choice(node.attribute)
        name = random.choice((attribute.name, attribute.name, values.text(random)))
        node.attribute.remove(attribute)
    else:
        name = random.choice(
            ("axis", "axes", "perm", "strides", "pads", "group", "signed", "auto_pad", "value")
        )
    if random.random() < 0.9:
        node.attribute.append(_drawn_attribute(name, random))


def _drawn_attribute(name: str, random: Random) -> onnx.AttributeProto:
    count = random.choice((0, 1, 2, 4, 100))
    drawn: tuple[object, ...] = (
        values.integer(random),
        values.real(random),
        values.text(random),
        [values.integer(random) for _ in range(count)],
        [values.real(random) for _ in range(count)],
        _drawn_tensor("", random),
        helper.make_graph([], "inner", [], []),
    )
    try:
        made = helper.make_attribute(name, random.choice(drawn))
    except (ValueError, TypeError):  # Of an empty list, or of an integer beyond 64 bits.
        made = AttributeProto(name=name, type=AttributeProto.INTS)
    if random.random() < 0.1:
        made.type = random.choice(AttributeProto.AttributeType.values())
    return made


def _drawn_tensor(name: str, random: Random) -> onnx.TensorProto:
    shape = [random.choice((1, 1, 2, 3, 12, 0)) for _ in range(random.choice((0, 1, 1, 2, 4)))]
    array = np.full(shape, values.real(random))
    kind = random.choice((np.float32, np.float64, np.int64, np.int32, np.bool_, np.int8))
    with np.errstate(all="ignore"):
        return numpy_helper.from_array(array.astype(kind), name)


def _replace_tensor(model: onnx.ModelProto, random: Random) -> None:
    tensor = _tensor(model, random)
    tensor.CopyFrom(_drawn_tensor(tensor.name, random))


def _fill_tensor(model: onnx.ModelProto, random: Random) -> None:
    """Other values in the same shape."""
    tensor = _tensor(model, random)
    try:
        array = numpy_helper.to_array(tensor) if tensor.raw_data else np.zeros(1, np.float32)
    except ValueError:  # Another change has taken its shape.
        return
    if array.dtype.kind != "f" or not array.size:
        return
    changed = array.copy()
    changed.flat[random.choice((0, slice(None)))] = values.real(random)
    tensor.CopyFrom(numpy_helper.from_array(changed, tensor.name))


def _dims(model: onnx.ModelProto, random: Random) -> None:
    dims = _tensor(model, random).dims
    if dims and random.random() < 0.7:
        dims[random.randrange(len(dims))] = values.integer(random)
    else:
        random.choice((dims.append, lambda size: dims.insert(0, size)))(
            random.choice((1, 1, values.integer(random)))
        )


def _data_type(model: onnx.ModelProto, random: Random) -> None:
    _tensor(model, random).data_type = random.choice((*_TYPES, 99, -1))


def _texts(model: onnx.ModelProto, random: Random) -> None:
    tensor = _tensor(model, random)
    array = np.array(
        [values.text(random).replace("\0", "")] * max(1, min(100, int(np.prod(tensor.dims or [1]))))
    )
    tensor.CopyFrom(helper.make_tensor(tensor.name, TensorProto.STRING, array.shape, array.tolist()))


def _lose_tensor(model: onnx.ModelProto, random: Random) -> None:
    tensor = _tensor(model, random)
    random.choice((tensor.ClearField, lambda _: model.graph.initializer.remove(tensor)))("raw_data")


def _external(model: onnx.ModelProto, random: Random) -> None:
    tensor = _tensor(model, random)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    places = ("/dev/zero", "/dev/stdin", "pipe", "data", "../data", "missing", ".", "", values.text(random))
    entries = [("location", random.choice(places))]
    entries += [(key, str(values.integer(random))) for key in ("offset", "length") if random.random() < 0.5]
    for key, value in entries:
        tensor.external_data.add(key=key, value=value)


def _input(model: onnx.ModelProto, random: Random) -> None:
    kind = (
        model.graph.input[0].type.tensor_type
        if model.graph.input
        else helper.make_tensor_value_info("x", 1, [1]).type.tensor_type
    )
    choice = random.randrange(5)
    if choice == 0:
        kind.elem_type = random.choice((*_TYPES, 77))
    elif choice == 1:
        kind.ClearField("shape")
    elif choice == 2 and kind.shape.dim:
        random.choice(kind.shape.dim).dim_param = values.text(random)
    elif choice == 3:
        kind.shape.dim.add().dim_value = values.integer(random)
    elif kind.shape.dim:
        random.choice(kind.shape.dim).dim_value = values.integer(random)


def _ends(model: onnx.ModelProto, random: Random) -> None:
    ends = random.choice((model.graph.input, model.graph.output))
    choice = random.randrange(3)
    if choice == 0:
        ends.append(helper.make_tensor_value_info(_name(model, random), TensorProto.FLOAT, [1, 3]))
    elif choice == 1 and ends:
        del ends[random.randrange(len(ends))]
    elif ends:
        random.choice(ends).name = _name(model, random)


def _opset(model: onnx.ModelProto, random: Random) -> None:
    choice = random.randrange(3)
    if choice == 0:
        model.opset_import.add(domain=random.choice(_DOMAINS), version=values.integer(random))
    elif choice == 1 and model.opset_import:
        del model.opset_import[random.randrange(len(model.opset_import))]
    elif model.opset_import:
        random.choice(model.opset_import).version = random.choice(
            (1, 8, 9, 11, 14, 18, 21, 23, 99, values.integer(random))
        )


def _insert(model: onnx.ModelProto, random: Random) -> None:
    """A constant of hostile size, or an operator on the way, read by what comes behind it or by nothing."""
    nodes = model.graph.node
    place = random.randrange(len(nodes) + 1)
    size = np.array([values.integer(random) for _ in range(random.choice((1, 2)))], np.int64)
    made = f"made{len(nodes)}"
    shape = f"{made}_shape"
    model.graph.initializer.append(numpy_helper.from_array(size, shape))
    read = _name(model, random)
    drawn = random.choice(
        (
            helper.make_node("ConstantOfShape", [shape], [made]),
            helper.make_node("Expand", [read, shape], [made]),
            helper.make_node("Tile", [read, shape], [made]),
            helper.make_node("Range", [shape, shape, shape], [made]),
            helper.make_node("Reshape", [read, shape], [made]),
            helper.make_node("Pad", [read, shape], [made]),
            helper.make_node("Resize", [read, "", shape], [made], mode="nearest"),
            helper.make_node("OneHot", [read, shape, read], [made]),
            helper.make_node("NonZero", [read], [made]),
            helper.make_node("Loop", [shape, "", read], [made], body=helper.make_graph([], "body", [], [])),
            helper.make_node(random.choice(_OPERATORS), [read], [made]),
            helper.make_node(random.choice(_OPERATORS), [read, _name(model, random)], [made]),
        )
    )
    nodes.insert(place, drawn)
    if place + 1 < len(nodes) and random.random() < 0.8:
        reader = nodes[random.randrange(place + 1, len(nodes))]
        if reader.input:
            reader.input[random.randrange(len(reader.input))] = made


_CHANGES: tuple[Change, ...] = (
    *(
        _remove_node,
        _repeat_node,
        _swap_nodes,
        _rewire,
        _rewire,
        _fewer_ends,
        _more_ends,
        _operator,
        _operator,
    ),
    *(
        _domain,
        _rename_node,
        _rename_tensor,
        _attribute,
        _attribute,
        _attribute,
        _replace_tensor,
        _replace_tensor,
    ),
    *(_fill_tensor, _fill_tensor, _dims, _dims, _data_type, _texts, _lose_tensor, _external, _input, _input),
    *(_ends, _opset, _insert, _insert, _insert),
)
