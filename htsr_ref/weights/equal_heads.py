"""Output layers that a model ties to its embedding, and that its files hold once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from htsr_ref.weights.meaning.model import configs_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from htsr_ref.weights.container import RawTensor

HEADS = ("lm_head.weight", "cls.predictions.decoder.weight", "embed_out.weight")
EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight")
_BLOCK = 2**20
"""Numbers that are compared at a time."""


def equal_heads(
    tensors: Mapping[str, RawTensor], config: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Find heads whose stored numbers are those of the embedding, where config.json ties them.

    transformers ties them only if they are equal, too. Their numbers are read here, which happens
    to no other tensor before it is analyzed.

    Yields
    ------
    Names of the head and of the embedding.

    Spec: FMT-6.
    """
    if not any(part.get("tie_word_embeddings") is True for part in configs_of(config)):
        return
    for head in (name for name in tensors if name.endswith(HEADS)):
        for name in tensors:
            if name.endswith(EMBEDDINGS) and _are_equal(tensors[head], tensors[name]):
                yield head, name
                break


def _are_equal(one: RawTensor, other: RawTensor) -> bool:
    """Whether two matrices have the same codes; NaN is equal to itself."""
    if (one.shape, one.dtype) != (other.shape, other.dtype) or len(one.shape) != 2:
        return False
    rows, columns = one.shape
    step = max(_BLOCK // max(columns, 1), 1)
    return all(
        one.backing.read(part).tobytes() == other.backing.read(part).tobytes()
        for part in ((slice(at, at + step), slice(None)) for at in range(0, rows, step))
    )
