"""`htsr analyze`: its forms, gates, exit codes, and what it refuses."""

import csv
import io
import json
import os
import pickle
import re
import tempfile
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from commands import tensors
from safetensors.numpy import save_file

from htsr_ref import PAPER, Report, analyze
from htsr_ref.cli.tables import WIDTH
from htsr_ref.markdown import to_markdown

SCHEMA = Path(__file__).parents[2] / "spec" / "schemas" / "report.schema.json"


def rows_of_layers(table: str) -> list[str]:
    """Return the lines of the first table, below its rule."""
    block = next(piece for piece in table.split("\n\n") if piece.startswith("layer "))
    return block.splitlines()[2:]


# The table


def test_the_table_fits_for_every_example(htsr, examples):
    for path in examples:
        outcome = htsr("analyze", path)
        assert (outcome.code, outcome.err) == (0, "")
        assert max(map(len, outcome.out.splitlines())) <= WIDTH


def test_the_table_shows_the_reports_numbers(htsr, examples):
    path = next(path for path in examples if path.name.startswith("conv"))
    report = analyze(path)
    outcome = htsr("analyze", path)
    first_line = outcome.out.splitlines()[0]
    assert first_line == f"{path.name}: safetensors, 8 tensors; convention paper"
    conv2, conv3, _ = (line.split("  ") for line in rows_of_layers(outcome.out))
    layers = {layer.name: layer for layer in report.layers}
    for cells, name in ((conv2, "conv2"), (conv3, "conv3")):
        means = layers[name].means
        assert f"{means['alpha']:.3f}" in map(str.strip, cells)
        assert f"{means['weighted_alpha']:.3f}" in map(str.strip, cells)
        assert f"{means['log10_frobenius_norm']:.3f}" in map(str.strip, cells)
    assert "9 of 64×64" in conv2
    assert f"{layers['conv3'].matrices[0].alpha_stderr:.3f}" in map(str.strip, conv3)
    over = r"\s+11 of 11 matrices"
    assert re.search(rf"^alpha_hat\s+{report.model.alpha_hat:.3f}{over}$", outcome.out, re.M)
    slope = report.model.pl_norm_relation.slope
    assert f"(pl_norm_relation): slope {slope:.3f}, intercept" in outcome.out
    assert "skipped: conv1: min(N, M) = 1 is below min_dim = 50 (--set min_dim=0" in outcome.out
    assert "left out: 4 tensors (biases, norms, …)" in outcome.out
    assert "warning: fc: alpha rests on a tail of 6 eigenvalues" in outcome.out


def test_means_over_layers_say_so(htsr, model):
    table = htsr("analyze", model, "--set", "average=layers").out
    assert "convention paper with average = layers" in table
    assert re.search(r"^mean_alpha .* 2 of 2 layers$", table, re.M)


TRANSFORMER = [f"model.layers.{i}.self_attn.{p}_proj" for i in range(12) for p in "qo"]
LONG = [f"bert.encoder.layer.{i}.attention.output.dense.base_layer" for i in range(12)]


@pytest.mark.parametrize("names", [TRANSFORMER, LONG], ids=["llama", "bert"])
def test_long_names_stay_distinct(htsr, tmp_path, names):
    W = np.random.default_rng(0).standard_normal((16, 12))
    save_file({f"{name}.weight": W for name in names}, tmp_path / "deep.safetensors")
    shown = [
        line.split("  ")[0]
        for line in rows_of_layers(htsr("analyze", tmp_path / "deep.safetensors").out)
    ]
    assert len(set(shown)) == len(names)


@pytest.mark.parametrize("name", ["x" * 3000, "module." * 500 + "weight", "層" * 400])
def test_very_long_names_fit(htsr, tmp_path, name):
    save_file({name: np.diag([1.0, 2.0, 4.0, 8.0])}, tmp_path / "long.safetensors")
    for command in ("analyze", "describe"):
        table = htsr(command, tmp_path / "long.safetensors").out
        assert "…" in table
        start = table.index("layer  ")
        assert max(map(len, table[start:].split("\n\n")[0].splitlines())) == WIDTH


