"""Every command of the README, under every shipped convention: an answer, or the spec's reason."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from htsr_ref.conventions import CONVENTIONS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REQUIREMENTS = set(
    re.findall(
        r"^### ([A-Z]+-\d+) ",
        "\n".join(page.read_text(encoding="utf-8") for page in ROOT.glob("spec/*.md")),
        re.M,
    )
)
COMMANDS = [
    re.split(r"\s{2,}", line)[0].removesuffix(", for")
    for line in README.split("## On your own weights")[1].split("```")[1].splitlines()
    if line.startswith("htsr ")
]
"""What the block of commands says, without the explanations beside it."""

FOLLOWING = ("analyze", "describe", "rank", "trend", "watch", "audit", "diff", "spectrum", "fit")
"""Commands that follow a convention."""

SUBSTITUTES = {
    "--gof 2500": "--gof 20",
    "model.pt": "model.npz",
    "after.h5": "after.npz",
    "run/checkpoints/": "run/checkpoints/ --once --interval 0.05",
}
"""Fewer replicas than the README's, files that need no converter, and a run that is over."""


def network(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = {"fc1": (120, 64), "conv": (64, 52, 2, 1), "fc2": (64, 70)}
    return {
        f"{name}.weight": rng.standard_t(3, shape).astype(np.float32)
        for name, shape in shapes.items()
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with everything that the commands name."""
    monkeypatch.chdir(tmp_path)
    model = network(0)
    for name in ("model", "tuned", "base", "before"):
        save_file(network(len(name)), f"{name}.safetensors")
    save_file(model, "model.safetensors")
    np.savez("model.npz", **model)
    np.savez("after.npz", **network(5))
    for seed in range(4):
        for place in (
            f"checkpoints/{seed}.safetensors",
            f"runs/{seed}.safetensors",
            f"run/checkpoints/step-{seed}.safetensors",
            f"run/checkpoint-{seed}/model.safetensors",
        ):
            Path(place).parent.mkdir(parents=True, exist_ok=True)
            save_file(network(seed), place)
    rows = "\n".join(f"{seed}.safetensors,0.{seed + 1}" for seed in range(4))
    Path("acc.csv").write_text(f"file,test_accuracy\n{rows}\n")
    Path("adapter").mkdir()
    factors = {
        "base_model.model.fc1.lora_A.weight": np.random.default_rng(8).normal(size=(3, 64)),
        "base_model.model.fc1.lora_B.weight": np.random.default_rng(9).normal(size=(120, 3)),
    }
    save_file(factors, "adapter/adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": 3, "lora_alpha": 6, "target_modules": ["fc1"]}
    Path("adapter/adapter_config.json").write_text(json.dumps(config))
    return tmp_path


def test_the_readme_shows_commands_that_follow_conventions():
    named = {command.split()[1] for command in COMMANDS}
    assert set(FOLLOWING) - {"fit"} <= named
    assert any("htsr fit" in command for command in COMMANDS)


@pytest.mark.slow
@pytest.mark.spec("CNV-2", "CNV-21", "PL-73")
@pytest.mark.parametrize("name", CONVENTIONS)
def test_every_command_answers_or_cites_what_says_why_not(htsr, folder, name):
    table = ("--columns", "weightwatcher", "--csv", "-o", "theirs.csv")
    htsr("analyze", "model.safetensors", "--convention", "weightwatcher", *table)
    htsr("synth", "--ensemble", "pareto", "--mu", 1.5, "--shape", "512x256", "known.safetensors")
    for command in COMMANDS:
        for text, ours in SUBSTITUTES.items():
            command = command.replace(text, ours)
        for part in command.split(" | "):
            _, *words = shlex.split(part)
            files = [
                str(path)
                for word in words
                for path in (sorted(Path().glob(word)) if "*" in word else [word])
            ]
            arguments = ["piped.txt" if word == "-" else word for word in files]
            if arguments[0] == "synth":
                arguments.append("--force")
            if arguments[0] in FOLLOWING and "--convention" not in arguments:
                arguments += ["--convention", name]
            outcome = htsr(*arguments)
            said = (name, arguments, outcome)
            if outcome.code == 2:
                cited = set(re.findall(r"\b[A-Z]{2,3}-\d+\b", outcome.err))
                assert cited & REQUIREMENTS, said
            else:
                written = "-o" in arguments or arguments[0] in ("convert", "synth", "validate")
                assert outcome.code in (0, 1), said
                assert outcome.out or written, said
            if arguments[0] == "spectrum":
                Path("piped.txt").write_text(outcome.out)
