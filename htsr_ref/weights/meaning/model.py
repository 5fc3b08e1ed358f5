"""What the rules know of a model as a whole, and of one tensor among the others."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from htsr_ref.weights.tensor_spec import NOTHING_KNOWN, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from htsr_ref.weights.container import RawTensor

Shape = tuple[int, ...]

MAX_COMPONENT = 256
"""Characters of a component that are compared with patterns, which can take their square."""
_ENDS = re.compile(r"[./](?!optimizer_slot)")
_PARAMETRIZED = re.compile(r"\bparametrizations\.(\w+)\.original$")


@dataclass(frozen=True)
class Model:
    """The tensors of a model and what its files say of it.

    Parameters
    ----------
    tensors : as stored, by name.
    facts : what the file's maker says of each tensor.
    framework : the program that the weights come from, "" if it is not known.
    config : the model's configuration (config.json, a GGUF file's metadata).
    settings : what its files say of packing and adapters, see `PackedModule`.
    plain_names : the names that computed weights would have if they were stored as themselves.
    """

    tensors: Mapping[str, RawTensor]
    facts: Mapping[str, TensorSpec] = field(default_factory=dict)
    framework: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    plain_names: Mapping[str, str] = field(default_factory=dict)

    def plain_name(self, name: str) -> str:
        """Name of a tensor without what only tells how it is computed."""
        return self.plain_names.get(name) or unparametrized(name)

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        """Shapes by lower-case name, and by the name without a parametrization."""
        stored = {_key(name): tensor.shape for name, tensor in self.tensors.items()}
        plain = {_key(self.plain_name(name)): t.shape for name, t in self.tensors.items()}
        return plain | stored

    @cached_property
    def modules(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the tensors of each module, by the module's name in lower case."""
        found: dict[str, list[str]] = {}
        for name in self.tensors:
            found.setdefault(_parent(_key(name)), []).append(name)
        return {module: tuple(names) for module, names in found.items()}

    def stacks_with(self, module: str, count: int, side: int) -> frozenset[Shape]:
        """Shapes (count, ...) of tensors in a module, or right below it, with such a side."""
        return frozenset(self._stacks.get((module, count, side), ()))

    @cached_property
    def _stacks(self) -> Mapping[tuple[str, int, int], set[Shape]]:
        found: dict[tuple[str, int, int], set[Shape]] = {}
        for module, names in self.modules.items():
            shapes = {self.tensors[name].shape for name in names}
            for place in {module, _parent(module[:-1])}:
                for shape in shapes:
                    for side in shape[1:] if len(shape) == 3 else ():
                        kept = found.setdefault((place, shape[0], side), set())
                        if len(kept) < 2:
                            kept.add(shape)
        return found

    @cached_property
    def configs(self) -> tuple[Mapping[str, Any], ...]:
        """The configuration, and those of the models within it (`text_config`)."""
        return tuple(configs_of(self.config))

    def numbers(self, *keys: str) -> frozenset[int]:
        """Whole numbers that the configurations state under any of these keys."""
        values = (config.get(key) for config in self.configs for key in keys)
        return frozenset(value for value in values if type(value) is int and value > 0)

    @cached_property
    def has_gpt2_conv1d(self) -> bool:
        """Whether a c_attn weight is (n, 3n): Conv1D modules rather than linear ones."""
        return any(
            name.endswith("c_attn.weight") and len(shape) == 2 and shape[1] == 3 * shape[0]
            for name, shape in self.shapes.items()
        )

    @cached_property
    def has_flax_conv1d(self) -> bool:
        """Whether the bias of a c_attn is as long as the first axis: GPT-2's module (out, in)."""
        return any(
            re.search(r"(^|[./])c_attn[./]kernel$", name)
            and self.shapes.get(f"{name[:-6]}bias") == shape[:1] != shape[1:]
            for name, shape in self.shapes.items()
        )

    @cached_property
    def scanned(self) -> frozenset[str]:
        """Modules of JAX whose arrays all have a first axis of one length, which counts layers.

        That is so if a bias or scale has two axes, or if the name says so.
        """
        lengths: dict[str, set[Shape]] = {}
        counted = set()
        for name, tensor in self.tensors.items():
            if "/" not in name:
                continue
            path, shape = name.split("/"), tensor.shape
            is_vector = path[-1] in ("scale", "bias") and len(shape) == 2
            for depth in range(len(path)):
                module = "/".join(path[:depth]).lower()
                lengths.setdefault(module, set()).add(shape[:1])
                is_named = depth > 0 and matches(SCANNED, path[depth - 1], ignore_case=False)
                if is_vector or (is_named and not path[depth].isdecimal()):
                    counted.add(module)
        return frozenset(module for module in counted if len(lengths[module]) == 1)


