"""Output layers that a model ties to its embedding, and that its files hold once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from htsr_ref.weights.meaning.model import configs_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from htsr_ref.weights.container import RawTensor

HEADS = ("lm_head.weight", "cls.predictions.decoder.weight", "embed_out.weight")
EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight")
_WITH_HEAD = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
"""How the names of classes of transformers end that have an `lm_head`."""
_BLOCK = 2**20
"""Numbers that are compared at a time."""


def tied_heads(
    tensors: Mapping[str, RawTensor], config: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Find output layers that share the embedding's numbers, stored once more or not at all.

    transformers ties a stored head only if its numbers are the embedding's. They are read here,
    which happens to no other tensor before it is analyzed. A head that is not stored is the
    embedding where config.json ties them, and in GGUF files of models that are not encoders.

    Yields
    ------
    Names of the head and of the embedding.

    Spec: FMT-6.
    """
    if "general.architecture" in config:
        yield from _of_gguf(tensors, str(config["general.architecture"]))
    if not any(part.get("tie_word_embeddings") is True for part in configs_of(config)):
        return
    heads = [name for name in tensors if name.endswith(HEADS)]
    embeddings = [name for name in tensors if name.endswith(EMBEDDINGS)]
    for head in heads:
        for name in embeddings:
            if _are_equal(tensors[head], tensors[name]):
                yield head, name
                break
    classes = config.get("architectures")
    has_head = isinstance(classes, list) and any(
        isinstance(name, str) and name.endswith(_WITH_HEAD) for name in classes
    )
    if has_head and not heads and len(embeddings) == 1:
        yield HEADS[0], embeddings[0]


def _of_gguf(tensors: Mapping[str, RawTensor], architecture: str) -> Iterator[tuple[str, str]]:
    is_encoder = "bert" in architecture or "encoder" in architecture
    if "token_embd.weight" in tensors and "output.weight" not in tensors and not is_encoder:
        yield "output.weight", "token_embd.weight"


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
