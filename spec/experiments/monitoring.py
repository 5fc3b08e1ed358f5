# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "htsr-ref[plot]",
#     "mnist1d==0.0.2.post1",
#     "numpy>=1.26",
#     "scikit-learn>=1.3",
#     "torch>=2.2",
# ]
# ///
"""Can the metrics monitor training? Three small networks, a checkpoint an epoch.

SDM 2020 says that its metric "could be used to monitor training". Here a perceptron, a
convolutional network and a transformer are trained from initialization to overfitting, with the
right labels and with 40 % of them drawn at random, each from three seeds, and every metric is
computed after every epoch from the weights alone:

    monitoring.csv          one row an epoch: accuracies, losses and metrics
    monitoring_runs.csv     one row a run and metric: how the metric goes with the test accuracy
    monitoring.svg          accuracy, alpha and alpha-hat over epochs, means of the seeds

Metrics are those of the convention `sdm2020` (no 1/N); alpha_hat_by_N is the same with λ of
WᵀW/N. The share of random-like matrices is of those whose phase is decided (RMT-35).

    uv run monitoring.py            # trains, analyzes, writes the tables: 7 min on one core
    uv run monitoring.py --tables   # writes monitoring_runs.csv and the figure from monitoring.csv
"""

import argparse
import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from htsr_ref import analyze
from htsr_ref.conventions import get_convention
from htsr_ref.models.rank_correlation import tau_b
from htsr_ref.plots import BLUE, ORANGE, drawing, save_figure
from htsr_ref.reports.report import MatrixReport

if TYPE_CHECKING:
    from torch import Tensor, nn

FOLDER = Path(__file__).parent
CHECKPOINTS = FOLDER / "monitoring.csv"
RUNS = FOLDER / "monitoring_runs.csv"
FIGURE = FOLDER / "monitoring.svg"
CONVENTION = get_convention("sdm2020")
SEEDS = (0, 1, 2)
LABEL_NOISE = (0.0, 0.4)
METRICS = (
    "alpha_hat",
    "alpha_hat_by_N",
    "alpha",
    "log_frobenius_norm",
    "log_spectral_norm",
    "log_alpha_norm",
    "random_like_share",
)


@dataclass(frozen=True)
class Task:
    """One network, its data and its training.

    Attributes
    ----------
    network : "perceptron", "convolutional" or "transformer".
    data : "digits" or "mnist1d".
    epochs, batch_size, learning_rate : of the training.
    optimizer : "sgd" with momentum 0.9, or "adam".
    """

    network: str
    data: str
    epochs: int
    batch_size: int
    learning_rate: float
    optimizer: str


TASKS = (
    Task("perceptron", "mnist1d", 50, 32, 0.05, "sgd"),
    Task("convolutional", "digits", 50, 32, 0.05, "sgd"),
    Task("transformer", "mnist1d", 50, 32, 0.001, "adam"),
)


@dataclass(frozen=True)
class Examples:
    """Inputs float32, (n, 40) or (n, 1, 8, 8), and labels (n,) int64 in 0..9."""

    inputs: "Tensor"
    labels: "Tensor"


def load(data: str) -> tuple[Examples, Examples]:
    """Return training and test examples: 1,000 and 797 digits, 2,000 and 2,000 of MNIST-1D."""
    import torch

    if data == "digits":
        from sklearn.datasets import load_digits

        digits = load_digits()
        inputs, labels, size = digits.images[:, np.newaxis] / 16, digits.target, 1000
    else:
        from mnist1d.data import get_dataset_args, make_dataset

        arguments = get_dataset_args()
        arguments.num_samples = 4000
        made = make_dataset(arguments)
        inputs, labels = (np.concatenate([made[k], made[f"{k}_test"]]) for k in ("x", "y"))
        size = 2000
    order = np.random.default_rng(0).permutation(len(labels))
    chosen = (order[:size], order[size : 2 * size])
    train, test = (
        Examples(
            torch.from_numpy(inputs[where].astype(np.float32)),
            torch.from_numpy(labels[where].astype(np.int64)),
        )
        for where in chosen
    )
    return train, test


def build(network: str) -> "nn.Module":
    """Return an untrained network with PyTorch's default initialization."""
    from torch import nn

    if network == "perceptron":
        return nn.Sequential(
            *(nn.Linear(40, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU()),
            *(nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)),
        )
    if network == "convolutional":
        return nn.Sequential(
            *(nn.Conv2d(1, 64, 3), nn.ReLU(), nn.Conv2d(64, 128, 3), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(128 * 16, 10)),
        )
    return _transformer()