def test_extreme_numbers_fit(htsr, tmp_path):
    nearly_equal = 1e150 * np.diag(1 + 1e-15 * np.arange(4))
    wide_range = np.diag(10.0 ** np.linspace(-100, 100, 5))
    names = {"n" * 100: nearly_equal, "w" * 100: wide_range}
    save_file(names, tmp_path / "extreme.safetensors")
    outcome = htsr("analyze", tmp_path / "extreme.safetensors")
    assert outcome.code == 0
    assert "e+1" in outcome.out
    assert max(map(len, rows_of_layers(outcome.out))) <= WIDTH


def test_names_cannot_talk_to_the_terminal(htsr, tmp_path):
    save_file(
        {"\x1b[31mred\n\u202e.weight": np.diag([1.0, np.nan])}, tmp_path / "hostile.safetensors"
    )
    analyzed = htsr("analyze", tmp_path / "hostile.safetensors")
    described = htsr("describe", tmp_path / "hostile.safetensors")
    for text in (analyzed.out, analyzed.err, described.out):
        assert r"\x1b[31mred\n\u202e" in text
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert analyzed.err.count("\n") == 1


def test_parts_of_different_sizes_are_said_to_be(htsr, tmp_path, model):
    corrections = {"fc1.weight": {"parts": [{"name": "q", "size": 20}, {"name": "k", "size": 12}]}}
    (tmp_path / "map.json").write_text(json.dumps(corrections))
    table = htsr("analyze", model, "--layers", tmp_path / "map.json").out
    assert "2 up to 24×20" in table


def test_nothing_to_analyse(htsr, tmp_path):
    save_file({"fc.bias": np.ones(3)}, tmp_path / "bias.safetensors")
    outcome = htsr("analyze", tmp_path / "bias.safetensors")
    assert (outcome.code, outcome.err) == (0, "")
    assert "no weight matrix was analysed" in outcome.out
    assert "1 tensor (biases" in outcome.out


def test_why_an_alpha_is_missing(htsr, tmp_path):
    save_file({"i.weight": np.eye(5), "z.weight": np.zeros((4, 3))}, tmp_path / "d.safetensors")
    table = htsr("analyze", tmp_path / "d.safetensors").out
    assert "warning: i: no alpha: all 5 positive values are equal" in table
    assert "warning: z: no alpha: all eigenvalues are zero" in table
    assert re.search(r"^alpha_hat\s+–\s+0 of 2 matrices$", table, re.M)


# The other forms


@pytest.mark.spec("RPT-1", "RPT-2")
def test_json_is_the_report(htsr, model):
    outcome = htsr("analyze", model, "--json", "--set", "min_dim=0")
    assert (outcome.code, outcome.err) == (0, "")
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    validator.validate(json.loads(outcome.out, parse_constant=pytest.fail))
    assert Report.from_json(outcome.out) == analyze(model, PAPER.override({"min_dim": 0}))
    assert Report.from_json(outcome.out).to_json() == outcome.out


@pytest.mark.spec("RPT-6")
def test_csv_by_matrix_and_by_layer(htsr, model):
    report = analyze(model, PAPER.override({"min_dim": 0}))
    by_matrix = htsr("analyze", model, "--set", "min_dim=0", "--csv").out
    rows = list(csv.DictReader(io.StringIO(by_matrix)))
    assert [row["layer"] for row in rows] == ["conv"] * 9 + ["fc1", "fc2"]
    assert [float(row["alpha"]) for row in rows] == [
        matrix.alpha for layer in report.layers for matrix in layer.matrices
    ]
    by_layer = htsr("analyze", model, "--set", "min_dim=0", "--csv", "--per", "layer").out
    rows = list(csv.DictReader(io.StringIO(by_layer)))
    assert [row["layer"] for row in rows] == [layer.name for layer in report.layers]
    assert [float(row["alpha"]) for row in rows if row["skipped"] == ""] == [
        layer.means["alpha"] for layer in report.analyzed()
    ]


