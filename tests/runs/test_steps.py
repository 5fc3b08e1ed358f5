"""WCH-2: steps in names, and the order of checkpoints."""

from dataclasses import dataclass
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.runs.steps import in_order, step_of

pytestmark = pytest.mark.spec("WCH-2")


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("checkpoint-500", 500),  # Hugging Face Trainer
        ("checkpoint-500/model.safetensors", 500),
        ("epoch=3-step=1200.ckpt", 1200),  # Lightning
        ("epoch=3-step=1200-v1.ckpt", 1200),
        ("weights.03-0.25.keras", 3),  # Keras' documentation of ModelCheckpoint
        ("ckpt-5.weights.h5", 5),
        ("checkpoint_100", 100),  # Flax
        ("100", 100),  # orbax
        ("100/default", 100),
        ("iter_0005000", 5000),  # Megatron
        ("global_step1000", 1000),  # DeepSpeed
        ("step1000-unsharded", 1000),
        ("ckpt-7.index", 7),  # TensorFlow
        ("mlp_b016_e010.safetensors", 10),
        ("model_20.pt", 20),
        ("lr1e-3_500.pt", 500),
        ("lr_1e-3.pt", None),
        ("globalstep7.pt", 7),
        ("writer5b.pt", None),
        ("last.ckpt", None),
        ("ckpt.pt", None),
        ("run_2026/last.ckpt", None),
        ("resnet50.pt", None),
        ("model-0.25.pt", None),
        ("", None),
        ("step" + "9" * 300, 10**300 - 1),
        ("step" + "9" * 301, None),
    ],
)
def test_names_that_programs_write(name, step):
    assert step_of(name) == step


@given(
    st.sampled_from(["step", "steps", "Step", "iter", "iteration", "epoch", "checkpoint", "ckpt"]),
    st.sampled_from(["", "-", "_", "=", "."]),
    st.integers(0, 10**15),
    st.integers(0, 5),
    st.sampled_from(["", "best-", "v2_"]),
    st.sampled_from(["", ".pt", ".safetensors", "-0.93.h5"]),
)
def test_the_number_after_a_word(word, separator, number, zeros, before, after):
    name = f"{before}{word}{separator}{'0' * zeros}{number}{after}"
    assert step_of(name) == step_of(f"{name}/model.bin".replace(after, "")) == number


@dataclass(frozen=True)
class Item:
    name: str
    step: int | None = None
    changed: int | None = None


def test_by_step_else_by_time_else_by_name():
    steps = [Item("z", 0, 4), Item("b", 1, 3), Item("a", 1, 2), Item("y", 2, 1)]
    times = [Item("z", 9, 1), Item("last", None, 2), Item("a", 3, 5)]
    names = [Item("m.9"), Item("m.10", 1, 1), Item("m.11", None, 0)]
    for items, order in ((names, "name"), (times, "time")):
        for some in permutations(items):
            assert in_order(some) == (order, items)
    for some in permutations(steps):
        assert in_order(some) == ("step", [steps[0], steps[2], steps[1], steps[3]])