SCANNED = r"(\w+_)?(scan|scanned)(_\w+)?|scan\w*|(Scan|Vmap)[A-Z]\w*"
"""Names of modules that are lifted over a new axis; Flax itself calls them ScanBlock_0."""


@dataclass(frozen=True)
class Seen:
    """A tensor as the rules see it.

    Parameters
    ----------
    components : of its name, in lower case, between dots and slashes; the beginnings of long ones.
    stem : its name in lower case without the last component, with the dot.
    leaf : its last component, or the variable's name where only its class tells it.
    shape, dtype : as stored.
    facts : what the file's maker says.
    model : the model it belongs to.
    """

    components: tuple[str, ...]
    stem: str
    leaf: str
    shape: Shape
    dtype: str
    facts: TensorSpec
    model: Model

    @property
    def ndim(self) -> int:
        """Number of stored axes."""
        return len(self.shape)

    @property
    def module(self) -> str:
        """The component before the leaf; the leaf if it stands alone."""
        return self.components[-2] if len(self.components) > 1 else self.leaf

    @property
    def parent(self) -> str:
        """Name of the module that holds this tensor's module, with its dot."""
        return _parent(self.stem[:-1])

    def beside(self, leaf: str) -> Shape | None:
        """Shape of a tensor of the same module; None if there is none."""
        return self.model.shapes.get(self.stem + leaf)

    def around(self, name: str, levels: int = 1) -> Shape | None:
        """Shape of a tensor so many modules further up; None if there is none.

        In `name`, slashes stand for whatever parts the components of this tensor's name.
        """
        above = self.stem
        for _ in range(levels):
            above = _parent(above[:-1])
        return self.model.shapes.get(above + name.replace("/", self.stem[-1:] or "."))

    def is_within(self, pattern: str) -> bool:
        """Whether a component of the name has the pattern."""
        return any(matches(pattern, part) for part in self.components)

    def has_leaf(self, pattern: str) -> bool:
        """Whether the last component has the pattern."""
        return matches(pattern, self.leaf)

    def is_in(self, pattern: str) -> bool:
        """Whether the component before the last has the pattern."""
        return matches(pattern, self.module)


def seen_of(name: str, model: Model) -> Seen:
    """Take a tensor's name apart.

    >>> import numpy as np
    >>> from htsr_ref.weights.backing import InMemory
    >>> from htsr_ref.weights.container import RawTensor
    >>> w = np.ones((2, 3))
    >>> tensor = RawTensor("Block.fc1.weight", w.shape, "float64", InMemory(w))
    >>> seen = seen_of("Block.fc1.weight", Model({tensor.name: tensor}))
    >>> seen.components, seen.stem, seen.module
    (('block', 'fc1', 'weight'), 'block.fc1.', 'fc1')
    """
    tensor = model.tensors[name]
    key = _key(model.plain_name(name))
    components = [part for part in _ENDS.split(key) if part] or [key]
    return Seen(
        tuple(part[:MAX_COMPONENT] for part in components),
        _parent(key),
        components[-1][:MAX_COMPONENT],
        tensor.shape,
        tensor.dtype,
        model.facts.get(name, NOTHING_KNOWN),
        model,
    )


def unparametrized(name: str) -> str:
    """Name that a tensor has without PyTorch's parametrization, spectral norm or pruning.

    >>> unparametrized("up.parametrizations.weight.original"), unparametrized("up.weight_orig")
    ('up.weight', 'up.weight')
    """
    plain = _PARAMETRIZED.sub(r"\1", name)
    return plain.removesuffix("_orig") if plain.endswith(("weight_orig", "bias_orig")) else plain


def _key(name: str) -> str:
    """Name as rules compare it: in lower case, without what TensorFlow adds."""
    return name.lower().removesuffix(":0")


def _parent(key: str) -> str:
    """Name of a tensor's module with its dot or slash; "" without one."""
    return key[: max(key.rfind("."), key.rfind("/")) + 1]


def configs_of(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a configuration, and those within it, at any depth."""
    waiting = [config]
    for found in waiting:  # which grows meanwhile: JSON may be nested deeper than Python's stack
        yield found
        waiting += [value for value in found.values() if isinstance(value, dict)]


@lru_cache(maxsize=4096)
def matches(pattern: str, text: str, *, ignore_case: bool = True) -> bool:
    """Whether a text has a pattern as a whole."""
    flags = re.IGNORECASE if ignore_case else 0
    return re.fullmatch(pattern, text, flags) is not None
