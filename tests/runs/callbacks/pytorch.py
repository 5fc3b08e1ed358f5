# /// script
# dependencies = ["numpy", "torch==2.13.0"]
# ///
"""A loop in PyTorch, which the page's code runs."""

import sys
from pathlib import Path

import torch

torch.manual_seed(0)
epochs = 3
model = torch.nn.Sequential(torch.nn.Linear(64, 80), torch.nn.ReLU(), torch.nn.Linear(80, 60))
loss = torch.nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
batches = [(torch.randn(32, 64), torch.randint(60, (32,))) for _ in range(4)]

reports = {}
exec(Path(sys.argv[1]).read_text(encoding="utf-8"))  # Our own page.

assert list(reports) == ["epoch-0", "epoch-1", "epoch-2"]
last = reports["epoch-2"]
assert [layer.name for layer in last.analyzed()] == ["0", "2"]
norm = torch.linalg.matrix_norm(model[0].weight.detach().double()).log10().item()
assert abs(last.layers[0].matrices[0].log10_frobenius_norm - norm) < 1e-9
