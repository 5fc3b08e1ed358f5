"""`htsr spectrum`: the eigenvalues of one matrix, for other programs."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from htsr_ref.spectra.eigenvalues import spectrum


@pytest.fixture
def path(tmp_path):
    rng = np.random.default_rng(0)
    low_rank = rng.standard_normal((30, 2)) @ rng.standard_normal((2, 20))
    arrays = {
        "fc.weight": low_rank.astype(np.float32),
        "conv.weight": rng.standard_normal((60, 55, 1, 2)).astype(np.float32),
        "small.weight": rng.standard_normal((4, 4, 3, 3)).astype(np.float32),
    }
    save_file(arrays, tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors", arrays


def numbers(text: str) -> np.ndarray:
    return np.array([float(line) for line in text.splitlines() if not line.startswith("#")])


@pytest.mark.spec("SPC-1", "SPC-5")
def test_the_positive_eigenvalues_are_printed_to_the_last_bit(htsr, path):
    file, arrays = path
    outcome = htsr("spectrum", file, "fc", "--solver", "svd")
    found = spectrum(arrays["fc.weight"], normalization="none", solver="svd")
    assert outcome.code == 0
    head = f"# fc matrix 0, N = 30, M = 20, {found.num_zero} zeros\n"
    assert outcome.out.startswith(head)
    np.testing.assert_array_equal(numbers(outcome.out), found.positive)


def test_matrix_and_convention_can_be_chosen(htsr, path):
    file, arrays = path
    outcome = htsr("spectrum", file, "conv", "--matrix", 1, "--set", "normalization=none")
    expected = spectrum(arrays["conv.weight"][:, :, 0, 1], normalization="none")
    np.testing.assert_array_equal(numbers(outcome.out), expected.positive)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fc1"], "no layer 'fc1'"),
        (["conv", "--matrix", "2"], "has matrices 0 to 1"),
        (["small"], "below min_dim"),
    ],
)
def test_what_is_not_there_is_refused(htsr, path, arguments, words):
    outcome = htsr("spectrum", path[0], *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err


def test_it_is_written_as_text_only(htsr, path, tmp_path):
    for name in ("x.json", "x.csv", "x.md", "x.JSON"):
        outcome = htsr("spectrum", path[0], "fc", "-o", tmp_path / name)
        assert (outcome.code, outcome.out) == (2, "")
        assert "a spectrum is text, as `htsr fit` reads it. Name it .txt" in outcome.err
    assert htsr("spectrum", path[0], "fc", "-o", tmp_path / "x.txt").code == 0
    assert (tmp_path / "x.txt").read_text() == htsr("spectrum", path[0], "fc").out
