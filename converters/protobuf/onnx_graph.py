"""What an ONNX file holds: nodes, and tensors whose numbers are not read yet.

Field numbers are those of onnx.proto3 (ONNX 1.23, IR version 14).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from protobuf.onnx_scopes import Scope
from protobuf.wire import Buffer, Field, fields, integers, signed

MAX_DEPTH = 16
DTYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    14: "complex64",
    16: "bfloat16",
    17: "float8_e4m3fn",
    18: "float8_e4m3fnuz",
    19: "float8_e5m2",
    20: "float8_e5m2fnuz",
}
"""TensorProto.DataType; strings, complex128 and types of less than 8 bits are not among them."""
RAW = 9
TYPED = {4: "<f4", 10: "<f8", 5: "varint", 7: "varint", 11: "varint"}
"""Fields that hold numbers by their type, and how; half precision is there as its codes."""


@dataclass(frozen=True)
class OnnxTensor:
    """A tensor as the file has it.

    Parameters
    ----------
    dtype : number type, "" if it cannot be written.
    code : the same as ONNX has it.
    stretches : fields with its numbers.
    external : location, offset and length of the file that has them; empty if they are here.
    is_constant : whether a node `Constant` holds it.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    code: int
    stretches: tuple[Field, ...]
    external: Mapping[str, str]
    is_constant: bool = False


@dataclass(frozen=True)
class Node:
    """An operation.

    Parameters
    ----------
    attributes : integers and lists of integers by name; others are not needed.
    """

    kind: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass
class Model:
    """Everything of a file that matters here.

    Parameters
    ----------
    opsets : versions of the sets of operators by domain; "" is ONNX's own.
    functions : domain and name of the model's own; what is in them is not read.
    """

    nodes: list[Node] = field(default_factory=list)
    tensors: list[OnnxTensor] = field(default_factory=list)
    opsets: dict[str, int] = field(default_factory=dict)
    functions: set[tuple[str, str]] = field(default_factory=set)
    sparse: int = 0


def read_model(data: Buffer) -> Model:
    """Read a ModelProto.

    Raises
    ------
    ValueError
        If it is none.
    """
    model = Model()
    graphs = []
    for item in fields(data, 0, len(data)):
        if item.number == 7:
            graphs.append(item)
        elif item.number == 8:
            entry = {part.number: part for part in fields(data, item.start, item.end)}
            domain = _text(data, entry[1]) if 1 in entry else ""
            domain = "" if domain == "ai.onnx" else domain
            model.opsets[domain] = signed(entry[2].value) if 2 in entry else 0
        elif item.number == 25:
            entry = {part.number: part for part in fields(data, item.start, item.end)}
            domain, name = (_text(data, entry[n]) if n in entry else "" for n in (10, 1))
            model.functions.add(("" if domain == "ai.onnx" else domain, name))
    if len(graphs) != 1 or not model.opsets:
        raise ValueError("it has no graph or no version")
    _read_graph(data, graphs[0], model, Scope(), 0)
    return model


def _read_graph(data: Buffer, graph: Field, model: Model, scope: Scope, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"its graphs are nested deeper than {MAX_DEPTH}")
    _define(data, graph, scope)
    for item in fields(data, graph.start, graph.end):
        if item.number == 1:
            _read_node(data, item, model, scope, depth)
        elif item.number == 5:
            tensor = _tensor(data, item)
            model.tensors.append(replace(tensor, name=scope(tensor.name)))
        elif item.number == 15:
            model.sparse += 1


def _define(data: Buffer, graph: Field, scope: Scope) -> None:
    """Enter the names of a graph's inputs, tensors and results, before any node takes them."""
    places = {1: 2, 5: 8, 11: 1}
    for item in fields(data, graph.start, graph.end):
        if item.number in places:
            for part in fields(data, item.start, item.end):
                if part.number == places[item.number]:
                    scope.define(_text(data, part))


def _read_node(data: Buffer, item: Field, model: Model, scope: Scope, depth: int) -> None:
    texts: dict[int, list[str]] = {number: [] for number in (1, 2, 3, 4, 7)}
    attributes: dict[str, Any] = {}
    constants = []
    for part in fields(data, item.start, item.end):
        if part.number in texts:
            texts[part.number].append(_text(data, part))
        elif part.number == 5:
            name, value = _attribute(data, part, model, scope, depth)
            if isinstance(value, OnnxTensor):
                constants.append(value)
            elif value is not None:
                attributes[name] = value
    kind, name, domain = ("".join(texts[number][-1:]) for number in (4, 3, 7))
    domain = "" if domain == "ai.onnx" else domain
    inputs, outputs = (tuple(map(scope, texts[number])) for number in (1, 2))
    node = Node(kind, domain, name, inputs, outputs, attributes)
    model.nodes.append(node)
    if kind == "Constant" and len(node.outputs) == 1:
        for found in constants:
            model.tensors.append(replace(found, name=node.outputs[0], is_constant=True))


def _attribute(
    data: Buffer, item: Field, model: Model, scope: Scope, depth: int
) -> tuple[str, Any]:
    name = ""
    value: int | OnnxTensor | None = None
    ints: list[int] = []
    for part in fields(data, item.start, item.end):
        if part.number == 1:
            name = _text(data, part)
        elif part.number == 3:
            value = signed(part.value)
        elif part.number == 5:
            value = _tensor(data, part)
        elif part.number in (6, 11):
            _read_graph(data, part, model, Scope(scope), depth + 1)
        elif part.number == 8:
            ints += integers(data, part)
        elif part.number in (22, 23):
            model.sparse += 1
    return name, ints or value


def _tensor(data: Buffer, item: Field) -> OnnxTensor:
    shape: list[int] = []
    stretches: list[Field] = []
    external: dict[str, str] = {}
    name, code, is_external = "", 0, False
    for part in fields(data, item.start, item.end):
        if part.number == 1:
            shape += integers(data, part)
        elif part.number == 2:
            code = part.value
        elif part.number == 8:
            name = _text(data, part)
        elif part.number == 13:
            pair = {found.number: found for found in fields(data, part.start, part.end)}
            if 1 in pair and 2 in pair:
                external[_text(data, pair[1])] = _text(data, pair[2])
        elif part.number == 14:
            is_external = part.value == 1
        elif part.number == RAW or part.number in TYPED:
            stretches.append(part)
    if min(shape, default=0) < 0:
        raise ValueError(f"tensor {name!r} has the shape {shape}")
    return OnnxTensor(
        name,
        tuple(shape),
        DTYPES.get(code, ""),
        code,
        tuple(stretches),
        external if is_external else {},
    )


def _text(data: Buffer, item: Field) -> str:
    return data[item.start : item.end].decode()
