"""Rows as data frames of other libraries, imported on demand."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Literal

from htsr_ref.errors import HtsrError

Library = Literal["pandas", "polars"]


def data_frame(rows: Sequence[dict[str, Any]], columns: Sequence[str], library: Library) -> Any:
    """Make a data frame of rows.

    Raises
    ------
    HtsrError
        The library is not installed.

    Spec: FIG-9.
    """
    if library not in ("pandas", "polars"):
        raise HtsrError(f"data frames are those of pandas or polars, not of {library!r}")
    try:
        module = import_module(library)
    except ImportError as error:
        raise HtsrError(f"a data frame needs {library}: pip install {library}") from error
    table = {name: [row[name] for row in rows] for name in columns}
    # Some columns hold numbers after many rows without one.
    more = {"strict": False} if library == "polars" else {}
    return module.DataFrame(table, **more)
