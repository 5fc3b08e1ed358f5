"""What an array of a Paddle model is, by its parameter's class ("linear_0.w_0"), name and shape."""

import re
from collections.abc import Mapping
from dataclasses import replace

from _conditions import Model
from _layout import Meaning
from _rules import decide

Shape = tuple[int, ...]
_ROWS = r"(\w+_)?cell|embedding"
"""Classes whose matrices are not (in, out)."""


def meanings(
    shapes: Mapping[str, Shape], dtypes: Mapping[str, str], parameters: Mapping[str, str]
) -> dict[str, Meaning]:
    """Meanings of a model's arrays.

    Paddle differs from PyTorch in that linear weights are (in, out). So these are decided as what
    PyTorch's would be, with the shape turned round, and their axes are turned back.

    Parameters
    ----------
    shapes, dtypes : by name.
    parameters : Paddle's own names of parameters, by name, as far as they are known.

    >>> meanings({"fc.weight": (3, 4)}, {"fc.weight": "float32"}, {})["fc.weight"].axes
    ('in', 'out')
    """
    classes = {name: _class_of(parameters.get(name, "")) for name in shapes}
    turned = {
        name for name in shapes if _is_in_out(name, shapes[name], dtypes[name], classes[name])
    }
    model = Model({name: s[::-1] if name in turned else s for name, s in shapes.items()})
    found = {}
    for name, shape in model.shapes.items():
        meaning = _by_class(name, shape, classes[name]) or decide(name, shape, dtypes[name], model)
        if name in turned and meaning.kind == "linear":
            is_guess = classes[name] != "linear" or (meaning.parts != () and meaning.inferred)
            rule = f"{meaning.rule}, turned: Paddle's are (in, out)"
            meaning = replace(meaning, rule=rule, axes=meaning.axes[::-1], inferred=is_guess)
        found[name] = meaning
    return found


def _class_of(parameter: str) -> str:
    """Layer class of a parameter that Paddle named itself; "" for others."""
    match = re.fullmatch(r"(\w+?)_\d+\.[wb]_\d+", parameter)
    return match[1] if match else ""


def _is_in_out(name: str, shape: Shape, dtype: str, layer: str) -> bool:
    if len(shape) != 2 or re.fullmatch(_ROWS, layer):
        return False
    return layer == "linear" or decide(name, shape, dtype, Model({})).kind == "linear"


def _by_class(name: str, shape: Shape, layer: str) -> Meaning | None:
    """Meaning of what PyTorch's names do not tell."""
    leaf = name.split(".")[-1]
    if layer == "embedding" and len(shape) == 2:
        return Meaning("embedding", "Paddle's Embedding", ("out", "in"))
    if layer == "bilinear" and leaf == "weight":
        return Meaning("other", "bilinear form")
    if leaf in ("_mean", "_variance"):
        return Meaning("norm", "running statistics")
    if re.fullmatch(r"(\w+_)?norm(\dd)?", layer) and leaf in ("weight", "scale"):
        return Meaning("norm", "norm by its class")
    return None
