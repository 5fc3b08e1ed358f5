"""What a variable of a Keras layer is, by the layer's class.

Keras stores kernels as (k..., in, out), but transposed convolutions as (k..., out, in) and
depthwise ones as (k..., in, multiplier), with the channel in * multiplier + m. TensorFlow's own
checkpoints follow it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from htsr_ref.weights.meaning.axes import SPATIAL
from htsr_ref.weights.meaning.found import TRANSPOSED_CLASS, Meaning, Parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.weights.meaning.model import Seen, Shape

_PLAIN = ("kernel", "bias")
_RECURRENT = ("kernel", "recurrent_kernel", "bias")
VARIABLES = {
    "dense": _PLAIN,
    "einsum_dense": _PLAIN,
    "embedding": ("embeddings",),
    "reversible_embedding": ("embeddings", "reverse_embeddings"),
    "position_embedding": ("position_embeddings",),
    "multi_head_attention": _PLAIN,
    "group_query_attention": _PLAIN,
    "grouped_query_attention": _PLAIN,
    "lstm": _RECURRENT,
    "gru": _RECURRENT,
    "simple_rnn": _RECURRENT,
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "layer_normalization": ("gamma", "beta"),
    "group_normalization": ("gamma", "beta"),
    "rms_normalization": ("scale",),
    "spectral_normalization": ("vector_u",),
    "normalization": ("mean", "variance", "count"),
    "p_re_lu": ("alpha",),
    **{f"conv{d}d": _PLAIN for d in (1, 2, 3)},
    **{f"conv{d}d_transpose": _PLAIN for d in (1, 2, 3)},
    **{f"conv_lstm{d}d": _RECURRENT for d in (1, 2, 3)},
    **{f"depthwise_conv{d}d": _PLAIN for d in (1, 2)},
    **{f"separable_conv{d}d": ("depthwise_kernel", "pointwise_kernel", "bias") for d in (1, 2)},
}
"""Variables of each class that is known, in the order in which Keras 3 numbers them."""
_OPTIONAL = {"gamma": "scale", "beta": "center"}
"""Variables that an argument of the layer switches off."""
_GATES = {"lstm": "ifco", "gru": "zrh"}
_TABLES = ("embeddings", "position_embeddings")
_KERNELS = (
    *_TABLES,
    "kernel",
    "depthwise_kernel",
    "pointwise_kernel",
    "recurrent_kernel",
    "reverse_embeddings",
)
_NORMS = ("gamma", "scale", "moving_mean", "moving_variance")
_PROJECTION = r"_?(query|key|value|attention_output|output)(_dense)?"
_TENSORFLOW_LEAVES = {
    "weights": "kernel",
    "w": "kernel",
    "biases": "bias",
    "b": "bias",
    "depthwise_weights": "depthwise_kernel",
    "pointwise_weights": "pointwise_kernel",
    "filters": "kernel",
    "fc": "kernel",
    "depthwise_filter": "depthwise_kernel",
    "pointwise_filter": "pointwise_kernel",
}
"""Names of variables in TensorFlow 1, Sonnet and models for TensorFlow.js, and Keras's."""
_TABLE_BY_NAME = r"(\w+_)?emb(eddings?)?|embedding_table"
_OLD_CELLS = ("lstm_cell", "basic_lstm_cell")
_OLD_GATES = "ijfo"
_UNKNOWN_CLASS = "the layer's class is not known"


@dataclass(frozen=True)
class Variable:
    """A variable of a layer.

    Parameters
    ----------
    seen : the tensor.
    group : components of its group's name.
    layer_class : class of its layer in snake case, "" if it is not known.
    is_stated : whether the file states that class.
    leaf : the variable's name, or its number if that gives none.
    """

    seen: Seen
    group: tuple[str, ...]
    layer_class: str
    is_stated: bool
    leaf: str

    @property
    def config(self) -> Mapping[str, Any]:
        """Arguments of the layer that the file states."""
        return self.seen.facts.config

    def beside(self, leaf: str) -> Shape | None:
        """Shape of another variable of the layer, by its name."""
        if leaf == self.leaf:
            return self.seen.shape
        found = self.seen.beside(leaf)
        if found is None and self.seen.module == "vars":
            names = _variables(self.layer_class, self.config) or _PLAIN
            if leaf in names:
                found = self.seen.beside(str(names.index(leaf)))
        return found


def keras_variable(seen: Seen) -> Meaning | None:
    """Meaning of a variable of a Keras layer; None for anything else.

    Spec: FMT-15.
    """
    variable = _variable_of(seen)
    found = None if variable is None else _meaning(variable)
    return None if found is None or variable is None else replace(found, variable=variable.leaf)


