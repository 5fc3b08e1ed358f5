# /// script
# dependencies = ["numpy", "torch==2.13.0", "lightning==2.6.6"]
# ///
"""A training with Lightning, which the page's code runs."""

import sys
import warnings
from pathlib import Path

import lightning
import torch

warnings.simplefilter("ignore")
lightning.seed_everything(0)
epochs = 3


class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(64, 80), torch.nn.Linear(80, 60))

    def training_step(self, batch, _):
        return torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


module = Module()
examples = torch.utils.data.TensorDataset(torch.randn(128, 64), torch.randint(60, (128,)))
batches = torch.utils.data.DataLoader(examples, batch_size=32)

reports = {}
exec(Path(sys.argv[1]).read_text(encoding="utf-8"))  # Our own page.

assert list(reports) == ["step-4", "step-8", "step-12"]
last = reports["step-12"]
assert [layer.name for layer in last.analyzed()] == ["net.0", "net.1"]
norm = torch.linalg.matrix_norm(module.net[0].weight.detach().double()).log10().item()
assert abs(last.layers[0].matrices[0].log10_frobenius_norm - norm) < 1e-9
