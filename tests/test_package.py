"""The package: what importing it costs, and what it offers."""

import json
import re
import sys
import tomllib
from importlib import import_module, metadata
from operator import attrgetter
from pathlib import Path
from pkgutil import walk_packages

import pytest
from commands import python

import htsr_ref

ROOT = Path(__file__).parents[1]
HEAVY = ("numpy", "scipy", "h5py", "matplotlib", "pandas")
FRAMEWORKS = (
    "torch",
    "tensorflow",
    "keras",
    "jax",
    "flax",
    "onnx",
    "paddle",
    "mxnet",
    "transformers",
)


def imported_by(code: str) -> set[str]:
    """Top-level modules that are loaded after `code` has run in a fresh interpreter."""
    report = (
        "import json, sys; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    )
    done = python("-c", f"{code}\n{report}")
    assert done.returncode == 0, done.stderr.decode()
    return set(json.loads(done.stdout.splitlines()[-1]))


def running(*arguments: str) -> str:
    return (
        "import sys\n"
        "from htsr_ref.cli.main import run\n"
        f"sys.argv = ['htsr', *{arguments!r}]\n"
        "try:\n    run()\nexcept SystemExit as end:\n    assert end.code == 0, end.code"
    )


def test_importing_the_package_costs_nothing():
    assert imported_by("import htsr_ref").isdisjoint({*HEAVY, *FRAMEWORKS, "rich", "typer"})


def test_help_is_shown_without_the_numerical_libraries():
    shown = [["--help"], ["--version"], ["analyze", "--help"], ["conventions"]]
    loaded = imported_by("\n".join(running(*arguments) for arguments in shown))
    assert "typer" in loaded
    assert loaded.isdisjoint({*HEAVY, *FRAMEWORKS})


@pytest.mark.spec("SCL-8")
def test_an_analysis_imports_no_more_than_it_needs():
    example = ROOT / "spec" / "examples" / "mlp_b016_e010.safetensors"
    loaded = imported_by(running("analyze", str(example)))
    assert "numpy" in loaded
    assert loaded.isdisjoint({"scipy", "h5py", "rich", "matplotlib", "pandas", *FRAMEWORKS})


@pytest.mark.slow
def test_no_framework_is_imported_whatever_is_done():
    example = ROOT / "spec" / "examples" / "mlp_b016_e010.safetensors"
    everything = [
        running(command, str(example)) for command in ("analyze", "describe", "validate", "rank")
    ]
    names = [f"htsr_ref.{name}" for name in htsr_ref.__all__]
    code = "\n".join([*everything, "import htsr_ref", *names])
    loaded = imported_by(code)
    assert "numpy" in loaded
    assert loaded.isdisjoint({*FRAMEWORKS, "matplotlib", "pandas"})


def test_every_public_name_resolves():
    for name in htsr_ref.__all__:
        assert getattr(htsr_ref, name) is not None
    assert sorted(htsr_ref.__all__) == sorted({"__version__", *htsr_ref._HOME})
    with pytest.raises(AttributeError, match="module 'htsr_ref' has no attribute 'alpha'"):
        htsr_ref.alpha  # noqa: B018 - the access itself raises


def test_no_module_is_hidden_by_another_name():
    modules = [module.name for module in walk_packages(htsr_ref.__path__, "htsr_ref.")]
    for module in modules:
        import_module(module)
    reached = {module: attrgetter(module.partition(".")[2])(htsr_ref) for module in modules}
    assert "htsr_ref.cli.main" in reached
    assert [name for name, found in reached.items() if found is not sys.modules[name]] == []
    hidden = {f"htsr_ref.{name}" for name in htsr_ref.__all__} & set(modules)
    assert {name for name in hidden if attrgetter(name[9:])(htsr_ref) is not sys.modules[name]} == (
        set()
    )


def test_the_version_is_stated_once():
    assert re.fullmatch(r"\d+\.\d+\.\d+", htsr_ref.__version__)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in project["project"]
    assert project["tool"]["hatch"]["version"]["path"] == "htsr_ref/version.py"
    literal = re.compile(rf"[\"']{re.escape(htsr_ref.__version__)}[\"']")
    stated = [
        path.name
        for path in (ROOT / "htsr_ref").rglob("*.py")
        if literal.search(path.read_text(encoding="utf-8"))
    ]
    assert stated == ["version.py"]


def test_an_installed_package_has_the_same_version():
    try:
        installed = metadata.version("htsr-ref")
    except metadata.PackageNotFoundError:
        pytest.skip("run from a checkout that is not installed")
    assert installed == htsr_ref.__version__


def test_the_package_is_typed():
    assert (Path(htsr_ref.__file__).parent / "py.typed").is_file()
