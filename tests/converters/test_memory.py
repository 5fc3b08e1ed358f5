"""A converter needs memory for one tensor, however many there are."""

import os
import subprocess
import sys

import numpy as np
import pytest
from conversions import read

SPARE = 56 * 2**20
"""One tensor of 8 MB, blocks of 16 MB before and after reordering, the stack of a thread."""
PROGRAM = """
import resource, sys
from pathlib import Path
import numpy_files
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
sys.exit(numpy_files.main(numpy_files.open_model, "Convert."))
"""


def run(spare, *arguments):
    """Convert in a process that may take some bytes more than Python and NumPy do."""
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(spare), *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is Linux's")
def test_one_tensor_at_a_time(tmp_path):
    rng = np.random.default_rng(0)
    # Columns lie together: all 96 MB are transposed on their way.
    tensors = {f"w{at}": rng.standard_normal((1776, 592)).T for at in range(12)}
    source, output = tmp_path / "model.npz", tmp_path / "out.safetensors"
    np.savez(source, **tensors)
    for arguments in (["--dtype", "float32"], []):
        done = run(SPARE, source, "-o", output, *arguments)
        assert done.returncode == 0, done.stderr
    for name, array in read(output).arrays.items():
        np.testing.assert_array_equal(array, tensors[name])
    output.unlink()
    # The limit does limit: with less there is an error, in one line.
    done = run(20 * 2**20, source, "-o", output)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [source]
