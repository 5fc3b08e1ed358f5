"""The files that tests of the command line hand to it."""

from pathlib import Path

import numpy as np
import pytest
from commands import tensors
from safetensors.numpy import save_file

from htsr_ref.text.layout import Layout

EXAMPLES = Path(__file__).parents[2] / "spec" / "examples"


@pytest.fixture
def examples() -> list[Path]:
    """The trained networks that the repository ships."""
    found = sorted(EXAMPLES.glob("*.safetensors"))
    assert len(found) >= 7
    return found


@pytest.fixture
def model(tmp_path) -> Path:
    """A plain file."""
    path = tmp_path / "model.safetensors"
    save_file(tensors(), path)
    return path


@pytest.fixture
def broken(tmp_path) -> Path:
    """The same with a NaN in fc1, in row 3, column 7."""
    path = tmp_path / "broken.safetensors"
    bad = tensors()
    bad["fc1.weight"][3, 7] = np.nan
    save_file(bad, path)
    return path


@pytest.fixture
def terminal(monkeypatch) -> int:
    """Width of the terminal that tables are laid out for."""
    monkeypatch.setattr(Layout, "here", classmethod(lambda cls: cls(100)))
    return 100