@pytest.mark.spec("RPT-6")
def test_markdown(htsr, model):
    assert htsr("analyze", model, "--markdown").out == to_markdown(analyze(model))


@pytest.mark.parametrize(
    ("name", "flag"),
    [("a.json", "--json"), ("a.csv", "--csv"), ("a.md", "--markdown"), ("a.txt", None)],
)
def test_the_suffix_chooses_the_form(htsr, model, tmp_path, name, flag):
    outcome = htsr("analyze", model, "-o", tmp_path / name)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    expected = htsr("analyze", model, *filter(None, [flag])).out
    assert (tmp_path / name).read_text(encoding="utf-8") == expected


def test_a_flag_overrules_the_suffix(htsr, model, tmp_path):
    htsr("analyze", model, "--csv", "--output", tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text(encoding="utf-8").startswith("layer,kind,")


def test_two_forms_at_once_are_refused(htsr, model):
    outcome = htsr("analyze", model, "--json", "--markdown")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "htsr: error: choose one of --json and --markdown\n"


# Files that are written


@pytest.mark.parametrize(
    ("failing", "error", "code"),
    [
        ("write_text", OSError(28, "No space left on device"), 2),
        ("replace", OSError(5, "Input/output error"), 2),
        ("replace", KeyboardInterrupt(), 130),
    ],
)
def test_a_failed_write_leaves_the_old_file(
    htsr, model, tmp_path, monkeypatch, failing, error, code
):
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "report.json").write_text("old")

    def fails(self, text="", *_, **__):
        if failing == "write_text":
            self.write_bytes(text[:100].encode())
        raise error

    monkeypatch.setattr(Path, failing, fails)
    outcome = htsr("analyze", model, "-o", folder / "report.json")
    assert (outcome.code, outcome.out) == (code, "")
    assert [path.name for path in folder.iterdir()] == ["report.json"]
    assert (folder / "report.json").read_text() == "old"
    if code == 2:
        assert outcome.err == (
            f"htsr: error: {folder / 'report.json'}: cannot be written ({error.strerror})\n"
        )


def test_a_written_file_is_as_public_as_any(htsr, model, tmp_path):
    (tmp_path / "plain").touch()
    htsr("analyze", model, "-o", tmp_path / "report.json")
    assert (tmp_path / "report.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_existing_file_is_replaced_and_a_link_followed(htsr, model, tmp_path):
    (tmp_path / "old.json").write_text("old")
    (tmp_path / "link.json").symlink_to("old.json")
    htsr("analyze", model, "-o", tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert Report.load(tmp_path / "old.json") == analyze(model)


@pytest.mark.skipif(os.name == "nt", reason="no named pipes")
def test_a_pipe_is_written_to_and_not_replaced(htsr, model, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    reader = os.open(tmp_path / "pipe.csv", os.O_RDONLY | os.O_NONBLOCK)
    outcome = htsr("analyze", model, "-o", tmp_path / "pipe.csv")
    assert outcome.code == 0
    assert os.read(reader, 10) == b"layer,kind"
    os.close(reader)
    assert (tmp_path / "pipe.csv").is_fifo()


def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    htsr, model, tmp_path, monkeypatch
):
    monkeypatch.setattr("htsr_ref.analysis.analyze", lambda *_, **__: pytest.fail("it worked"))
    (tmp_path / "file").touch()
    for bad, problem in [
        (tmp_path, "it is a folder"),
        (tmp_path / "no" / "report.json", "there is no folder"),
        (tmp_path / "file" / "report.json", "there is no folder"),
        (tmp_path / ("x" * 300) / "r.json", "cannot be written (File name too long)"),
    ]:
        outcome = htsr("analyze", model, "-o", bad)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith(f"htsr: error: {bad}: {problem}")
        assert outcome.err.count("\n") == 1
    with monkeypatch.context() as denied:
        denied.setattr(os, "access", lambda *_: False)
        outcome = htsr("analyze", model, "-o", tmp_path / "r.json")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"htsr: error: {tmp_path / 'r.json'}: cannot be written (Permission denied)\n"
    )


@pytest.fixture
def foreign_folder(htsr, model):
    """A folder with a weight file in it; neither may be touched by the user we become."""
    htsr("analyze", model)  # Imports what is needed while it can still be read.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_file(tensors(), folder / "model.safetensors")
        (folder / "model.safetensors").chmod(0o000)
        folder.chmod(0o555)
        if os.geteuid() == 0:
            os.seteuid(65534)
        yield folder
        if os.getuid() == 0:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="no users of this kind")
