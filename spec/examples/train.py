# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "numpy>=1.26",
#     "safetensors>=0.4.3",
#     "scikit-learn>=1.3",
#     "torch>=2.2",
# ]
# ///
"""Train the example networks of the specification and write them as htsr-weights/2 files.

Eight perceptrons of one shape that differ in batch size and number of epochs, and one small
convolutional network, all trained on scikit-learn's digits with plain SGD at a constant learning
rate. README.md beside this script says what to expect of a rerun.
"""

import argparse
import csv
import io
import json
import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import safetensors.numpy
import torch
from sklearn.datasets import load_digits
from torch import nn

SEED = 0
LEARNING_RATE = 0.05
TRAIN_SIZE = 1297  # of 1,797 images; the other 500 are the test set
COLUMNS = ("file", "batch_size", "epochs", "train_accuracy", "test_accuracy", "seed")


@dataclass(frozen=True)
class Run:
    """One network of the series: its architecture and its training."""

    architecture: Literal["mlp", "conv"]
    batch_size: int
    epochs: int

    @property
    def name(self) -> str:
        """The file name without its suffix, for example mlp_b016_e050."""
        return f"{self.architecture}_b{self.batch_size:03}_e{self.epochs:03}"


RUNS = (
    Run("mlp", 2, 50),
    Run("mlp", 16, 2),
    Run("mlp", 16, 10),
    Run("mlp", 16, 50),
    Run("mlp", 32, 50),
    Run("mlp", 64, 50),
    Run("mlp", 128, 50),
    Run("mlp", 256, 50),
    Run("conv", 8, 20),
)


@dataclass(frozen=True)
class Images:
    """Pixels (n, 1, 8, 8) float32 in [0, 1] and labels (n,) int64 in 0..9."""

    pixels: np.ndarray
    labels: np.ndarray


def load_images() -> tuple[Images, Images]:
    """Return the training and the test images, split by a seeded permutation."""
    digits = load_digits()
    pixels = (digits.images / 16).astype(np.float32)[:, np.newaxis]
    labels = digits.target.astype(np.int64)
    order = np.random.default_rng(SEED).permutation(len(labels))
    train, test = order[:TRAIN_SIZE], order[TRAIN_SIZE:]
    return Images(pixels[train], labels[train]), Images(pixels[test], labels[test])


def build_network(architecture: str) -> nn.Sequential:
    """Return an untrained network with PyTorch's default initialization."""
    if architecture == "mlp":
        modules = {
            "flatten": nn.Flatten(),
            "fc1": nn.Linear(64, 256),
            "relu1": nn.ReLU(),
            "fc2": nn.Linear(256, 128),
            "relu2": nn.ReLU(),
            "fc3": nn.Linear(128, 64),
            "relu3": nn.ReLU(),
            "fc4": nn.Linear(64, 10),
        }
    else:
        modules = {
            "conv1": nn.Conv2d(1, 64, 3),  # 8x8 pixels -> 6x6
            "relu1": nn.ReLU(),
            "conv2": nn.Conv2d(64, 64, 3),  # 6x6 -> 4x4
            "relu2": nn.ReLU(),
            "conv3": nn.Conv2d(64, 96, 1),
            "relu3": nn.ReLU(),
            "flatten": nn.Flatten(),
            "fc": nn.Linear(96 * 4 * 4, 10),
        }
    return nn.Sequential(OrderedDict(modules))


def train_network(run: Run, images: Images) -> nn.Sequential:
    """Train with SGD, no momentum, no weight decay, constant learning rate.

    Initial weights and the order of the images depend on the seed alone, so that networks of
    one architecture start alike, and those of one batch size are stages of one training.
    """
    torch.manual_seed(SEED)
    network = build_network(run.architecture)
    pixels, labels = torch.from_numpy(images.pixels), torch.from_numpy(images.labels)
    shuffle = torch.Generator().manual_seed(SEED)
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
    loss = nn.CrossEntropyLoss()
    for _ in range(run.epochs):
        for batch in torch.randperm(len(labels), generator=shuffle).split(run.batch_size):
            optimizer.zero_grad()
            loss(network(pixels[batch]), labels[batch]).backward()
            optimizer.step()
    return network


def accuracy(scores: np.ndarray, labels: np.ndarray) -> str:
    """Return the fraction of rows of `scores` (n, 10) that peak at their label, as in the CSV."""
    return f"{np.mean(scores.argmax(axis=1) == labels):.6f}"


def accuracies(network: nn.Sequential, *sets: Images) -> tuple[str, ...]:
    """Return the accuracy on each set of images, computed by PyTorch."""
    with torch.no_grad():
        scores = [network(torch.from_numpy(images.pixels)).numpy() for images in sets]
    return tuple(accuracy(s, images.labels) for s, images in zip(scores, sets, strict=True))


