"""What a variable of a Keras layer is, by the layer's class: one table.

Keras stores kernels as (k..., in, out), but transposed convolutions as (k..., out, in) and
depthwise ones as (k..., in, multiplier), with the channel in * multiplier + m.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from _layout import SPATIAL, Meaning

Shape = tuple[int, ...]

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
GATES = {"lstm": "ifco", "gru": "zrh"}
TABLES = ("embeddings", "position_embeddings")
KERNELS = (
    *TABLES,
    "kernel",
    "depthwise_kernel",
    "pointwise_kernel",
    "recurrent_kernel",
    "reverse_embeddings",
)
NORMS = ("gamma", "moving_mean", "moving_variance", "scale")
_OPTIONAL = {"gamma": "scale", "beta": "center"}
PROJECTION = r"_?(query|key|value|attention_output|output)(_dense)?"
_UNKNOWN = "the layer's class is not known"


@dataclass(frozen=True)
class Owner:
    """The layer that a variable belongs to, as far as it is known.

    Parameters
    ----------
    name : of the layer.
    kind : its class in snake case, "" if it is not known.
    config : its arguments.
    inferred : whether the class is a guess from names.
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    inferred: bool


def variable_name(kind: str, config: Mapping[str, Any], number: str) -> str:
    """Name of the variable that Keras 3 stores under a number; the number if it is not known."""
    names = [
        name
        for name in VARIABLES.get(kind, ())
        if name not in _OPTIONAL or config.get(_OPTIONAL[name], True) is not False
    ]
    at = int(number) if re.fullmatch(r"\d{1,3}", number) else len(names)
    return names[at] if at < len(names) else number


def meaning_of(
    owner: Owner,
    place: str,
    around: Collection[str],
    beside: Mapping[str, Shape],
    leaf: str,
    dtype: str,
) -> Meaning:
    """Meaning of a variable.

    Parameters
    ----------
    owner : its layer.
    place : name of its group, which tells the projections of an attention layer apart.
    around : names of the groups in the same layer, its own among them.
    beside : shapes of the group's variables.
    leaf : its own name, "kernel".
    dtype : its number type.
    """
    kind, inferred = owner.kind, owner.inferred
    shape = beside[leaf]
    if leaf in ("bias", "beta"):
        return Meaning("bias", f"Keras {leaf}", inferred=inferred)
    if leaf in NORMS:
        return Meaning("norm", f"Keras {leaf}", inferred=inferred)
    if leaf not in KERNELS and (kind or leaf != "0"):
        return Meaning("other", "no weight of a layer", inferred=inferred)
    if len(shape) < 2:
        return Meaning("other", "scalar or vector", inferred=inferred)
    if "int" in dtype:
        return Meaning("refused", "it is quantized by Keras, whose scales divide")
    axes = _axes_with_heads(owner, place, around, shape, _bias(beside))
    if axes:
        guess = inferred or not kind.endswith("attention")
        return Meaning("linear", f"attention kernel with heads {_text(axes)}", axes, guess)
    if kind == "einsum_dense":
        return _einsum(str(owner.config.get("equation", "")), shape)
    if leaf in TABLES and len(shape) == 2:
        return Meaning("embedding", "Keras embeddings (out, in)", ("out", "in"), inferred)
    if len(shape) == 2:
        return _matrix(owner, leaf, beside)
    return _kernel(owner, leaf, beside)


def _axes_with_heads(
    owner: Owner, place: str, around: Collection[str], shape: Shape, bias: Shape | None
) -> tuple[str, ...]:
    """Axes of an attention's projection; empty if it is none.

    The class decides, if it is known, and the bias must fit; then queries, keys and values must be
    together.
    """
    role = re.fullmatch(PROJECTION, place)
    if role is None or len(shape) != 3 or owner.config.get("equation"):
        return ()
    is_output = "output" in role[1]
    roles = {match[1] for name in around if (match := re.fullmatch(PROJECTION, name))}
    is_attention = owner.kind.endswith("attention") or owner.kind == "einsum_dense"
    is_attention |= not owner.kind and {"query", "key", "value"} <= roles
    if not is_attention or bias not in (None, shape[-1:] if is_output else shape[-2:]):
        return ()
    return ("in", "in", "out") if is_output else ("in", "out", "out")