def test_no_permission(htsr, foreign_folder):
    read = htsr("analyze", foreign_folder / "model.safetensors")
    assert (read.code, read.out) == (2, "")
    assert read.err == (
        f"htsr: error: {foreign_folder / 'model.safetensors'}: it cannot be read (Permission "
        "denied). Give yourself permission to read it\n"
    )
    write = htsr("analyze", foreign_folder, "-o", foreign_folder / "report.json")
    assert (write.code, write.out, write.err.count("\n")) == (2, "", 1)


# Gates


@pytest.mark.spec("RPT-7")
def test_a_gate_that_holds_fails_the_check_after_the_output(htsr, model):
    table = htsr("analyze", model).out
    outcome = htsr("analyze", model, "--fail-if", "matrices>1", "--fail-if", "layers < 2")
    assert (outcome.code, outcome.out) == (1, table)
    assert outcome.err == "htsr: check failed: matrices > 1: matrices is 2\n"


@pytest.mark.spec("RPT-7")
def test_a_gate_that_does_not_hold_passes(htsr, model):
    outcome = htsr("analyze", model, "--fail-if", "matrices>2", "--fail-if", "mean_alpha<=1")
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.spec("RPT-7")
def test_a_gate_on_an_undefined_number_fails(htsr, tmp_path):
    save_file({"i.weight": np.eye(5)}, tmp_path / "i.safetensors")
    outcome = htsr("analyze", tmp_path / "i.safetensors", "--fail-if", "alpha_hat>3")
    assert outcome.code == 1
    assert outcome.err == "htsr: check failed: alpha_hat > 3: alpha_hat is undefined\n"


@pytest.mark.spec("RPT-7")
@pytest.mark.parametrize("gate", ["alpha_hat", "beta>1", "alpha_hat=1", "alpha_hat>x"])
def test_a_gate_that_is_none_is_bad_input_before_the_work(htsr, tmp_path, gate):
    outcome = htsr("analyze", tmp_path / "not-even-there", "--fail-if", gate)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"htsr: error: {gate!r}")
    assert outcome.err.count("\n") == 1


# Bad layers


@pytest.mark.spec("SPC-7", "RPT-3")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_bad_entry_costs_one_layer(htsr, tmp_path, value):
    good, bad = tensors(), tensors()
    bad["fc1.weight"][3, 7] = bad["fc1.weight"][5, 0] = value
    save_file(good, tmp_path / "good.safetensors")
    save_file(bad, tmp_path / "bad.safetensors")
    outcome = htsr("analyze", tmp_path / "bad.safetensors")
    assert outcome.code == 1
    assert outcome.err == (
        f"htsr: layer skipped: tensor 'fc1.weight': entry [3, 7] is {value}. "
        "Repair or re-export the checkpoint\n"
    )
    assert f"bad data: tensor 'fc1.weight': entry [3, 7] is {value}" in outcome.out
    fc2 = [line for line in rows_of_layers(outcome.out) if line.startswith("fc2")]
    whole = htsr("analyze", tmp_path / "good.safetensors").out
    assert [line.split() for line in fc2] == [
        line.split() for line in rows_of_layers(whole) if line.startswith("fc2")
    ]


