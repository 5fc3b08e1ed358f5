"""What an array of a JAX model is, by its name and shape: Flax, Haiku and Equinox conventions.

Flax and Haiku kernels are (k..., in, out); the axes of features or heads may be several. Layers
under `scan` or `vmap` have a further axis in front, which biases and norms of the layer have too.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from _conditions import Model
from _layout import SPATIAL, Meaning
from _rules import DEPTHWISE, decide

Path = tuple[str, ...]
Shape = tuple[int, ...]
SCANNED = r"(\w+_)?(scan|scanned)(_\w+)?|scan\w*|(Scan|Vmap)[A-Z]\w*"
"""Names of modules that are lifted over a new axis; Flax itself calls them ScanBlock_0."""
INTO_HEADS, FROM_HEADS = ("query", "key", "value"), "out"
CONV1D = r"c_attn|c_fc|c_proj|q_attn"
GATES = {1: "", 3: "rzn", 4: "ifgo"}
"""Gates that NNX has in one kernel, by how many there are; a simple cell has none."""
_LEAVES = {
    "bias": ("bias", "bias by name"),
    "b": ("bias", "bias by name"),
    "offset": ("norm", "norm by name"),
    "scale": ("norm", "norm by name"),
    "mean": ("norm", "running statistics"),
    "var": ("norm", "running statistics"),
}
_BIAS_OF = {"kernel": "bias", "w": "b"}


@dataclass(frozen=True)
class Tree:
    """The shapes of a model's arrays, by the components of their names."""

    shapes: Mapping[Path, Shape]

    @cached_property
    def model(self) -> Model:
        """The same with slashes in the names."""
        return Model({"/".join(path): shape for path, shape in self.shapes.items()})

    @cached_property
    def has_flax_conv1d(self) -> bool:
        """Whether the bias of a c_attn is as long as the first axis: GPT-2's module (out, in)."""
        return any(
            path[-2:] == ("c_attn", "kernel")
            and self.shapes.get((*path[:-1], "bias")) == shape[:1] != shape[1:]
            for path, shape in self.shapes.items()
        )

    def has_projections(self, path: Path) -> bool:
        """Whether kernels of queries, keys and values are in the layer that a kernel is in."""
        return all((*path[:-2], name, path[-1]) in self.shapes for name in INTO_HEADS)

    @cached_property
    def scanned(self) -> frozenset[Path]:
        """Modules whose arrays all have a first axis of one length, which counts layers.

        That is so if a bias or scale has two axes, or if the name says so.
        """
        lengths: dict[Path, set[Shape]] = defaultdict(set)
        counted = set()
        for path, shape in self.shapes.items():
            for depth in range(len(path)):
                module = path[:depth]
                lengths[module].add(shape[:1])
                is_named = depth > 0 and re.fullmatch(SCANNED, path[depth - 1])
                is_vector = path[-1] in ("scale", "bias") and len(shape) == 2
                if is_vector or (is_named and not path[depth].isdecimal()):
                    counted.add(module)
        return frozenset(module for module in counted if len(lengths[module]) == 1)


def meaning(path: Path, dtype: str, tree: Tree) -> Meaning:
    """Meaning of an array; all that is decided is inferred.

    >>> meaning(("Dense_0", "kernel"), "float32", Tree({("Dense_0", "kernel"): (3, 4)})).axes
    ('in', 'out')
    """
    leaf, shape = path[-1], tree.shapes[path]
    if leaf in _LEAVES:
        return Meaning(*_LEAVES[leaf], inferred=True)
    if leaf in _BIAS_OF and len(shape) >= 2 and "int" not in dtype:
        return _kernel(path, tree)
    if leaf in ("embedding", "embeddings") and len(shape) == 2:
        return Meaning("embedding", "embedding by name", ("out", "in"), inferred=True)
    return replace(decide("/".join(path), shape, dtype, tree.model), inferred=True)