def _bias(beside: Mapping[str, Shape]) -> Shape | None:
    """Shape of the bias beside a kernel, which may be a number's; None without one."""
    return beside.get("bias", beside.get("1"))


def _matrix(owner: Owner, leaf: str, beside: Mapping[str, Shape]) -> Meaning:
    kind = owner.kind
    is_recurrent = "recurrent_kernel" in beside or kind in ("lstm", "gru", "simple_rnn")
    rule = "Keras recurrent kernel (in, out)" if is_recurrent else "Keras kernel (in, out)"
    return Meaning(
        "recurrent" if is_recurrent else "linear",
        rule if kind else f"{rule}: {_UNKNOWN}",
        ("in", "out"),
        owner.inferred,
        parts=_parts(kind, beside[leaf][-1]),
    )


def _kernel(owner: Owner, leaf: str, beside: Mapping[str, Shape]) -> Meaning:
    """Meaning of a convolution's kernel; of an unknown layer's, by the length of its bias."""
    kind, shape, bias = owner.kind, beside[leaf], _bias(beside) or ()
    spatial = SPATIAL[: len(shape) - 2]
    guess = "" if kind else _UNKNOWN
    depthwise = kind.startswith("depthwise") or leaf == "depthwise_kernel"
    transposed = kind.endswith("_transpose")
    if not kind and leaf in ("kernel", "0"):
        if len(bias) == 2 and len(shape) == 3:
            rule = f"attention kernel with heads (in, out, out): {_UNKNOWN}"
            return Meaning("linear", rule, ("in", "out", "out"), inferred=True)
        if bias and bias != shape[-1:]:
            guess += ", its bias decides"
            transposed = bias == shape[-2:-1]
            depthwise = not transposed and bias == (shape[-2] * shape[-1],)
            if not (transposed or depthwise):
                return Meaning("other", f"axes are not known: {_UNKNOWN}", inferred=True)
    groups = 1
    if depthwise:
        axes, groups, rule = (*spatial, "out", "out"), shape[-2], "Keras depthwise kernel"
    elif transposed:
        axes, rule = (*spatial, "out", "in"), "Keras transposed conv kernel"
    else:
        axes, rule = (*spatial, "in", "out"), "Keras conv kernel"
        stated = owner.config.get("groups", 1) if leaf == "kernel" else 1
        groups = stated if isinstance(stated, int) else 0
    rule = f"{rule} {_text(axes)}" + f": {guess}" * bool(guess)
    parts = _parts(kind, shape[-1])
    return Meaning("conv", rule, axes, owner.inferred, groups=groups, parts=parts)


def _einsum(equation: str, shape: Shape) -> Meaning:
    """Meaning of a kernel by its EinsumDense's equation: "abc,cde->abde" is (in, out, out)."""
    match = re.fullmatch(r"([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)", equation.replace("...", ""))
    if match is None:
        axes: tuple[str, ...] = ("in", "out") if len(shape) == 2 else ()
        kind = "linear" if axes else "other"
        return Meaning(kind, "Keras EinsumDense kernel without equation", axes, inferred=True)
    given, kernel, out = match.groups()
    axes = tuple(
        "stack" if letter in given and letter in out else "in" if letter in given else "out"
        for letter in kernel
    )
    return Meaning("linear", f"Keras EinsumDense kernel {_text(axes)}", axes)


def _parts(kind: str, out: int) -> tuple[tuple[str, int], ...]:
    gates = GATES.get(kind.removeprefix("conv_").rstrip("123d"), "")
    if not gates or not out or out % len(gates):
        return ()
    return tuple((gate, out // len(gates)) for gate in gates)


def _text(axes: tuple[str, ...]) -> str:
    return f"({', '.join(axes)})"
