"""The layers that a Keras model's configuration names, and where their weights lie."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from common.facts import Facts
from common.names import NameBudget, width

MAX_DEPTH = 32
ARGUMENTS = ("groups", "equation", "scale", "center")
"""Arguments of layers on which the meaning of variables depends."""
_INNER = ("layer", "cell")
"""Where a wrapper (Bidirectional, TimeDistributed, RNN) keeps the one layer that it wraps."""


@dataclass(frozen=True)
class Layer:
    """A layer as the configuration has it.

    Parameters
    ----------
    path : group of its weights in Keras 3's files, "layers/dense_1".
    name : its own name after those of the models that it is in, "encoder/fc".
    kind : its class in snake case, "conv2d_transpose".
    config : its arguments.
    """

    path: str
    name: str
    kind: str
    config: Mapping[str, Any]

    def wrapped(self, place: str, *, is_keras3: bool) -> "Layer":
        """Layer that a wrapper wraps; itself if it wraps none.

        Parameters
        ----------
        place : last component of the group, which tells stacked cells apart.
        is_keras3 : see `facts_of`.
        """
        layer = self
        for _ in range(MAX_DEPTH):
            inner = [_dict(layer.config[key]) for key in _INNER if _dict(layer.config.get(key))]
            inner += [
                cell
                for number, cell in _numbered(layer.config.get("cells"))
                if place == (number if is_keras3 else _dict(cell.get("config")).get("name"))
            ]
            if not inner:
                break
            kind = snake_case(str(inner[0].get("class_name")))
            layer = replace(layer, kind=kind, config=_dict(inner[0].get("config")))
        return layer


def snake_case(name: str) -> str:
    """Name of a class as Keras makes it part of a path.

    >>> snake_case("Conv2DTranspose"), snake_case("GRU"), snake_case("MultiHeadAttention")
    ('conv2d_transpose', 'gru', 'multi_head_attention')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def layers(
    model: Any, path: str = "", name: str = "", depth: int = 0, budget: NameBudget | None = None
) -> Iterator[Layer]:
    """Layers of a Sequential or Functional model, and of the models among them.

    >>> dense = {"class_name": "Dense", "config": {"name": "fc"}}
    >>> [layer.path for layer in layers({"config": {"layers": [dense, dense]}})]
    ['layers/dense', 'layers/dense_1']
    """
    budget = budget or NameBudget()
    for number, entry in _numbered(_dict(_dict(model).get("config")).get("layers")):
        kind, config = snake_case(str(entry.get("class_name"))), _dict(entry.get("config"))
        group = f"{path}layers/{number}"
        own = name + str(config.get("name", kind))
        budget.spend(width(own) + width(group))
        yield Layer(group, own, kind, config)
        if depth < MAX_DEPTH:
            yield from layers(entry, f"{group}/", f"{own}/", depth + 1, budget)


def _numbered(entries: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Layers of a list, each with the component that Keras 3 names it for: "dense_1"."""
    seen: Counter[str] = Counter()
    for entry in map(_dict, entries if isinstance(entries, list) else []):
        kind = snake_case(str(entry.get("class_name")))
        yield kind + f"_{seen[kind]}" * (seen[kind] > 0), entry
        seen[kind] += 1


def facts_of(
    group: Sequence[str], labels: Sequence[str], known: Mapping[str, Layer], *, is_keras3: bool
) -> Facts:
    """Say what the file states of a variable: its layer's name, and the class if there is one.

    Parameters
    ----------
    group : components of the path of the variable's group.
    labels : for each, the name that the file states; the component itself if none, "" if the
        component only holds others.
    known : the configuration's layers by `path` and `name`.
    is_keras3 : whether groups are named for classes and variables for numbers.
    """
    for end in range(len(group), 0, -1):
        layer = known.get("/".join(group[:end]))
        if layer is None:
            continue
        stated = labels[end - 1]
        if is_keras3 and stated not in (group[end - 1], layer.name.split("/")[-1]):
            continue
        if not is_keras3 or end < len(group):
            layer = layer.wrapped(group[-1], is_keras3=is_keras3)
        name = "/".join(filter(None, (layer.name, *labels[end:])))
        stated_of = {key: layer.config[key] for key in ARGUMENTS if key in layer.config}
        return Facts(layer=name or None, layer_class=layer.kind or None, config=stated_of)
    return Facts(layer="/".join(filter(None, labels)) or None)


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