def test_allow_skipped_accepts_bad_layers_but_not_failed_gates(htsr, broken):
    assert htsr("analyze", broken, "--allow-skipped").code == 0
    gated = htsr("analyze", broken, "--allow-skipped", "--fail-if", "matrices<2")
    assert (gated.code, gated.err.count("\n")) == (1, 1)
    assert htsr("analyze", broken, "--fail-if", "matrices<2").err.count("\n") == 2


def test_a_layer_left_out_on_purpose_is_no_fault(htsr, model):
    outcome = htsr("analyze", model, "--set", "layer_kinds=conv")
    assert (outcome.code, outcome.err) == (0, "")
    assert "skipped: fc1: kind linear is not among layer_kinds" in outcome.out


# Files that cannot be read


def truncated(path: Path) -> Path:
    save_file(tensors(), path)
    path.write_bytes(path.read_bytes()[:-1])
    return path


def header(path: Path, entries: object, data: bytes = bytes(16), length: int | None = None) -> Path:
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def entry(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def content(data: bytes):
    def write(path: Path) -> Path:
        path.write_bytes(data)
        return path

    return write


def folder(path: Path) -> Path:
    path.with_suffix("").mkdir()
    return path.with_suffix("")


def shards(path: Path) -> Path:
    index = folder(path) / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"fc.weight": "model-1-of-2.safetensors"}}))
    return index.parent


BAD_FILES = {
    "missing": lambda path: path,
    "empty": content(b""),
    "truncated": truncated,
    "pickle": content(pickle.dumps({"fc.weight": 1})),
    "web page": content(b"<!DOCTYPE html><html>Not found</html>"),
    "prose": content(b"These are no weights, whatever the name of the file may say."),
    "header only announced": content((10**6).to_bytes(8, "little") + b"{"),
    "header of exabytes": content((2**62).to_bytes(8, "little") + b"{" + bytes(100)),
    "header not JSON": lambda path: header(path, b"{fc.weight}"),
    "keys twice": lambda path: header(path, b'{"a": {}, "a": {}}'),
    "overlap": lambda path: header(path, {"a": entry([2], 0, 8), "b": entry([2], 4, 12)}),
    "unknown dtype": lambda path: header(path, {"a": entry([4], 0, 16, dtype="F7")}),
    "negative shape": lambda path: header(path, {"a": entry([-4], 0, 16)}),
    "shape overflow": lambda path: header(path, {"a": entry([2**40, 2**40], 0, 16)}),
    "folder with nothing": folder,
    "missing shard": shards,
}


@pytest.mark.parametrize("command", ["analyze", "describe", "validate", "rank"])
@pytest.mark.parametrize("make", BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_cannot_be_read_is_one_line(htsr, tmp_path, make, command):
    path = make(tmp_path / "weights.safetensors")
    outcome = htsr(command, path)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"htsr: error: {path}")
    assert outcome.err.count("\n") == 1
    assert outcome.err.count(". ") >= 1, "the line names a cure"


@pytest.mark.skipif(os.name == "nt", reason="no named pipes")
def test_a_pipe_is_no_weight_file(htsr, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    outcome = htsr("analyze", tmp_path / "pipe")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)


# Options


