"""What an unlabeled tensor probably is: a table of rules, tried from top to bottom."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from htsr_ref.weights import vocabulary
from htsr_ref.weights.axes import default_axes
from htsr_ref.weights.decision import Decision
from htsr_ref.weights.manifest import TensorSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from htsr_ref.weights.container import RawTensor

_LAYER_SUFFIX = re.compile(r"[./](weight|kernel)(:0)?$")


@dataclass(frozen=True)
class Named:
    """A tensor as the rules see it; all names in lower case.

    Parameters
    ----------
    path : components of the name before `leaf`.
    leaf : last component ("weight", "kernel"), or "vars/0" in Keras 3 files, which number a
        layer's variables.
    shape : stored shape.
    gpt2 : whether the file stores GPT-2's Conv1D modules, whose weights are (in, out).
    """

    path: tuple[str, ...]
    leaf: str
    shape: tuple[int, ...]
    gpt2: bool = False

    @property
    def ndim(self) -> int:
        """Number of stored axes."""
        return len(self.shape)

    @property
    def module(self) -> str:
        """The component before the leaf, or the leaf if it stands alone."""
        return self.path[-1] if self.path else self.leaf

    def is_keras(self, layer: str) -> bool:
        """Whether this is the first variable of a layer of the Keras 3 class `layer`."""
        return self.leaf == "vars/0" and re.fullmatch(rf"{layer}(_\d+)?", self.module) is not None


def classify(tensor: RawTensor, *, gpt2: bool = False) -> Decision:
    """Meaning of an unlabeled tensor.

    Parameters
    ----------
    tensor : the tensor.
    gpt2 : what `has_gpt2_conv1d` says of its file.

    Spec: FMT-15.

    >>> import numpy as np
    >>> from htsr_ref.weights.backing import InMemory
    >>> from htsr_ref.weights.container import RawTensor
    >>> kernel = np.zeros((3, 3, 8, 16))
    >>> found = classify(RawTensor("conv/kernel", kernel.shape, "float64", InMemory(kernel)))
    >>> found.decided, found.spec.axes
    ('inferred: conv kernel (k, in, out)', ('k1', 'k2', 'in', 'out'))
    """
    named = _named(tensor.name, tensor.shape, gpt2=gpt2)
    rule, spec = next((name, spec) for name, test in RULES if (spec := test(named)) is not None)
    return Decision(
        spec,
        decided=f"inferred: {rule}",
        left_out=rule if spec.kind == "other" else None,
        warnings=_warnings(named, spec),
    )


def has_gpt2_conv1d(tensors: Iterable[RawTensor]) -> bool:
    """Whether a file's c_attn weights are (in, 3 in): Conv1D modules rather than linear ones."""
    return any(
        tensor.name.endswith("c_attn.weight")
        and len(tensor.shape) == 2
        and tensor.shape[1] == 3 * tensor.shape[0]
        for tensor in tensors
    )


def layer_name(tensor: str) -> str:
    """Name of the layer that a tensor belongs to.

    >>> layer_name("encoder.fc1.weight"), layer_name("dense/kernel:0"), layer_name("fc1.bias")
    ('encoder.fc1', 'dense', 'fc1.bias')
    """
    return _LAYER_SUFFIX.sub("", tensor) or tensor


def _named(name: str, shape: tuple[int, ...], *, gpt2: bool) -> Named:
    *path, leaf = re.split(r"[./](?!optimizer_slot)", name.lower().removesuffix(":0"))
    if path and path[-1] == "vars" and leaf.isdigit():
        leaf = f"{path.pop()}/{leaf}"
    return Named(tuple(path), leaf, shape, gpt2)


def _matrix(kind: str, *axes: str, groups: int = 1) -> TensorSpec:
    return TensorSpec(kind, axes, groups=groups)


def _optimizer_state(t: Named) -> TensorSpec | None:
    found = vocabulary.OPTIMIZER_STATES.intersection((*t.path, t.leaf))
    return TensorSpec("other") if found else None


def _running_statistics(t: Named) -> TensorSpec | None:
    return TensorSpec("norm") if t.leaf in vocabulary.RUNNING_STATISTICS else None


def _bias(t: Named) -> TensorSpec | None:
    return TensorSpec("bias") if vocabulary.BIAS.fullmatch(t.leaf) else None


def _norm(t: Named) -> TensorSpec | None:
    found = t.leaf == "gamma" or vocabulary.NORM.fullmatch(t.module)
    return TensorSpec("norm") if found else None


def _vector(t: Named) -> TensorSpec | None:
    return TensorSpec("other") if t.ndim < 2 else None


def _many_axes(t: Named) -> TensorSpec | None:
    return TensorSpec("other") if t.ndim > 5 else None


def _token(t: Named) -> TensorSpec | None:
    is_batched_embedding = t.leaf in vocabulary.EMBEDDINGS and t.ndim > 2
    found = t.leaf in vocabulary.TOKENS or is_batched_embedding
    return TensorSpec("other") if found else None


def _is_keras_recurrent(t: Named) -> bool:
    return any(vocabulary.RECURRENT_LAYER.fullmatch(part) for part in t.path)


