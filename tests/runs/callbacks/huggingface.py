# /// script
# dependencies = ["numpy", "torch==2.13.0", "transformers==5.24.0", "accelerate==1.15.0"]
# ///
"""A training with the Trainer of transformers, which the page's code runs."""

import sys
import tempfile
from pathlib import Path

import torch
import transformers

transformers.set_seed(0)
config = transformers.GPT2Config(n_embd=64, n_layer=1, n_head=2, vocab_size=90, n_positions=16)
model = transformers.GPT2LMHeadModel(config)
tokens = torch.randint(90, (16, 8))
dataset = [{"input_ids": row, "labels": row} for row in tokens]
arguments = transformers.TrainingArguments(
    tempfile.mkdtemp(),
    num_train_epochs=3,
    per_device_train_batch_size=4,
    report_to=[],
    save_strategy="no",
    use_cpu=True,
)

reports = {}
exec(Path(sys.argv[1]).read_text(encoding="utf-8"))  # Our own page.

assert list(reports) == ["step-4", "step-8", "step-12"]
last = {layer.name: layer for layer in reports["step-12"].analyzed()}
weight = model.transformer.h[0].mlp.c_fc.weight.detach().double()
found = last["transformer.h.0.mlp.c_fc"].matrices[0].log10_frobenius_norm
assert abs(found - torch.linalg.matrix_norm(weight).log10().item()) < 1e-9
