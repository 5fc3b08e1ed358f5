"""What a Keras file states of its variables: names of layers, and their classes and arguments."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from htsr_ref.weights.manifest import TensorSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import h5py

MAX_CONFIG = 64 * 2**20
MAX_NAME = 1000
MAX_DEPTH = 32
ARGUMENTS = ("groups", "equation", "scale", "center")
"""Arguments of layers on which the meaning of variables depends."""
_CONTAINERS = {"layers": "layers", "_layer_checkpoint_dependencies": "layers"}
"""Groups that only hold layers, and their name since Keras 3."""
_OPTIMIZER = ("optimizer", "optimizer_weights")
_INNER = ("layer", "cell")
"""Where a wrapper (Bidirectional, TimeDistributed, RNN) keeps the one layer that it wraps."""


@dataclass(frozen=True)
class _KerasLayer:
    """A layer as the configuration has it: path of its group in Keras 3, own name, class."""

    path: str
    name: str
    layer_class: str
    config: Mapping[str, Any]

    def wrapped(self, place: str, *, is_keras3: bool) -> _KerasLayer:
        """Layer that a wrapper wraps; `place` tells stacked cells apart."""
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
            found = snake_case(str(inner[0].get("class_name")))
            layer = replace(layer, layer_class=found, config=_dict(inner[0].get("config")))
        return layer


def keras_facts(file: h5py.File, variables: Iterable[str]) -> dict[str, TensorSpec]:
    """Say what a file of Keras states of each variable.

    Parameters
    ----------
    file : of weights alone, or with the model's configuration.
    variables : their names in the file.

    Raises
    ------
    ValueError
        If the configuration is not JSON, or too long.

    Spec: FMT-10.
    """
    model = _configuration(file)
    layers = list(_layers(model))
    known = {layer.name: layer for layer in layers} | {layer.path: layer for layer in layers}
    found = {}
    for name in variables:
        group = name.split("/")[:-1]
        if group[:1] and group[0] not in _OPTIMIZER:
            is_keras3 = group[-1] == "vars"
            places, labels = _keras3_group(file, group[:-1]) if is_keras3 else _keras2_group(group)
            found[name] = _facts(places, labels, known, is_keras3=is_keras3)
    return found


def snake_case(name: str) -> str:
    """Name of a class as Keras makes it part of a path.

    >>> snake_case("Conv2DTranspose"), snake_case("GRU"), snake_case("MultiHeadAttention")
    ('conv2d_transpose', 'gru', 'multi_head_attention')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _configuration(file: h5py.File) -> Any:
    text = file.attrs.get("model_config")
    if not isinstance(text, str | bytes):
        return None
    if len(text) > MAX_CONFIG:
        raise ValueError(f"its model_config is longer than {MAX_CONFIG} bytes")
    try:
        return json.loads(text)  # not strictly: Keras writes infinities
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its model_config is not valid JSON: {error}") from error


def _layers(model: Any, path: str = "", name: str = "", depth: int = 0) -> Iterator[_KerasLayer]:
    """Layers of a Sequential or Functional model, and of the models among them."""
    for number, entry in _numbered(_dict(_dict(model).get("config")).get("layers")):
        found, config = snake_case(str(entry.get("class_name"))), _dict(entry.get("config"))
        group = f"{path}layers/{number}"
        own = name + str(config.get("name", found))
        yield _KerasLayer(group, own, found, config)
        if depth < MAX_DEPTH:
            yield from _layers(entry, f"{group}/", f"{own}/", depth + 1)


def _numbered(entries: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Layers of a list, each with the component that Keras 3 names it for: "dense_1"."""
    seen: Counter[str] = Counter()
    for entry in map(_dict, entries if isinstance(entries, list) else []):
        found = snake_case(str(entry.get("class_name")))
        yield found + f"_{seen[found]}" * (seen[found] > 0), entry
        seen[found] += 1


def _keras3_group(file: h5py.File, group: Sequence[str]) -> tuple[list[str], list[str]]:
    """Components of a group, and for each the name that the file states, "" for containers."""
    labels = []
    for end, component in enumerate(group, 1):
        stated = _stated_name(file, "/".join(group[:end]) + "/vars")
        labels.append("" if component in _CONTAINERS else stated or component)
    return [_CONTAINERS.get(component, component) for component in group], labels


def _stated_name(file: h5py.File, place: str) -> str:
    """Name of the layer in the user's model, which Keras 3 keeps in an attribute."""
    if place not in file or "name" not in file[place].attrs:
        return ""
    attribute = file[place].attrs.get_id("name")
    if attribute.shape != () or attribute.get_storage_size() > MAX_NAME:
        return ""
    name = file[place].attrs["name"]
    return name if isinstance(name, str) else ""


def _keras2_group(path: list[str]) -> tuple[list[str], list[str]]:
    if path[0] == "model_weights":
        path = path[1:]
    if path[:1] == path[1:2]:  # a layer's group, and a variable's name that repeats the layer's
        path = path[1:]
    return path, path


def _facts(
    group: Sequence[str],
    labels: Sequence[str],
    known: Mapping[str, _KerasLayer],
    *,
    is_keras3: bool,
) -> TensorSpec:
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
        config = {key: layer.config[key] for key in ARGUMENTS if key in layer.config}
        return TensorSpec(layer=name or None, layer_class=layer.layer_class or None, config=config)
    return TensorSpec(layer="/".join(filter(None, labels)) or None)


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