@pytest.mark.spec("CNV-2")
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("min_dim", "write FIELD=VALUE"),
        ("nonsense=1", "no convention has a field 'nonsense'. Fields: layer_kinds"),
        ("=1", "no convention has a field ''"),
        ("conv=sliced", "conv = 'sliced' is unknown. Legal: slices"),
        ("conv=operator", "conv = operator is specified but not implemented"),
        ("min_dim=few", "min_dim = 'few' is not a whole number"),
        ("min_dim=-1", "min_dim = -1 is not a whole number of at least 0"),
        ("alpha_range=6,2", "is neither none nor an ascending pair"),
        ("layer_kinds=", "is not a list of layer kinds"),
    ],
)
def test_a_choice_that_does_not_exist(htsr, model, change, complaint):
    for command in ("analyze", "describe", "rank"):
        outcome = htsr(command, model, "--set", change)
        assert (outcome.code, outcome.out) == (2, "")
        assert complaint in outcome.err
        assert outcome.err.count("\n") == 1


@pytest.mark.spec("CNV-2")
def test_a_convention_that_does_not_exist(htsr, model):
    outcome = htsr("analyze", model, "--convention", "papre")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("htsr: error: no convention 'papre'. Shipped: paper")


@pytest.mark.spec("CNV-1", "CNV-3")
def test_changed_choices_are_named_in_every_form(htsr, model):
    changes = ["--set", "min_dim=0", "--set", " ks = one-sided "]
    report = Report.from_json(htsr("analyze", model, "--json", *changes).out)
    assert report.convention == PAPER.override({"min_dim": 0, "ks": "one-sided"})
    assert report.convention.overrides == ("min_dim", "ks")
    for flags in ([], ["--markdown"]):
        text = htsr("analyze", model, *changes, *flags).out
        assert "onvention paper with min_dim = 0, ks = one-sided" in text


@pytest.mark.spec("SPC-3")
@pytest.mark.parametrize(("solver", "used"), [("gram", "gram"), ("svd", "svd"), ("auto", "gram")])
def test_the_solver(htsr, model, solver, used):
    report = Report.from_json(htsr("analyze", model, "--solver", solver, "--json").out)
    assert report.solver == solver
    assert {matrix.solver for layer in report.analyzed() for matrix in layer.matrices} == {used}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"{fc1}", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b'{"fc1.weight": {}, "fc1.weight": {}}', "is not JSON (the key 'fc1.weight' appears"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "a map of layers is an object of objects"),
        (b'{"fc1.weight": "linear"}', "a map of layers is an object of objects"),
        (b'{"fc9*": {"kind": "linear"}}', "the override 'fc9*' matches no tensor"),
        (b'{"fc1*": {"knid": "linear"}}', "unknown key 'knid'"),
        (b'{"fc1.weight": {"kind": "lineal"}}', "'lineal'"),
    ],
)
def test_a_map_of_layers_that_is_none(htsr, model, tmp_path, text, complaint):
    (tmp_path / "map.json").write_bytes(text)
    for command in ("analyze", "describe", "validate", "rank"):
        outcome = htsr(command, model, "--layers", tmp_path / "map.json")
        assert (outcome.code, outcome.out) == (2, "")
        assert complaint in outcome.err
        assert outcome.err.count("\n") == 1


def test_a_map_of_layers_that_is_missing(htsr, model, tmp_path):
    outcome = htsr("analyze", model, "--layers", tmp_path / "none.json")
    assert outcome.code == 2
    assert outcome.err == (
        f"htsr: error: {tmp_path / 'none.json'}: cannot be read (No such file or directory)\n"
    )


def test_a_map_of_layers_overrules_the_file(htsr, model, tmp_path):
    corrections = {"fc1.w*": {"kind": "embedding"}, "fc2.weight": {"skip": "tried apart"}}
    corrections["fc1.bias"] = {"kind": "bias"}
    (tmp_path / "map.json").write_text(json.dumps(corrections))
    outcome = htsr("analyze", model, "--layers", tmp_path / "map.json", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    layers = {layer.tensor: layer for layer in Report.from_json(outcome.out).layers}
    assert layers["fc1.weight"].skip_code == "kind"
    assert layers["fc1.weight"].decided == "override: fc1.w*"
    assert layers["fc2.weight"].skipped == "tried apart"
    assert layers["fc1.bias"].kind == "bias"
