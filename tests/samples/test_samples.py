"""Samples from files and from text."""

import numpy as np
import pytest

from htsr_ref.errors import SampleError, WeightFileError
from htsr_ref.samples.samples import are_whole_numbers, parse_sample, read_sample
from htsr_ref.weights import write_weights


@pytest.mark.spec("PL-17")
@pytest.mark.parametrize(
    "text",
    [
        "1 2.5\n300",
        "1,2.5,300\n",
        "1;2.5;3e2",
        "\n\n1\t2.5 # two of three\n# all of this is said by nobody 7\n300\n",
        "size\n1\n2.5\n300\n",
        '# header 1\nvalue of x\n"'[:-1] + "1\n2.5\n300",
    ],
)
def test_text_is_read_whatever_separates_its_numbers(text):
    np.testing.assert_array_equal(parse_sample(text, "x.txt"), [1.0, 2.5, 300.0])


@pytest.mark.spec("PL-17")
def test_a_word_that_is_no_number_is_named_with_its_line():
    with pytest.raises(SampleError, match=r"^x\.txt: line 3: 'three' is not a number$"):
        parse_sample("1\n2\nthree\n", "x.txt")


@pytest.mark.spec("PL-17")
def test_text_without_numbers_is_an_empty_sample():
    assert parse_sample("", "x.txt").shape == (0,)
    assert parse_sample("only a heading\n", "x.txt").shape == (0,)


@pytest.mark.spec("PL-17")
def test_arrays_are_recognized_by_their_content(tmp_path):
    x = np.array([3.0, 1.0, 2.0], dtype=np.float32)
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x, y=2 * x)
    (tmp_path / "x.npy").rename(tmp_path / "x.txt")
    np.testing.assert_array_equal(read_sample(tmp_path / "x.txt"), x)
    np.testing.assert_array_equal(read_sample(tmp_path / "x.npz", "y"), 2 * x)


@pytest.mark.spec("PL-17")
def test_several_arrays_need_a_key(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.ones(3), y=np.ones(3))
    for key in (None, "z"):
        with pytest.raises(SampleError, match=r"--key: x, y$"):
            read_sample(tmp_path / "x.npz", key)


@pytest.mark.spec("PL-17")
def test_a_matrix_is_no_sample(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((3, 2)))
    with pytest.raises(SampleError, match=r"shape \(3, 2\).*htsr spectrum .*x\.npy LAYER"):
        read_sample(tmp_path / "x.npy")


@pytest.mark.spec("PL-17")
def test_a_weight_file_is_no_sample(tmp_path):
    write_weights(tmp_path / "x.safetensors", {"w": np.eye(3)})
    write_weights(tmp_path / "x.h5", {"w": np.eye(3)}, format="hdf5")
    for path in tmp_path.iterdir():
        with pytest.raises(SampleError) as caught:
            read_sample(path)
        assert str(caught.value) == (
            f"{path}: it is a weight file. For the eigenvalues of a layer: htsr spectrum {path} "
            "LAYER | htsr fit -"
        )


@pytest.mark.spec("PL-17")
def test_text_has_no_key(tmp_path):
    (tmp_path / "x.txt").write_text("1 2 3")
    with pytest.raises(SampleError, match=r"it is text, which has no array 'x'"):
        read_sample(tmp_path / "x.txt", "x")


@pytest.mark.spec("PL-17")
def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(SampleError, match=r"missing\.txt: it cannot be read"):
        read_sample(tmp_path / "missing.txt")
    (tmp_path / "x.bin").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(SampleError, match="neither an array nor text"):
        read_sample(tmp_path / "x.bin")
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY\x01")
    with pytest.raises(WeightFileError, match=r"cut\.npy"):
        read_sample(tmp_path / "cut.npy")


@pytest.mark.spec("PL-17")
def test_whole_numbers_are_told_from_others():
    assert are_whole_numbers(np.array([1.0, 2.0, 1e300]))
    assert not are_whole_numbers(np.array([1.0, 2.5]))
