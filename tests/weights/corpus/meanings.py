"""What a module does with a tensor of its own: its roles and axes, by the module's class.

The first role is the expected one, the others are right as well. Nothing here looks at shapes or
at a tensor's full name: a class and the name of its parameter say what `forward` does with it.
A parameter of a class that is not listed is an error: somebody has to read its code.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils.parametrize import ParametrizationList
from transformers.pytorch_utils import Conv1D


@dataclass(frozen=True)
class Meaning:
    """Roles and axes of a tensor as its module stores it; `experts` are stacked along axis 0."""

    roles: tuple[str, ...]
    axes: tuple[str, ...] = ()
    groups: int = 1
    experts: int = 0
    note: str = ""


NORM = Meaning(("norm",))
STATISTIC = Meaning(("norm", "buffer"))
BIAS = Meaning(("bias",))
NORM_BIAS = Meaning(("bias", "norm"))
BUFFER = Meaning(("buffer",))
FACTOR = Meaning(("buffer", "scale"))
POSITION = Meaning(("position", "buffer"))
ADDED = Meaning(("bias", "buffer"))
CODEBOOK = Meaning(("codebook", "buffer", "embedding"))
EMBEDDING = Meaning(("embedding",))
POSITION_EMBEDDING = Meaning(("embedding", "position"))
SINUSOIDS = Meaning(("position", "embedding"))
OUT_IN = Meaning(("weight",), ("out", "in"))
IN_OUT = Meaning(("weight",), ("in", "out"))
HEADS_OUT = Meaning(("weight",), ("in", "out", "out"))
HEADS_IN = Meaning(("weight",), ("out", "in", "in"))
STACK_OUT_IN = Meaning(("weight",), ("stack", "out", "in"))
STACK_IN_OUT = Meaning(("weight",), ("stack", "in", "out"))
GAIN = Meaning(
    ("scale", "norm", "buffer"),
    note="weight norm: the length g of g * v / |v|, which is the weight",
)

# Parameters and buffers that a class registers itself: what its forward does with them.
OWN = {
    # Matrices. Routers: F.linear(x, weight).
    **{
        (f"{family}.{'TopkRouter' if 'Deepseek' in family else 'TopKRouter'}", "weight"): OUT_IN
        for family in (
            "DeepseekV2",
            "DeepseekV3",
            "GptOss",
            "GraniteMoe",
            "Jamba",
            "Mixtral",
            "Olmoe",
            "Qwen2Moe",
            "Qwen3Moe",
            "Qwen3Next",
            "Qwen3VLMoeText",
        )
    },
    ("GptOss.TopKRouter", "bias"): BIAS,
    ("DeepseekV3.TopkRouter", "e_score_correction_bias"): ADDED,
    ("MultiheadAttention", "in_proj_weight"): OUT_IN,
    ("MultiheadAttention", "in_proj_bias"): BIAS,
    # torch.matmul(x, weight)
    ("Gemma3MultiModalProjector", "mm_input_projection_weight"): IN_OUT,
    # einsum("ibh,hnd->ibnd"), and back by einsum("ibnd,hnd->ibh")
    **{("XLNetRelativeAttention", name): HEADS_OUT for name in "qkvr"},
    ("XLNetRelativeAttention", "o"): HEADS_IN,
    **{("XLNetRelativeAttention", f"r_{name}_bias"): ADDED for name in "rsw"},
    ("XLNetRelativeAttention", "seg_embed"): Meaning(("embedding", "position", "buffer")),
    # baddbmm(bias, x, weight): blocks of a block-diagonal matrix
    ("RecurrentGemmaRglru", "input_gate_weight"): STACK_IN_OUT,
    ("RecurrentGemmaRglru", "recurrent_gate_weight"): STACK_IN_OUT,
    ("RecurrentGemmaRglru", "input_gate_bias"): BIAS,
    ("RecurrentGemmaRglru", "recurrent_gate_bias"): BIAS,
    ("RecurrentGemmaRglru", "recurrent_param"): BUFFER,
    # F.linear(x, weight[expert])
    ("JetMoeParallelExperts", "weight"): STACK_OUT_IN,
    ("JetMoeMoA", "bias"): BIAS,
    ("JetMoeMoE", "bias"): BIAS,
    # bmm(x, weight)
    ("Llama4TextExperts", "gate_up_proj"): STACK_IN_OUT,
    ("Llama4TextExperts", "down_proj"): STACK_IN_OUT,
    # transformers 4: position indices and biases within the attention
    ("SwinSelfAttention", "relative_position_bias_table"): POSITION,
    ("SwinSelfAttention", "relative_position_index"): Meaning(("buffer", "position")),
    # State spaces and recurrences
    **{
        (mixer, name): BUFFER
        for mixer in ("MambaMixer", "FalconMambaMixer", "JambaMambaMixer", "Mamba2Mixer")
        for name in ("A_log", "D")
    },
    ("Mamba2Mixer", "dt_bias"): ADDED,
    ("Qwen3NextGatedDeltaNet", "A_log"): BUFFER,
    ("Qwen3NextGatedDeltaNet", "dt_bias"): ADDED,
    **{
        ("RwkvSelfAttention", f"time_{name}"): BUFFER
        for name in ("decay", "first", "mix_key", "mix_receptance", "mix_value")
    },
    ("RwkvFeedForward", "time_mix_key"): BUFFER,
    ("RwkvFeedForward", "time_mix_receptance"): BUFFER,
    # Attention sinks, and biases of attention or of the last layer
    ("GptOssAttention", "sinks"): BUFFER,
    ("AlbertMLMHead", "bias"): BIAS,
    ("BertLMPredictionHead", "bias"): BIAS,
    ("LegacyDebertaV2LMPredictionHead", "bias"): BIAS,
    ("RobertaLMHead", "bias"): BIAS,
    ("BartForConditionalGeneration", "final_logits_bias"): ADDED,
    ("MarianMTModel", "final_logits_bias"): ADDED,
    ("PegasusForConditionalGeneration", "final_logits_bias"): ADDED,
    ("Attention", "q_bias"): BIAS,
    ("Attention", "v_bias"): BIAS,
    ("EvaAttention", "q_bias"): BIAS,
    ("EvaAttention", "v_bias"): BIAS,
    # Tokens and learned inputs
    **dict.fromkeys(
        (
            ("Beit", "cls_token"),
            ("BeitEmbeddings", "cls_token"),
            ("Blip2ForConditionalGeneration", "query_tokens"),
            ("Blip2VisionEmbeddings", "class_embedding"),
            ("CLIPVisionEmbeddings", "class_embedding"),
            ("Cait", "cls_token"),
            ("DeiTEmbeddings", "cls_token"),
            ("DeiTEmbeddings", "distillation_token"),
            ("Dinov2Embeddings", "cls_token"),
            ("Dinov2Embeddings", "mask_token"),
            ("Eva", "cls_token"),
            ("HubertModel", "masked_spec_embed"),
            ("Llama4VisionModel", "class_embedding"),
            ("MllamaVisionModel", "class_embedding"),
            ("SiglipMultiheadAttentionPoolingHead", "probe"),
            ("ViTEmbeddings", "cls_token"),
            ("VisionTransformer", "cls_token"),
            ("Wav2Vec2Model", "masked_spec_embed"),
            ("XLNetModel", "mask_emb"),
            ("Xcit", "cls_token"),
            ("YolosEmbeddings", "cls_token"),
            ("YolosEmbeddings", "detection_tokens"),
        ),
        BUFFER,
    ),
    # Positions
    **dict.fromkeys(
        (
            ("Attention", "relative_position_bias_table"),
            ("BeitRelativePositionBias", "relative_position_bias_table"),
            ("Blip2VisionEmbeddings", "position_embedding"),
            ("Cait", "pos_embed"),
            ("DeiTEmbeddings", "position_embeddings"),
            ("Dinov2Embeddings", "position_embeddings"),
            ("Eva", "pos_embed"),
            ("InterpolateMidPositionEmbeddings", "mid_position_embeddings"),
            ("Llama4VisionModel", "positional_embedding_vlm"),
            ("MllamaPrecomputedPositionEmbedding", "embedding"),
            ("RelPosBias", "relative_position_bias_table"),
            ("RelPosBiasTf", "relative_position_bias_table"),
            ("SamPositionalEmbedding", "positional_embedding"),
            ("SamVisionEncoder", "pos_embed"),
            ("SamVisionSdpaAttention", "rel_pos_h"),
            ("SamVisionSdpaAttention", "rel_pos_w"),
            ("SwinRelativePositionBias", "relative_position_bias_table"),
            ("ViTEmbeddings", "position_embeddings"),
            ("VisionTransformer", "pos_embed"),
            ("VitsAttention", "emb_rel_k"),
            ("VitsAttention", "emb_rel_v"),
            ("WindowAttention", "relative_position_bias_table"),
            ("YolosEmbeddings", "position_embeddings"),
        ),
        POSITION,
    ),
    # Factors
    **dict.fromkeys(
        (
            ("BeitLayer", "lambda_1"),
            ("BeitLayer", "lambda_2"),
            ("Block", "gamma_1"),
            ("Block", "gamma_2"),
            ("CLIPModel", "logit_scale"),
            ("ClassAttentionBlock", "gamma1"),
            ("ClassAttentionBlock", "gamma2"),
            ("ConvNeXtBlock", "gamma"),
            ("ConvNextLayer", "layer_scale_parameter"),
            ("Dinov2LayerScale", "lambda1"),
            ("LayerScaleBlock", "gamma_1"),
            ("LayerScaleBlock", "gamma_2"),
            ("LayerScaleBlockClassAttn", "gamma_1"),
            ("LayerScaleBlockClassAttn", "gamma_2"),
            ("MllamaCrossAttentionDecoderLayer", "cross_attn_attn_gate"),
            ("MllamaCrossAttentionDecoderLayer", "cross_attn_mlp_gate"),
            ("MllamaPrecomputedAspectRatioEmbedding", "gate"),
            ("MllamaPrecomputedPositionEmbedding", "gate"),
            ("MllamaVisionEncoderLayer", "gate_attn"),
            ("MllamaVisionEncoderLayer", "gate_ffn"),
            ("ScaledStdConv2d", "gain"),
            ("SiglipModel", "logit_scale"),
            ("SpeechT5ScaledPositionalEncoding", "alpha"),
            ("Swinv2SelfAttention", "logit_scale"),
            ("VitsElementwiseAffine", "log_scale"),
            ("XCA", "temperature"),
            ("XCABlock", "gamma1"),
            ("XCABlock", "gamma2"),
            ("XCABlock", "gamma3"),
        ),
        FACTOR,
    ),
    ("SiglipModel", "logit_bias"): ADDED,
    ("VitsElementwiseAffine", "translate"): ADDED,
    # Codebooks
    ("EncodecEuclideanCodebook", "embed"): CODEBOOK,
    ("EncodecEuclideanCodebook", "embed_avg"): Meaning(("buffer", "codebook")),
    ("EncodecEuclideanCodebook", "cluster_size"): BUFFER,
    ("EncodecEuclideanCodebook", "inited"): BUFFER,
    ("Wav2Vec2GumbelVectorQuantizer", "codevectors"): CODEBOOK,
}


def _convolution(module: nn.Module) -> Meaning:
    kernel = tuple(f"k{number + 1}" for number in range(len(module.kernel_size)))
    order = ("in", "out") if isinstance(module, _ConvTransposeNd) else ("out", "in")
    return Meaning(("weight",), (*order, *kernel), module.groups)


def _weight_norm(model: nn.Module, path: str, name: str) -> Meaning:
    owner = model.get_submodule(path.removesuffix(".parametrizations.weight"))
    if name == "original0":
        return GAIN
    found = _convolution(owner) if isinstance(owner, _ConvNd) else OUT_IN
    note = "weight norm: the direction v of g * v / |v|, which is the weight"
    return Meaning(("weight", "unknown"), found.axes, found.groups, note=note)


def _experts(module: nn.Module, name: str) -> Meaning | None:
    """Classes under transformers' `use_experts_implementation` say how they store experts."""
    if name.endswith("_bias"):
        return BIAS
    return STACK_IN_OUT if module.is_transposed else STACK_OUT_IN


