"""How the tests of the command line call it, and the files that they hand to it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import Outcome, tensors
from safetensors.numpy import save_file

from htsr_ref.cli.main import run

EXAMPLES = Path(__file__).parents[2] / "spec" / "examples"


@pytest.fixture
def htsr(monkeypatch, capsys) -> Callable[..., Outcome]:
    """Call `htsr` in this process, from the command line's text to the exit code."""

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr("sys.argv", ["htsr", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            run()
        return Outcome(ended.value.code, *capsys.readouterr())

    return call


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
