"""What a kernel of a JAX model is: Flax stores (k..., in, out), and so does Haiku its `w`.

The axes of features or heads may be several. Layers under `scan` or `vmap` have a further axis in
front, which biases and norms of the layer have too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from htsr_ref.weights.meaning.axes import SPATIAL
from htsr_ref.weights.meaning.found import TRANSPOSED_CLASS, Meaning, Parts

if TYPE_CHECKING:
    from htsr_ref.weights.meaning.model import Seen, Shape

DEPTHWISE = r"(\w*_)?(depthwise|dw)(_?conv\w*)?|dwconv\w*|dw_?conv\w*"
GPT2_MODULES = r"c_attn|c_fc|c_proj|q_attn"
_INTO_HEADS, _FROM_HEADS = ("query", "key", "value"), "out"
_RECURRENT_LAYER = r"(\w+_)?(lstm|gru|rnn)(_?cell)?(_\d+)?|\w*(lstm|gru|rnn)cell(_\d+)?"
_GATES = {1: "", 3: "rzn", 4: "ifgo"}
"""Gates that NNX has in one kernel, by how many there are; a simple cell has none."""
_TRANSPOSED = "transposed conv kernel"
_BIAS_OF = {"kernel": "bias", "w": "b"}


def is_depthwise(seen: Seen) -> bool:
    """Whether a convolution (out, in, k...) is depthwise: one input per group, and its name."""
    return seen.ndim > 2 and seen.shape[1] == 1 and seen.is_within(DEPTHWISE)


def is_kernel(seen: Seen) -> bool:
    """Whether it is a kernel as Flax has them; only JAX calls it `w` and means the same."""
    return seen.ndim >= 2 and (
        seen.leaf == "kernel" or (seen.leaf == "w" and seen.model.framework == "jax")
    )


def kernel(seen: Seen) -> Meaning:
    """Meaning of a kernel.

    Spec: FMT-15.
    """
    bias = seen.beside(_BIAS_OF[seen.leaf])
    scanned = _is_scanned(seen, bias)
    shape = seen.shape[scanned:]
    rule, axes = _axes(seen, shape, bias[scanned:] if bias is not None else None)
    parts = _gates(seen) if len(shape) == 2 else None
    role = "weight"
    if parts is not None:
        role, rule = "recurrent", "gates of a recurrent cell (in, out)"
    elif len(shape) == 2 and seen.is_within(_RECURRENT_LAYER):
        role, rule = "recurrent", "kernel of a recurrent layer by name (in, out)"
    if scanned:
        rule, axes = f"{rule}, scanned layers", ("stack", *axes)
    if len(axes) != seen.ndim:
        return Meaning("unknown", rule=rule if not axes else "kernel of more axes than are known")
    is_depthwise = "k1" in axes and shape[-2] == 1 and seen.is_within(DEPTHWISE)
    groups = shape[-1] if is_depthwise else 1
    layer_class = TRANSPOSED_CLASS if rule.startswith(_TRANSPOSED) else None
    return Meaning(
        role, axes, rule, groups=max(groups, 1), parts=parts or (), layer_class=layer_class
    )


def _axes(seen: Seen, shape: Shape, bias: Shape | None) -> tuple[str, tuple[str, ...]]:
    """Rule and axes of a kernel; too few axes if it is unknown."""
    ndim = len(shape)
    if ndim == 2:
        is_conv1d = seen.model.has_flax_conv1d and seen.is_in(GPT2_MODULES)
        if bias == shape[:1] and (bias != shape[1:] or is_conv1d):
            return "kernel (out, in) by its bias", ("out", "in")
        return "kernel (in, out)", ("in", "out")
    if bias is not None and len(bias) > 1 and shape[-len(bias) :] == bias:
        features = ("in",) * (ndim - len(bias)) + ("out",) * len(bias)
        return "kernel (in, out), several axes as in its bias", features
    has_heads = ndim == 3 and _has_projections(seen)
    if has_heads and seen.module in _INTO_HEADS and bias is None:
        return "attention kernel (in, heads, out)", ("in", "out", "out")
    if has_heads and seen.module == _FROM_HEADS and bias in (None, shape[-1:]):
        return "attention kernel (heads, in, out)", ("in", "in", "out")
    spatial = SPATIAL[: ndim - 2]
    is_haiku = seen.leaf == "w" and "transpose" in seen.module
    is_by_bias = bias is not None and bias != shape[-1:] and bias == shape[-2:-1]
    if is_haiku or is_by_bias:
        return f"{_TRANSPOSED} (k, out, in)", (*spatial, "out", "in")
    if ndim == 3 and bias is None and not seen.is_within(r"(\w+_)?conv\w*"):
        return "kernel of 3 axes: nothing tells what they are", ()
    return "conv kernel (k, in, out)", (*spatial, "in", "out")


def _has_projections(seen: Seen) -> bool:
    """Whether kernels of queries, keys and values are in the layer that this kernel is in."""
    return all(seen.around(f"{name}/{seen.leaf}") is not None for name in _INTO_HEADS)


def _gates(seen: Seen) -> Parts | None:
    """Parts of a recurrent cell's kernel, empty for one gate; None if it is not such a kernel.

    Linen has ii and hi, ir and hr, i and h, ...; NNX too, or all gates in dense_i and dense_h.
    """
    match = re.fullmatch("(dense_|)[ih]([ifgorzn]?)_?", seen.module)
    if match is None:
        return None
    hidden = seen.around(f"{match[1]}h{match[2]}/{seen.leaf}") or ()
    count = next((n for n in _GATES if hidden[-1:] == tuple(n * s for s in hidden[-2:-1])), 0)
    is_cell = hidden[-1:] == seen.shape[-1:] and count in (_GATES if match[1] else (1,))
    return tuple((gate, hidden[-2]) for gate in _GATES[count]) if is_cell else None


def _is_scanned(seen: Seen, bias: Shape | None) -> bool:
    """Whether the first axis of a kernel counts layers: by its bias, else by its surroundings."""
    shape = seen.shape
    if len(shape) < 3 or bias is None:
        return len(shape) > 2 and _is_in_scan(seen)
    if shape[-len(bias) :] == bias and not (
        bias == shape[:1] + shape[-1:] and seen.module not in _INTO_HEADS
    ):
        return False  # the axes of heads
    return len(bias) > 1 and bias[0] == shape[0]


def _is_in_scan(seen: Seen) -> bool:
    path = seen.stem.split("/")
    return any("/".join(path[:depth]) in seen.model.scanned for depth in range(len(path)))