def _variable_of(seen: Seen) -> Variable | None:
    """Take a tensor for a variable of a layer, if its name or its file says that it is one."""
    framework = seen.model.framework
    is_numbered = seen.module == "vars" and seen.leaf.isdecimal()
    leaf = seen.leaf.removeprefix("_")
    if framework == "tensorflow":
        leaf = _TENSORFLOW_LEAVES.get(leaf, leaf)
    is_keras = framework in ("keras", "tensorflow") or is_numbered
    is_keras |= leaf in ("recurrent_kernel", "depthwise_kernel", "pointwise_kernel")
    is_keras |= leaf == "kernel" and seen.beside("recurrent_kernel") is not None
    if not is_keras:
        return None
    group = seen.components[: -2 if is_numbered else -1]
    stated = (seen.facts.layer_class or "").removesuffix("_cell")
    layer_class = stated if stated in VARIABLES else _class_by_name(seen, group)
    if is_numbered:
        names = _variables(layer_class, seen.facts.config)
        at = int(leaf) if len(leaf) < 4 else len(names)
        leaf = names[at] if at < len(names) else leaf
    return Variable(seen, group, layer_class, stated in VARIABLES, leaf)


def _variables(layer_class: str, config: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name in VARIABLES.get(layer_class, ())
        if name not in _OPTIONAL or config.get(_OPTIONAL[name], True) is not False
    ]


def _class_by_name(seen: Seen, group: tuple[str, ...]) -> str:
    """Class that a group or a layer is named for, as Keras does by default: "conv2d_3"."""
    candidates = [*group[-1:], *re.split("[./]", (seen.facts.layer or "").lower())[-1:]]
    if group and re.fullmatch(f"cell|{_PROJECTION}", group[-1]):
        candidates += group[-2:-1]
    for candidate in candidates:
        found = re.sub(r"_\d+$", "", candidate).removesuffix("_cell")
        if found in VARIABLES:
            return found
    return _class_of_cell(seen) if group[-1:] == ("cell",) else ""


def _class_of_cell(seen: Seen) -> str:
    """Class of a recurrent layer's cell, by how many gates its second variable has."""
    kernel, recurrent = seen.beside("0"), seen.beside("1")
    if kernel is None or recurrent is None or len(kernel) != 2 or len(recurrent) != 2:
        return ""
    classes = {1: "simple_rnn", 3: "gru", 4: "lstm"}
    fits = (name for gates, name in classes.items() if recurrent[1] == gates * recurrent[0])
    return next(fits, "") if kernel[1] == recurrent[1] else ""


def _meaning(variable: Variable) -> Meaning | None:
    seen, leaf, inferred = variable.seen, variable.leaf, not variable.is_stated
    shape = seen.shape
    if leaf in ("bias", "beta"):
        return Meaning("bias", rule=f"Keras {leaf}", inferred=inferred)
    if leaf in _NORMS[:2]:
        return Meaning("norm", rule=f"Keras {leaf}", inferred=inferred)
    if leaf in _NORMS:
        return Meaning("buffer", rule=f"Keras {leaf}", inferred=inferred)
    if seen.model.framework == "tensorflow" and len(shape) == 2:
        if re.fullmatch(_TABLE_BY_NAME, leaf):
            return Meaning("embedding", ("out", "in"), "table by name (out, in)")
        if variable.group[-1:] and variable.group[-1] in _OLD_CELLS and _is_old_cell(variable):
            size, rest = divmod(shape[1], len(_OLD_GATES))
            parts = tuple((gate, size) for gate in _OLD_GATES) if size and not rest else ()
            rule = "cell of TensorFlow 1, inputs and state together (in, out)"
            return Meaning("recurrent", ("in", "out"), rule, parts=parts)
    if leaf not in _KERNELS and (variable.layer_class or leaf != "0"):
        return Meaning("buffer", rule="no weight of a layer", inferred=inferred)
    if len(shape) < 2:
        return Meaning("buffer", rule="scalar or vector", inferred=inferred)
    if len(shape) > 5:
        return Meaning("unknown", rule="more than 5 axes", inferred=inferred)
    if axes := _axes_with_heads(variable):
        guess = inferred or not variable.layer_class.endswith("attention")
        return Meaning("weight", axes, f"attention kernel with heads {_text(axes)}", guess)
    if variable.layer_class == "einsum_dense":
        return _einsum(str(variable.config.get("equation", "")), shape)
    if leaf in _TABLES and len(shape) == 2:
        return Meaning("embedding", ("out", "in"), "Keras embeddings (out, in)", inferred)
    if len(shape) == 2 and leaf == "0" and _is_table_by_name(variable):
        return Meaning("embedding", ("out", "in"), f"table by name (out, in): {_UNKNOWN_CLASS}")
    if len(shape) == 2:
        return _matrix(variable)
    return _kernel(variable)


def _is_table_by_name(variable: Variable) -> bool:
    """Whether the only variable of a layer, whose class is not known, is called an embedding."""
    is_alone = variable.seen.beside("1") is None
    return is_alone and re.fullmatch(_TABLE_BY_NAME, "".join(variable.group[-1:])) is not None


def _is_old_cell(variable: Variable) -> bool:
    return variable.leaf == "kernel" and variable.beside("recurrent_kernel") is None