def _recurrent(name: str) -> Meaning:
    return BIAS if name.startswith("bias") else Meaning(("recurrent",), ("out", "in"))


def _embedding(module: nn.Module, path: str) -> Meaning:
    if "Sinusoidal" in type(module).__name__:
        return SINUSOIDS
    attribute = path.rpartition(".")[2]
    of_positions = "Positional" in type(module).__name__ or any(
        word in attribute for word in ("position", "relative", "rel_")
    )
    return POSITION_EMBEDDING if of_positions else EMBEDDING


def _norm(name: str) -> Meaning:
    return {"weight": NORM, "bias": NORM_BIAS}.get(name, STATISTIC)


def _key(kind: str) -> str:
    for router in ("TopKRouter", "TopkRouter"):
        if kind.endswith(router):
            return f"{kind.removesuffix(router)}.{router}"
    return kind


def meaning_of(model: nn.Module, path: str, name: str, tensor: Tensor) -> Meaning:
    """Meaning of parameter or buffer `name` of the module at `path`."""
    module = model.get_submodule(path)
    kind = type(module).__name__
    if kind == "DbrxExpertGLU":
        # w1 and v1 are used as x @ w.T, w2 as x @ w, each reshaped to (experts, ffn, hidden).
        axes = ("in", "out") if name == "w2" else ("out", "in")
        return Meaning(("weight",), axes, experts=module.moe_num_experts)
    if (_key(kind), name) in OWN:
        return OWN[_key(kind), name]
    if isinstance(module, ParametrizationList):
        return _weight_norm(model, path, name)
    if isinstance(module, nn.Embedding):
        return _embedding(module, path)
    if isinstance(module, nn.RNNBase):
        return _recurrent(name)
    if isinstance(module, (_NormBase, nn.LayerNorm, nn.GroupNorm)) or "Norm" in kind:
        assert tensor.ndim <= 2, (kind, name)
        return _norm(name)
    if kind == "Qwen3VLMoeTextExperts" and not hasattr(module, "is_transposed"):
        return STACK_IN_OUT  # transformers 4: x @ weight[expert]
    if hasattr(module, "is_transposed") and hasattr(module, "has_gate"):
        return _experts(module, name)
    if isinstance(module, (nn.Linear, Conv1D, _ConvNd)) and name in ("weight", "bias"):
        if name == "bias":
            return BIAS
        if isinstance(module, _ConvNd):
            return _convolution(module)
        return IN_OUT if isinstance(module, Conv1D) else OUT_IN
    raise LookupError(f"{path}: nobody has read how {kind} uses {name} {tuple(tensor.shape)}")