def manifest(tensors: Mapping[str, np.ndarray]) -> str:
    """Return the htsr-weights/2 manifest of tensors that are named <layer>.weight or .bias."""
    entries: dict[str, dict[str, object]] = {}
    for name, array in tensors.items():
        layer, _, role = name.rpartition(".")
        if role == "bias":
            entries[name] = {"role": "bias"}
        elif array.ndim == 4:
            axes = ["out", "in", "k1", "k2"]
            entries[name] = {"role": "weight", "layer": layer, "axes": axes}
        else:
            entries[name] = {"role": "weight", "layer": layer, "axes": ["out", "in"]}
    source = {
        "framework": f"pytorch {torch.__version__}",
        "converter": "spec/examples/train.py 1",
        "file": None,
        "sha256": None,
    }
    return json.dumps(
        {"format": "htsr-weights/2", "source": source, "tensors": entries, "extra": {}}
    )


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is either whole or, if it fails, what it was before."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_weights(path: Path, network: nn.Sequential) -> None:
    """Write all weights and biases of a network with their manifest."""
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    metadata = {"htsr_manifest": manifest(tensors)}
    write_atomically(path, safetensors.numpy.save(tensors, metadata))


def read_table(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of accuracy.csv by file name; none if there is no such file yet."""
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as stream:
        return {row["file"]: row for row in csv.DictReader(stream)}


def write_table(path: Path, rows: Mapping[str, Mapping[str, str]]) -> None:
    """Write accuracy.csv with the rows in the order of RUNS."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    files = (f"{run.name}.safetensors" for run in RUNS)
    writer.writerows(rows[file] for file in files if file in rows)
    write_atomically(path, stream.getvalue().encode())


def make(run: Run, train: Images, test: Images, folder: Path) -> None:
    """Train one network, write its weights, then its row of accuracy.csv."""
    network = train_network(run, train)
    train_accuracy, test_accuracy = accuracies(network, train, test)
    file = f"{run.name}.safetensors"
    write_weights(folder / file, network)
    values = (file, run.batch_size, run.epochs, train_accuracy, test_accuracy, SEED)
    row = dict(zip(COLUMNS, map(str, values), strict=True))
    table = folder / "accuracy.csv"
    write_table(table, read_table(table) | {file: row})
    print(f"{file}: train {train_accuracy}, test {test_accuracy}")


def convolve(images: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Cross-correlate (n, in, h, w) with (out, in, k1, k2), stride 1, no padding."""
    windows = np.lib.stride_tricks.sliding_window_view(images, kernel.shape[2:], axis=(2, 3))
    convolved: np.ndarray = np.einsum("nchwij,ocij->nohw", windows, kernel, optimize=True)
    return convolved


def scores_from_file(path: Path, pixels: np.ndarray) -> np.ndarray:
    """Return the class scores (n, 10) of a written network, in NumPy and float64 alone."""
    tensors = safetensors.numpy.load_file(path)
    # The layers' names sort in the order in which they are applied.
    layers = sorted({name.rpartition(".")[0] for name in tensors})
    signal = pixels.astype(np.float64)
    for layer in layers:
        weight, bias = (
            tensors[f"{layer}.{role}"].astype(np.float64) for role in ("weight", "bias")
        )
        if weight.ndim == 4:
            signal = convolve(signal, weight) + bias[:, np.newaxis, np.newaxis]
        else:
            signal = signal.reshape(len(signal), -1) @ weight.T + bias
        if layer != layers[-1]:
            signal = np.maximum(signal, 0)
    return signal


def verify(run: Run, train: Images, test: Images, folder: Path) -> bool:
    """Say whether the written weights reproduce their row of accuracy.csv."""
    file = f"{run.name}.safetensors"
    row = read_table(folder / "accuracy.csv").get(file)
    if row is None or not (folder / file).exists():
        print(f"{file}: missing from {folder} or from its accuracy.csv")
        return False
    found = {
        f"{name}_accuracy": accuracy(scores_from_file(folder / file, images.pixels), images.labels)
        for name, images in (("train", train), ("test", test))
    }
    wrong = [
        f"{key} is {value}, not {row[key]}" for key, value in found.items() if value != row[key]
    ]
    print(f"{file}: {'; '.join(wrong) or 'as stated'}")
    return not wrong


def main() -> int:
    """Train, or verify, the chosen networks; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    here = Path(__file__).parent
    parser.add_argument("--output", type=Path, default=here, metavar="DIR", help="the folder")
    parser.add_argument("--only", choices=[run.name for run in RUNS], help="one network of them")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="train nothing; recompute the accuracies of the written files with NumPy",
    )
    options = parser.parse_args()
    runs = [run for run in RUNS if options.only in (None, run.name)]
    train, test = load_images()
    if options.verify:
        verified = [verify(run, train, test, options.output) for run in runs]
        return 0 if all(verified) else 1
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    options.output.mkdir(parents=True, exist_ok=True)
    for run in runs:
        make(run, train, test, options.output)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
