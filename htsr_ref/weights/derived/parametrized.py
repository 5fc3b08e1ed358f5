"""Weights of PyTorch that are computed before each use, found by the names of their parts."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from htsr_ref.errors import shown
from htsr_ref.weights.derived.masked import masked
from htsr_ref.weights.derived.parts import Parts
from htsr_ref.weights.derived.spectral_norm import spectrally_normed
from htsr_ref.weights.derived.weight_norm import is_length_of, normed
from htsr_ref.weights.packed.packed_module import NotUnderstoodError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.derived.derived_tensor import DerivedTensor

_MARK = "parametrizations."
_SUFFIX = re.compile(r"(.*[^./])_(orig|mask|g|u|v)", re.DOTALL)
_PARAMETER = re.compile(r"(.*_)?(weight|kernel|bias)(_.*)?", re.DOTALL)
_CURE = "Save the weight itself (torch.nn.utils.parametrize.remove_parametrizations)"


def parametrized(tensors: Mapping[str, RawTensor]) -> Iterator[Parts]:
    """Find what PyTorch's parametrizations, pruning, weight norm and spectral norm store.

    Parameters
    ----------
    tensors : of a model, by name.

    Spec: DER-1, DER-5.
    """
    modern: dict[str, dict[str, RawTensor]] = {}
    suffixed: dict[str, dict[str, RawTensor]] = {}
    for name, tensor in tensors.items():
        if (found := _of_parametrization(name)) is not None:
            modern.setdefault(found[0], {})[found[1]] = tensor
        elif (match := _SUFFIX.fullmatch(name)) is not None:
            suffixed.setdefault(match[1], {})[match[2]] = tensor
    for plain_name, parts in modern.items():
        yield _parts(parts, partial(_from_parametrization, plain_name, parts))
    for plain_name, parts in suffixed.items():
        if _is_computed(plain_name, parts):
            is_stored = plain_name in tensors
            derive = partial(_from_suffixes, plain_name, parts, is_stored=is_stored)
            yield _parts(parts, derive)


def _of_parametrization(name: str) -> tuple[str, str] | None:
    """Name of the weight, and the part, of "fc.parametrizations.weight.original0"."""
    at = name.rfind(_MARK)
    if at < 0 or (at > 0 and name[at - 1] != "."):
        return None
    leaf, dot, part = name[at + len(_MARK) :].partition(".")
    return (name[:at] + leaf, part) if dot and leaf and part else None


def _parts(parts: Mapping[str, RawTensor], derive: partial[DerivedTensor]) -> Parts:
    names = tuple(tensor.name for tensor in parts.values())
    return Parts(names, derive, "unknown", "part of a parametrization")


def _from_parametrization(plain_name: str, parts: Mapping[str, RawTensor]) -> DerivedTensor:
    """Weight under torch.nn.utils.parametrize."""
    if parts.keys() == {"original0", "original1"}:
        g, v = parts["original0"], parts["original1"]
        if is_length_of(g.shape, v.shape):
            return normed(plain_name, g, v)
        raise _refusal("it is under a parametrization of two parts that is not weight norm")
    if parts.keys() == {"original", "0._u", "0._v"}:
        return spectrally_normed(plain_name, parts["original"], parts["0._u"], parts["0._v"])
    if "0.base" in parts:
        raise _refusal("it is under an orthogonal parametrization, which is not read")
    if parts.keys() == {"original"}:
        raise _refusal("it is under a parametrization that nothing stored tells")
    raise _refusal("it is under a parametrization that is not known, or under several")


def _is_computed(plain_name: str, parts: Mapping[str, RawTensor]) -> bool:
    """Whether tensors called X_orig and so on are the parts of X: names alone prove little."""
    is_parameter = _PARAMETER.fullmatch(re.split(r"[./]", plain_name)[-1]) is not None
    if "orig" in parts:
        return is_parameter or "mask" in parts
    if not {"g", "v"} <= parts.keys():
        return False
    g, v = parts["g"].shape, parts["v"].shape
    is_length = is_length_of(g, v) and sum(size > 1 for size in g) == 1
    return len(v) > 1 and (is_parameter or is_length)


def _from_suffixes(
    plain_name: str, parts: Mapping[str, RawTensor], *, is_stored: bool
) -> DerivedTensor:
    """Weight under torch.nn.utils.prune, or the older weight norm and spectral norm."""
    if is_stored:
        raise _refusal(f"it seems to be a part of {shown(plain_name)}, which is stored as well", "")
    if parts.keys() == {"orig", "mask"}:
        return masked(plain_name, parts["orig"], parts["mask"])
    if parts.keys() == {"orig", "u", "v"}:
        return spectrally_normed(plain_name, parts["orig"], parts["u"], parts["v"])
    if parts.keys() == {"g", "v"}:
        return normed(plain_name, parts["g"], parts["v"])
    if parts.keys() == {"orig", "u"}:
        raise _refusal("it is under spectral norm, and the vector v is not stored")
    raise _refusal("its parametrization is not known")


def _refusal(reason: str, cure: str = _CURE) -> NotUnderstoodError:
    return NotUnderstoodError(f"{reason}. {cure}" if cure else reason)
