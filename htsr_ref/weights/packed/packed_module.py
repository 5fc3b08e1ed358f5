"""`PackedModule`: the tensors of one module, as a scheme looks at them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from htsr_ref.errors import HtsrError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.weights.container import RawTensor


class NotUnderstoodError(HtsrError):
    """Weights packed in a way that is recognized and not read, or not recognized."""

    code: ClassVar[Literal["not-understood"]] = "not-understood"


class DamagedPackingError(HtsrError):
    """Packed weights whose codes, scales or zeros contradict each other."""

    code: ClassVar[Literal["bad-data"]] = "bad-data"


@dataclass(frozen=True)
class PackedModule:
    """One module's tensors and what the model's files say about its packing.

    Parameters
    ----------
    name : the module's name, such as "model.layers.0.mlp.down_proj".
    tensors : the tensors as stored, by the rest of their names: "qweight", "weight.absmax".
    settings : the JSON objects that state how the model is packed, by where they stand:
        "quantization_config" (config.json, also within text_config; quantize_config.json,
        quant_config.json), "quantization" (MLX's config.json), "hf_quant_config"
        (hf_quant_config.json), "metadata" (the header of the file). Those that are missing are
        left out; their content is not checked.
    """

    name: str
    tensors: Mapping[str, RawTensor]
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
