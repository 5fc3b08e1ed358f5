"""A user's own convention, read from a TOML or JSON file."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from htsr_ref.conventions.convention import Convention, check_names, shipped_convention
from htsr_ref.conventions.names import ALIASES, RENAMED
from htsr_ref.conventions.shipped import SHIPPED
from htsr_ref.conventions.table import FIELDS
from htsr_ref.errors import ConventionError
from htsr_ref.text import strictjson
from htsr_ref.text.reading import read_bytes

SUFFIXES = (".toml", ".json")
"""Endings of the names of convention files."""


def load_convention(path: str | os.PathLike[str]) -> Convention:
    """Read a convention from a file: its `name`, a shipped convention as `base`, and fields.

    Without a base every field must be given. The result has its own name and no overrides.

    Parameters
    ----------
    path : a file that ends in .toml or .json.

    Raises
    ------
    ConventionError
        The file cannot be read, or is not a convention; names the file.

    Spec: CNV-20.
    """
    try:
        content = _parse(Path(path))
        name, base = content.pop("name", None), content.pop("base", None)
        if not isinstance(name, str) or not name or name in {*SHIPPED, *ALIASES, *RENAMED}:
            raise ConventionError('it needs a name of its own, such as name = "mine"')
        if base is not None and not isinstance(base, str):
            raise ConventionError(f"base = {base!r:.60} is not the name of a convention")
        check_names(content)
        values = content if base is None else shipped_convention(base).values() | content
        missing = [field for field in FIELDS if field not in values]
        if missing:
            raise ConventionError(
                f'it lacks {", ".join(missing)}. Give them, or a base such as base = "sdm2020"'
            )
        return Convention(name=name, **values)
    except OSError as error:
        raise ConventionError(f"{path}: it cannot be read ({error.strerror})") from error
    except (ConventionError, ValueError) as error:
        raise ConventionError(f"{path}: {error}") from error


def _parse(path: Path) -> dict[str, Any]:
    text = read_bytes(path).decode("utf-8")
    try:
        content = strictjson.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except RecursionError:
        raise ConventionError("it is nested too deeply") from None
    if not isinstance(content, dict):
        raise ConventionError("it holds no object of fields")
    return content


def get_convention(
    convention: Convention | str | os.PathLike[str], overrides: Mapping[str, Any] | None = None
) -> Convention:
    """Look up a shipped convention or read one from a file, and override some of its fields.

    Parameters
    ----------
    convention : a name, a file that ends in .toml or .json, or a convention, which is taken as it
        is.
    overrides : values by field name, or text as on the command line.

    Raises
    ------
    ConventionError
        There is no such convention, or an override is bad.

    Spec: CNV-2, CNV-3, CNV-4, CNV-20.

    >>> get_convention("sdm2020", {"min_dim": 0}).overrides
    ('min_dim',)
    """
    if isinstance(convention, Convention):
        found = convention
    elif isinstance(convention, os.PathLike) or convention.endswith(SUFFIXES):
        found = load_convention(convention)
    else:
        found = shipped_convention(convention)
    return found.override(overrides) if overrides else found
