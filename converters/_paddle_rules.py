"""What an array of a Paddle model is, by its parameter's class ("linear_0.w_0"), name and shape."""

import re
from collections.abc import Mapping
from dataclasses import replace

from _conditions import Model, Seen, in_groups, is_whole
from _layout import SPATIAL, Meaning
from _rules import OUT_IN, decide

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
        by_name = decide(name, shape, dtypes[name], model)
        seen = Seen.of(name, shape, dtypes[name], model)
        meaning = _by_class(seen, by_name, classes[name])
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


def _by_class(seen: Seen, by_name: Meaning, layer: str) -> Meaning:
    """Meaning by the layer's class, which wins over names; by names where it says nothing."""
    leaf, shape = seen.leaf, seen.shape
    if by_name.kind == "refused" or is_whole(seen):
        return by_name
    if layer == "linear" and len(shape) == 2:
        is_same = (by_name.kind, by_name.axes) == ("linear", OUT_IN)
        return by_name if is_same else Meaning("linear", "Paddle's Linear", OUT_IN)
    if layer == "embedding" and len(shape) == 2:
        return Meaning("embedding", "Paddle's Embedding", OUT_IN)
    if layer == "bilinear" and leaf == "weight":
        return Meaning("other", "bilinear form")
    if leaf in ("_mean", "_variance"):
        return Meaning("norm", "running statistics")
    if re.fullmatch(r"(\w+_)?norm(\dd)?", layer) and leaf in ("weight", "scale"):
        return Meaning("norm", "norm by its class")
    conv = re.fullmatch(r"conv[123]d(_transpose)?", layer)
    if conv is None or len(shape) < 3:
        return by_name
    spatial = SPATIAL[: len(shape) - 2]
    if conv[1] is None:
        axes = ("out", "in", *spatial)
        is_same = by_name.kind == "conv" and by_name.axes == axes
        return by_name if is_same else Meaning("conv", "Paddle's Conv", axes)
    # Only the bias tells the groups.
    is_guess = seen.beside("bias") is None
    rule = "Paddle's transposed Conv" + ", taken for one group" * is_guess
    return in_groups(seen, Meaning("conv", rule, ("in", "out", *spatial), is_guess))