def _axes_with_heads(variable: Variable) -> tuple[str, ...]:
    """Axes of an attention's projection; empty if it is not one.

    The class decides, if it is known, and the bias must fit; else queries, keys and values must
    be together.
    """
    seen = variable.seen
    place = variable.group[-1] if variable.group else ""
    role = re.fullmatch(_PROJECTION, place)
    if role is None or seen.ndim != 3 or variable.config.get("equation"):
        return ()
    is_output = "output" in role[1]
    is_attention = variable.layer_class.endswith("attention")
    is_attention |= variable.layer_class == "einsum_dense"
    is_attention |= not variable.layer_class and _has_projections(seen, place)
    bias = variable.beside("bias")
    if not is_attention or bias not in (None, seen.shape[-1:] if is_output else seen.shape[-2:]):
        return ()
    return ("in", "in", "out") if is_output else ("in", "out", "out")


def _has_projections(seen: Seen, place: str) -> bool:
    """Whether queries, keys and values are together in the layer."""
    rest = seen.stem[seen.stem.rfind(place) + len(place) :]
    above = seen.stem[: len(seen.stem) - len(rest) - len(place)]
    return all(
        any(
            f"{above}{start}{name}{end}{rest}" in seen.model.modules
            for start in ("", "_")
            for end in ("", "_dense")
        )
        for name in ("query", "key", "value")
    )


def _matrix(variable: Variable) -> Meaning:
    found = variable.layer_class
    is_recurrent = variable.beside("recurrent_kernel") is not None
    is_recurrent |= found in ("lstm", "gru", "simple_rnn")
    rule = "Keras recurrent kernel (in, out)" if is_recurrent else "Keras kernel (in, out)"
    return Meaning(
        "recurrent" if is_recurrent else "weight",
        ("in", "out"),
        rule if found else f"{rule}: {_UNKNOWN_CLASS}",
        not variable.is_stated,
        parts=_parts(found, variable.seen.shape[-1]),
    )


def _kernel(variable: Variable) -> Meaning:
    """Meaning of a convolution's kernel; of an unknown layer's, by the length of its bias."""
    found, shape, leaf = variable.layer_class, variable.seen.shape, variable.leaf
    bias = variable.beside("bias") or ()
    spatial = SPATIAL[: len(shape) - 2]
    guess = "" if found else _UNKNOWN_CLASS
    depthwise = found.startswith("depthwise") or leaf == "depthwise_kernel"
    transposed = found.endswith("_transpose")
    if not found and leaf in ("kernel", "0"):
        if len(bias) == 2 and len(shape) == 3:
            rule = f"attention kernel with heads (in, out, out): {_UNKNOWN_CLASS}"
            return Meaning("weight", ("in", "out", "out"), rule)
        if len(shape) == 3 and not bias and not variable.seen.is_within(r"(\w+_)?conv\w*"):
            return Meaning("unknown", rule="kernel of 3 axes: nothing tells what they are")
        if bias and bias != shape[-1:]:
            guess += ", its bias decides"
            transposed = bias == shape[-2:-1]
            depthwise = not transposed and bias == (shape[-2] * shape[-1],)
            if not (transposed or depthwise):
                return Meaning("unknown", rule=f"axes are not known: {_UNKNOWN_CLASS}")
    groups = 1
    if depthwise:
        axes, groups, rule = (*spatial, "out", "out"), shape[-2], "Keras depthwise kernel"
    elif transposed:
        axes, rule = (*spatial, "out", "in"), "Keras transposed conv kernel"
    else:
        axes, rule = (*spatial, "in", "out"), "Keras conv kernel"
        stated = variable.config.get("groups", 1) if leaf == "kernel" else 1
        groups = stated if type(stated) is int and stated > 0 else 1
    role = "recurrent" if found.startswith("conv_lstm") else "weight"
    return Meaning(
        role,
        axes,
        f"{rule} {_text(axes)}" + f": {guess}" * bool(guess),
        not variable.is_stated,
        groups=max(groups, 1),
        parts=_parts(found, shape[-1]),
        layer_class=TRANSPOSED_CLASS if transposed else None,
    )


def _einsum(equation: str, shape: Shape) -> Meaning:
    """Meaning of a kernel by its EinsumDense's equation: "abc,cde->abde" is (in, out, out)."""
    match = re.fullmatch(r"([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)", equation.replace("...", ""))
    if match is None or len(match[2]) != len(shape):
        if len(shape) == 2:
            return Meaning("weight", ("in", "out"), "Keras EinsumDense kernel without equation")
        return Meaning("unknown", rule="Keras EinsumDense kernel without equation")
    given, kernel, out = match.groups()
    axes = tuple(
        "stack" if letter in given and letter in out else "in" if letter in given else "out"
        for letter in kernel
    )
    return Meaning("weight", axes, f"Keras EinsumDense kernel {_text(axes)}", inferred=False)


def _parts(layer_class: str, out: int) -> Parts:
    gates = _GATES.get(layer_class.removeprefix("conv_").rstrip("123d"), "")
    if not gates or not out or out % len(gates):
        return ()
    return tuple((gate, out // len(gates)) for gate in gates)


def _text(axes: tuple[str, ...]) -> str:
    return f"({', '.join(axes)})"
