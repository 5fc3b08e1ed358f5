"""Real terminals of several widths, pipes and files."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import numpy as np
import pytest
from commands import environment, rows_of_layers
from rich.cells import cell_len
from safetensors.numpy import save_file

pytestmark = [
    pytest.mark.spec("RPT-12"),
    pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals of POSIX"),
]


@pytest.fixture
def deep(tmp_path):
    """Weights of twelve layers with long names, in the order of the alphabet."""
    rng = np.random.default_rng(0)
    names = [f"transformer.blocks.{i}.attention.output.weight" for i in range(12)]
    path = tmp_path / "deep.safetensors"
    save_file({name: rng.standard_t(2, (64, 56)) for name in sorted(names)}, path)
    return path


def on_terminal(width, *arguments, **changes):
    """What `htsr` prints on a terminal so wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    surroundings = environment(**({"TERM": "xterm-256color"} | changes))
    for name in ("COLUMNS", "NO_COLOR"):
        if name not in changes:
            surroundings.pop(name, None)
    child = subprocess.Popen(
        [sys.executable, "-m", "htsr_ref.cli.start", *map(str, arguments)],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env=surroundings,
    )
    os.close(theirs)
    found = b""
    try:
        while part := os.read(ours, 65536):
            found += part
    except OSError:  # Linux ends a terminal so.
        pass
    os.close(ours)
    assert child.wait(timeout=60) == 0
    return found.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("width", "changes"), [(80, {}), pytest.param(160, {"NO_COLOR": "1"}, marks=pytest.mark.slow)]
)
def test_the_table_is_as_wide_as_the_terminal(deep, width, changes):
    shown = on_terminal(width, "analyze", deep, **changes)
    assert ("\x1b[" in shown) == (not changes)
    plain = re.sub(r"\x1b\[\d+m", "", shown)
    assert width - 40 <= max(map(cell_len, rows_of_layers(plain))) <= width
    assert max(map(cell_len, plain.splitlines())) <= width
    numbers = [re.search(r"\.(\d+)\.", line)[1] for line in rows_of_layers(plain)[:12]]
    assert numbers == [str(i) for i in range(12)]


def test_columns_overrides_and_a_dumb_terminal_has_no_color(deep):
    shown = on_terminal(80, "analyze", deep, COLUMNS="120", TERM="dumb")
    assert "\x1b" not in shown
    assert 100 < max(map(cell_len, rows_of_layers(shown))) <= 120


def test_pipes_and_files_are_whole(htsr, deep, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    piped = htsr("analyze", deep).out
    assert htsr("analyze", deep, "-o", tmp_path / "t.txt").code == 0
    assert (tmp_path / "t.txt").read_text() == piped
    assert "transformer.blocks.11.attention.output" in piped
    assert "…" not in piped
    assert "not shown" not in piped


@pytest.mark.spec("RPT-12", "RPT-13")
def test_rows_columns_and_spectra_are_chosen(htsr, deep):
    options = ("--sort", "-alpha", "--columns", "alpha,layer", "--spark")
    lines = htsr("analyze", deep, *options).out.split("\n\n")[1].splitlines()
    assert lines[0].split() == ["alpha", "layer", "spectrum"]
    alphas = [float(line.split()[0]) for line in lines[2:]]
    assert alphas == sorted(alphas, reverse=True)
    assert all("█" in line for line in lines[2:])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--spark", "--json"), "--spark draws in the table, and json is written"),
        (("--columns", "alpha", "--csv"), "--columns alpha: names choose the columns of the table"),
        (("--columns", "aplha"), "there is no column 'aplha'. Did you mean 'alpha'"),
        (("--sort", "aplha"), "there is no column 'aplha'. Did you mean 'alpha'"),
    ],
)
def test_choices_that_nothing_can_follow(htsr, model, options, said):
    outcome = htsr("analyze", model, *options)
    assert outcome.code == 2
    assert outcome.out == ""
    assert said in outcome.err


def test_a_description_and_a_saved_report_are_chosen_alike(htsr, deep, tmp_path):
    described = htsr("describe", deep, "--columns", "shape,layer", "--sort", "-layer").out
    head, _, *rows = described.split("\n\n")[0].splitlines()
    assert head.split() == ["shape", "layer"]
    assert [row.split(".")[2] for row in rows] == [str(i) for i in range(11, -1, -1)]
    assert htsr("describe", deep, "--sort", "shap").code == 2
    htsr("analyze", deep, "-o", tmp_path / "r.json")
    shown = htsr("show", tmp_path / "r.json", "--columns", "layer,xmin", "--sort", "-depth").out
    assert shown.split("\n\n")[1].splitlines()[2].startswith("transformer.blocks.11.")