def _recurrent_bias(t: Named) -> TensorSpec | None:
    # The bias of a Keras GRU has two rows.
    return TensorSpec("bias") if t.leaf == "vars/2" and _is_keras_recurrent(t) else None


def _torch_recurrent(t: Named) -> TensorSpec | None:
    found = t.ndim == 2 and vocabulary.TORCH_RECURRENT.fullmatch(t.leaf)
    return _matrix("recurrent", "out", "in") if found else None


def _keras_recurrent(t: Named) -> TensorSpec | None:
    found = t.leaf == "recurrent_kernel" or (
        t.leaf in ("kernel", "vars/0", "vars/1") and _is_keras_recurrent(t)
    )
    return _matrix("recurrent", "in", "out") if found and t.ndim == 2 else None


def _embedding(t: Named) -> TensorSpec | None:
    holder = t.module if t.leaf in ("weight", "vars/0") else t.leaf
    if t.ndim != 2 or re.sub(r"_\d+$", "", holder) not in vocabulary.EMBEDDINGS:
        return None
    return _matrix("embedding", "out", "in")


def _depthwise(t: Named) -> TensorSpec | None:
    found = t.leaf == "depthwise_kernel" or t.is_keras(r"(depthwise|separable)_conv\dd")
    if not found or t.ndim < 3:
        return None
    return _matrix("conv", *_spatial(t), "out", "out", groups=max(t.shape[-2], 1))


def _transposed_conv(t: Named) -> TensorSpec | None:
    found = t.ndim > 2 and t.is_keras(r"conv\dd_transpose")
    return _matrix("conv", *_spatial(t), "out", "in") if found else None


def _attention(t: Named) -> TensorSpec | None:
    if t.ndim != 3 or t.leaf not in ("kernel", "vars/0"):
        return None
    if t.module in vocabulary.HEADS_LAST:
        return _matrix("linear", "in", "out", "out")
    if t.module in vocabulary.HEADS_FIRST:
        return _matrix("linear", "in", "in", "out")
    return None


def _is_kernel(t: Named) -> bool:
    return t.leaf in ("kernel", "pointwise_kernel") or t.leaf.startswith("vars/")


def _dense_kernel(t: Named) -> TensorSpec | None:
    return _matrix("linear", "in", "out") if _is_kernel(t) and t.ndim == 2 else None


def _conv_kernel(t: Named) -> TensorSpec | None:
    return _matrix("conv", *_spatial(t), "in", "out") if _is_kernel(t) else None


def _gpt2_conv1d(t: Named) -> TensorSpec | None:
    found = t.gpt2 and t.ndim == 2 and t.leaf == "weight" and t.module in vocabulary.GPT2_CONV1D
    return _matrix("linear", "in", "out") if found else None


def _experts(t: Named) -> TensorSpec | None:
    found = t.ndim == 3 and {"expert", "experts"}.intersection((*t.path, t.leaf))
    return _matrix("linear", "stack", "out", "in") if found else None


def _two_axes(t: Named) -> TensorSpec | None:
    return _matrix("linear", "out", "in") if t.ndim == 2 else None


def _three_to_five_axes(t: Named) -> TensorSpec | None:
    axes = default_axes("conv", t.ndim)
    return _matrix("conv", *axes) if axes is not None else None


def _spatial(t: Named) -> tuple[str, ...]:
    return tuple(f"k{number}" for number in range(1, t.ndim - 1))


def _warnings(t: Named, spec: TensorSpec) -> tuple[str, ...]:
    if not spec.axes:
        return ()
    if spec.kind == "recurrent":
        return (f"its gates are fused in {t.shape}: analyzed whole; declare its parts",)
    fused = vocabulary.FUSED.get(t.leaf) or vocabulary.FUSED.get(t.module)
    warnings = []
    if fused is not None:
        warnings.append(
            f"looks like a fused {fused} projection {t.shape}: analyzed whole; declare its parts"
        )
    if spec.axes[0] == "stack":
        warnings.append(
            f"taken for a stack of {t.shape[0]} matrices (out, in): declare its axes if not"
        )
    return tuple(warnings)


RULES: tuple[tuple[str, Callable[[Named], TensorSpec | None]], ...] = (
    ("optimizer state", _optimizer_state),
    ("running statistics", _running_statistics),
    ("bias by name", _bias),
    ("norm by name", _norm),
    ("scalar or vector", _vector),
    ("more than 5 axes", _many_axes),
    ("token or position parameter", _token),
    ("bias of a recurrent layer", _recurrent_bias),
    ("recurrent weight by name", _torch_recurrent),
    ("recurrent kernel (in, out)", _keras_recurrent),
    ("embedding by name", _embedding),
    ("depthwise kernel (k, in, multiplier)", _depthwise),
    ("transposed conv kernel (k, out, in)", _transposed_conv),
    ("attention kernel with heads", _attention),
    ("kernel (in, out)", _dense_kernel),
    ("conv kernel (k, in, out)", _conv_kernel),
    ("GPT-2 Conv1D (in, out)", _gpt2_conv1d),
    ("stacked experts", _experts),
    ("2 axes (out, in)", _two_axes),
    ("3 to 5 axes (out, in, k)", _three_to_five_axes),
)
"""Name and test of every rule; the first that gives an answer decides. Spec: FMT-15."""