def _kernel(path: Path, tree: Tree) -> Meaning:
    whole = tree.shapes[path]
    bias = tree.shapes.get((*path[:-1], _BIAS_OF[path[-1]]))
    scanned = _is_scanned(path, bias, tree)
    shape = whole[scanned:]
    kind, rule, axes = _axes(path, shape, bias[scanned:] if bias is not None else None, tree)
    parts = _gates(path, tree) if kind == "linear" else None
    if parts is not None:
        kind, rule = "recurrent", "gates of a recurrent cell (in, out)"
    if scanned:
        rule, axes = f"{rule}, scanned layers", ("stack", *axes)
    if len(axes) != len(whole):
        return Meaning("other", "kernel of more axes than are known", inferred=True)
    is_depthwise = kind == "conv" and shape[-2] == 1
    is_depthwise &= any(re.fullmatch(DEPTHWISE, part, re.IGNORECASE) for part in path)
    groups = shape[-1] if is_depthwise else 1
    return Meaning(kind, rule, axes, inferred=True, groups=groups, parts=parts or ())


def _axes(
    path: Path, shape: Shape, bias: Shape | None, tree: Tree
) -> tuple[str, str, tuple[str, ...]]:
    """Kind, rule and axes of a kernel; too few axes if it is unknown."""
    ndim, module = len(shape), path[-2] if len(path) > 1 else ""
    if ndim == 2:
        is_conv1d = tree.has_flax_conv1d and re.fullmatch(CONV1D, module)
        if bias == shape[:1] and (bias != shape[1:] or is_conv1d):
            return "linear", "kernel (out, in) by its bias", ("out", "in")
        return "linear", "kernel (in, out)", ("in", "out")
    if bias is not None and len(bias) > 1 and shape[-len(bias) :] == bias:
        features = ("in",) * (ndim - len(bias)) + ("out",) * len(bias)
        return "linear", "kernel (in, out), several axes as in its bias", features
    has_heads = ndim == 3 and tree.has_projections(path)
    if has_heads and module in INTO_HEADS and bias is None:
        return "linear", "attention kernel (in, heads, out)", ("in", "out", "out")
    if has_heads and module == FROM_HEADS and bias in (None, shape[-1:]):
        return "linear", "attention kernel (heads, in, out)", ("in", "in", "out")
    spatial = SPATIAL[: ndim - 2]
    is_haiku = path[-1] == "w" and "transpose" in module
    is_by_bias = bias is not None and bias != shape[-1:] and bias == shape[-2:-1]
    if is_haiku or is_by_bias:
        return "conv", "transposed conv kernel (k, out, in)", (*spatial, "out", "in")
    return "conv", "conv kernel (k, in, out)", (*spatial, "in", "out")


def _gates(path: Path, tree: Tree) -> tuple[tuple[str, int], ...] | None:
    """Parts of a recurrent cell's kernel, empty for one gate; None if it is no such kernel.

    Linen has ii and hi, ir and hr, i and h, ...; NNX too, or all gates in dense_i and dense_h.
    """
    match = re.fullmatch("(dense_|)[ih]([ifgorzn]?)_?", path[-2] if len(path) > 1 else "")
    if match is None:
        return None
    hidden = tree.shapes.get((*path[:-2], f"{match[1]}h{match[2]}", path[-1]), ())
    count = next((n for n in GATES if hidden[-1:] == tuple(n * size for size in hidden[-2:-1])), 0)
    is_cell = hidden[-1:] == tree.shapes[path][-1:] and count in (GATES if match[1] else (1,))
    return tuple((gate, hidden[-2]) for gate in GATES[count]) if is_cell else None


def _is_scanned(path: Path, bias: Shape | None, tree: Tree) -> bool:
    """Whether the first axis of a kernel counts layers: by its bias, else by its surroundings."""
    shape = tree.shapes[path]
    if len(shape) < 3 or bias is None:
        return len(shape) > 2 and any(path[:depth] in tree.scanned for depth in range(len(path)))
    if shape[-len(bias) :] == bias and not (
        bias == shape[:1] + shape[-1:] and path[-2] not in INTO_HEADS
    ):
        return False  # the axes of heads
    return len(bias) > 1 and bias[0] == shape[0]