def _transformer() -> "nn.Module":
    """Two blocks of width 64 over ten patches of four samples."""
    import torch
    from torch import nn

    class Block(nn.Module):
        """Attention of four heads and a perceptron, each after a layer norm."""

        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(64), nn.LayerNorm(64)
            self.query, self.key, self.value, self.out = (nn.Linear(64, 64) for _ in range(4))
            self.up, self.down = nn.Linear(64, 256), nn.Linear(256, 64)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.norm1(x)
            q, k, v = (
                part(y).unflatten(-1, (4, 16)).transpose(1, 2)
                for part in (self.query, self.key, self.value)
            )
            mixed = nn.functional.scaled_dot_product_attention(q, k, v)
            x = x + self.out(mixed.transpose(1, 2).flatten(2))
            return x + self.down(torch.relu(self.up(self.norm2(x))))

    class Transformer(nn.Module):
        """Patches, blocks, the mean over patches, and the head."""

        def __init__(self) -> None:
            super().__init__()
            self.patch = nn.Linear(4, 64)
            self.position = nn.Parameter(0.02 * torch.randn(10, 64))
            self.blocks = nn.Sequential(Block(), Block())
            self.norm, self.head = nn.LayerNorm(64), nn.Linear(64, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.blocks(self.patch(x.unflatten(-1, (10, 4))) + self.position)
            return self.head(self.norm(y.mean(1)))

    return Transformer()


def noisy(labels: "Tensor", share: float, seed: int) -> "Tensor":
    """Draw a share of the labels anew, uniformly from the ten."""
    import torch

    rng = np.random.default_rng([seed, 40])
    drawn = rng.integers(0, 10, len(labels))
    replaced = rng.permutation(len(labels)) < round(share * len(labels))
    return torch.where(torch.from_numpy(replaced), torch.from_numpy(drawn), labels)


def train(task: Task, noise: float, seed: int) -> Iterator[dict[str, object]]:
    """Train one network and yield a row before the first epoch and after every one."""
    import torch
    from torch import nn

    learned, test = load(task.data)
    labels = noisy(learned.labels, noise, seed)
    torch.manual_seed(seed)
    network = build(task.network)
    parameters = network.parameters()
    optimizer: torch.optim.Optimizer = (
        torch.optim.SGD(parameters, lr=task.learning_rate, momentum=0.9)
        if task.optimizer == "sgd"
        else torch.optim.Adam(parameters, lr=task.learning_rate)
    )
    shuffle = torch.Generator().manual_seed(seed)
    loss = nn.CrossEntropyLoss()
    for epoch in range(task.epochs + 1):
        if epoch:
            for batch in torch.randperm(len(labels), generator=shuffle).split(task.batch_size):
                optimizer.zero_grad()
                loss(network(learned.inputs[batch]), labels[batch]).backward()
                optimizer.step()
        with torch.no_grad():
            scores, test_scores = network(learned.inputs), network(test.inputs)
            weights = {
                name: tensor.numpy()
                for name, tensor in network.state_dict().items()
                if name.endswith(".weight") and tensor.ndim > 1
            }
            yield {
                "network": task.network,
                "label_noise": noise,
                "seed": seed,
                "epoch": epoch,
                "train_accuracy": f"{float((scores.argmax(1) == labels).float().mean()):.4f}",
                "train_loss": f"{float(loss(scores, labels)):.5f}",
                "test_accuracy": (
                    f"{float((test_scores.argmax(1) == test.labels).float().mean()):.4f}"
                ),
                "test_loss": f"{float(loss(test_scores, test.labels)):.5f}",
                **measure(weights),
            }


def measure(weights: Mapping[str, np.ndarray]) -> dict[str, object]:
    """Metrics of a checkpoint, as they are written."""
    report = analyze(dict(weights), CONVENTION)
    matrices = [matrix for layer in report.layers for matrix in layer.matrices]
    phases = [matrix.phase for matrix in matrices if matrix.phase not in (None, "undecided")]
    values = {
        "alpha_hat": report.model.alpha_hat,
        "alpha_hat_by_N": np.mean([_weighted_by_rows(matrix) for matrix in matrices]),
        "alpha": report.model.mean_alpha,
        "log_frobenius_norm": report.model.mean_log10_frobenius_norm,
        "log_spectral_norm": report.model.mean_log10_spectral_norm,
        "log_alpha_norm": report.model.mean_log10_alpha_norm,
        "random_like_share": np.mean([phase == "random-like" for phase in phases]),
    }
    return {"matrices": len(matrices), **{name: f"{v:.5f}" for name, v in values.items()}}


def _weighted_by_rows(matrix: MatrixReport) -> float:
    """α·log10 λ_max of WᵀW/N: α is the same (MET-8)."""
    if matrix.alpha is None or matrix.weighted_alpha is None:
        return math.nan
    return matrix.weighted_alpha - matrix.alpha * math.log10(matrix.N)


Rows = Sequence[Mapping[str, str]]


def runs(rows: Rows) -> list[dict[str, object]]:
    """Rows of `monitoring_runs.csv`.

    `tau` is Kendall's τ-b of metric and test accuracy over all checkpoints, `tau_rise` over those
    up to the best test accuracy (the first such), `tau_fall` from it on; empty where one of the
    two does not vary. `chosen_epoch` is that of the metric's least value, `chosen_accuracy` the
    test accuracy there.
    """
    found = []
    for network, noise, seed in dict.fromkeys(map(_run, rows)):
        run = [row for row in rows if _run(row) == (network, noise, seed)]
        accuracy = np.array([float(row["test_accuracy"]) for row in run])
        best = int(accuracy.argmax())
        for metric in METRICS:
            x = np.array([float(row[metric]) for row in run])
            chosen = int(x.argmin())
            found.append(
                {
                    "network": network,
                    "label_noise": noise,
                    "seed": seed,
                    "metric": metric,
                    "checkpoints": len(run),
                    "tau": _tau(x, accuracy),
                    "best_epoch": best,
                    "tau_rise": _tau(x[: best + 1], accuracy[: best + 1]),
                    "tau_fall": _tau(x[best:], accuracy[best:]),
                    "best_accuracy": f"{accuracy[best]:.4f}",
                    "last_accuracy": f"{accuracy[-1]:.4f}",
                    "chosen_epoch": chosen,
                    "chosen_accuracy": f"{accuracy[chosen]:.4f}",
                }
            )
    return found


def _run(row: Mapping[str, str]) -> tuple[str, str, str]:
    """Tell which training a row belongs to."""
    return row["network"], row["label_noise"], row["seed"]


def _tau(x: np.ndarray, y: np.ndarray) -> str:
    """Kendall's τ-b, empty if it is undefined."""
    if len(set(x)) < 2 or len(set(y)) < 2:
        return ""
    return f"{tau_b(x, y):.3f}"


def draw(rows: Rows) -> None:
    """Draw three columns over epochs, a network each; lines are means over the seeds."""
    with drawing(11.4, 16.0) as figure:
        shown = {"test_accuracy": "test accuracy", "alpha": "mean α", "alpha_hat": "α̂, λ of WᵀW"}
        panels = figure.subplots(len(shown), len(TASKS), sharex=True)
        for place, task in enumerate(TASKS):
            panels[0, place].set_title(f"{task.network}, {task.data}", fontsize="medium")
            panels[-1, place].set_xlabel("epoch")
            for axes, (column, label) in zip(panels[:, place], shown.items(), strict=True):
                for noise, color in zip(LABEL_NOISE, (BLUE, ORANGE), strict=True):
                    runs_of = [(task.network, str(noise), str(seed)) for seed in SEEDS]
                    values = [
                        [float(row[column]) for row in rows if _run(row) == run] for run in runs_of
                    ]
                    name = f"{noise:.0%} of labels at random" if noise else "right labels"
                    axes.plot(np.mean(values, axis=0), color=color, label=name)
                if place == 0:
                    axes.set_ylabel(label)
        panels[0, 0].legend(frameon=False, fontsize="small")
    save_figure(figure, FIGURE)


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write a table."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tables", action="store_true", help="only judge monitoring.csv anew")
    if not parser.parse_args().tables:
        import torch

        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        rows: list[dict[str, object]] = []
        for task in TASKS:
            for noise in LABEL_NOISE:
                for seed in SEEDS:
                    rows += train(task, noise, seed)
                    print(task.network, noise, seed, rows[-1]["test_accuracy"], flush=True)
        write(CHECKPOINTS, rows)
    with CHECKPOINTS.open(encoding="utf-8") as stream:
        checkpoints = list(csv.DictReader(stream))
    write(RUNS, runs(checkpoints))
    draw(checkpoints)


if __name__ == "__main__":
    main()
