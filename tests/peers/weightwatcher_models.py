"""Write two small models in several forms, and the tables that WeightWatcher makes of them.

    PYTHONPATH=tests python tests/peers/weightwatcher_models.py

in an environment that holds weightwatcher 0.7.7, torch 2.13.0, transformers 5.24.0,
safetensors 0.8.0 and gguf 0.19.0. Tables are as pandas writes them, summaries as JSON.

`gpt2` is a GPT-2 whose head is its embedding: as `save_pretrained` writes it, as a state dict, and
as GGUF by the names and axes that llama.cpp's converter gives it. `net` has an embedding that is
also its head, attention with a fused projection, and every kind of module that WeightWatcher passes
over or takes for something else.
"""

import contextlib
import io
import json
import logging
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from networks import heavy

FOLDER = Path(__file__).with_name("fixtures") / "weightwatcher"
SEEDS = {"gpt2": 20240301, "net": 20240302}
TOOLS = ("weightwatcher", "torch", "transformers", "safetensors", "gguf", "numpy", "pandas")

GGUF_NAMES = {
    "transformer.wte": "token_embd",
    "transformer.wpe": "position_embd",
    "transformer.ln_f": "output_norm",
    "ln_1": "attn_norm",
    "ln_2": "ffn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
}
"""What llama.cpp calls the modules of GPT-2."""

TRANSPOSED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")


def gpt2() -> Any:
    """Build a GPT-2 of two blocks, 32 wide."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(vocab_size=120, n_positions=48, n_embd=32, n_layer=2, n_head=4)
    return filled(GPT2LMHeadModel(config).eval(), "gpt2")


def net() -> Any:
    """Build a network of many kinds of modules."""
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(60, 40)
            self.attn = nn.MultiheadAttention(40, 4)
            self.norm = nn.LayerNorm(40)
            self.conv1d = nn.Conv1d(40, 24, 3)
            self.conv2d = nn.Conv2d(12, 24, 3)
            self.up = nn.ConvTranspose2d(24, 12, 2)
            self.lstm = nn.LSTM(40, 16)
            self.fc = nn.Linear(40, 64)
            self.twice = self.fc
            self.head = nn.Linear(40, 60, bias=False)
            self.head.weight = self.embed.weight

    return filled(Net().eval(), "net")


def filled(model: Any, name: str) -> Any:
    """Give every parameter heavy-tailed numbers of the model's seed."""
    import torch

    rng = np.random.default_rng(SEEDS[name])
    for number, parameter in enumerate(model.parameters()):
        values = heavy(rng, *parameter.shape, mu=2.0 + number % 3)
        parameter.data = torch.from_numpy(values)
    return model


def write_gguf(model: Any, path: Path) -> None:
    """Write GPT-2's tensors as llama.cpp does, in the order of their names."""
    import gguf

    writer = gguf.GGUFWriter(path, "gpt2")
    for name, tensor in sorted(model.state_dict().items()):
        if name == "lm_head.weight":
            continue  # The embedding again: llama.cpp takes that.
        module, _, leaf = name.rpartition(".")
        if module.startswith("transformer.h."):
            _, _, block, inner = module.split(".", 3)
            new = f"blk.{block}.{GGUF_NAMES[inner]}.{leaf}"
        else:
            new = f"{GGUF_NAMES[module]}.{leaf}"
        values = tensor.numpy()
        if name.endswith(TRANSPOSED):
            values = np.ascontiguousarray(values.T)
        writer.add_tensor(new, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def save_models(folder: Path) -> None:
    """Write both models in every form."""
    import torch
    from safetensors.torch import save_model

    transformer, network = gpt2(), net()
    transformer.save_pretrained(folder / "gpt2")
    (folder / "gpt2" / "generation_config.json").unlink()
    torch.save(transformer.state_dict(), folder / "gpt2.pt")
    write_gguf(transformer, folder / "gpt2.gguf")
    torch.save(network.state_dict(), folder / "net.pt")
    save_model(network, str(folder / "net.safetensors"))


def save_tables(folder: Path) -> None:
    """Run WeightWatcher on the models and on their state dicts, and write what it returns."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    import weightwatcher

    summaries: dict[str, Any] = {"versions": {tool: version(tool) for tool in TOOLS}}
    runs = {
        "gpt2": (gpt2(), {}),
        "gpt2-state-dict": (gpt2().state_dict(), {}),
        "net": (net(), {}),
        "net-unpooled": (net(), {"pool": False}),
        "net-state-dict": (net().state_dict(), {}),
    }
    for name, (model, options) in runs.items():
        with contextlib.redirect_stdout(io.StringIO()):
            watcher = weightwatcher.WeightWatcher(model=model)
            details = watcher.analyze(**options)
            summary = watcher.get_summary(details)
        details.to_csv(folder / f"{name}.csv", index=False)
        summaries[name] = {key: float(value) for key, value in summary.items()}
    text = json.dumps(summaries, indent=1) + "\n"
    (folder / "summaries.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    save_models(FOLDER)
    save_tables(FOLDER)
