"""What the columns of a CSV file are: recognized by their names, or said by the user."""

from collections.abc import Mapping, Sequence

from htsr_ref.audits.dialects import (
    MAPPED,
    OUR_NUMBERS,
    OURS,
    WEIGHTWATCHER,
    WEIGHTWATCHER_2020,
    Dialect,
)
from htsr_ref.errors import TableError
from htsr_ref.text.nearest import one_of

_ALIASES = {
    "lognorm": "log_norm",
    "spectralnorm": "spectral_norm",
    "logspectralnorm": "log_spectral_norm",
    "logpnorm": "log_alpha_norm",
    "softrank": "stable_rank",
    "softranklog": "log_stable_rank",
}
"""Names that older versions of WeightWatcher have for the same columns."""

_SINCE_0_4 = frozenset({"num_evals", "sv_max", "rank_loss", "has_esd"})
"""Columns that tell a table of slices, as `pool=False` gives it, from one of WeightWatcher 0.2."""

IDENTITY = ("layer", "label", "layer_id", "N", "M")
"""What a column may be mapped to, other than numbers."""


_SQUASHED = frozenset({"level", "log_stable_rank", *_ALIASES})
"""Columns that only WeightWatcher 0.2 has."""


def meanings(
    path: object, header: Sequence[str], mapping: Mapping[str, str]
) -> tuple[Dialect, dict[str, str]]:
    """Find out what the columns of a table are.

    Parameters
    ----------
    path : of the file, for messages.
    header : its columns.
    mapping : for some columns, what they are; the others are recognized by their names.

    Returns
    -------
    dialect : the tool that writes such columns; `MAPPED` if none is known to.
    names : for columns, their names in the dialect or in `IDENTITY`.

    Raises
    ------
    TableError
        No column is recognized and none is mapped, or the mapping names what is not there.

    Spec: AUD-2.
    """
    _check_mapping(path, header, mapping)
    dialect = _recognize([column for column in header if column not in mapping])
    if dialect is None and not mapping:
        raise TableError(
            f"{path}: no known tool writes the columns {', '.join(filter(None, header))}. Say what "
            "they are, as with --map 'my alpha=alpha'"
        )
    if dialect is None:
        dialect = MAPPED
        names = {column: column for column in header if column in (*IDENTITY, *OUR_NUMBERS)}
    else:
        names = _recognized_names(dialect, header)
    names = {
        column: name
        for column, name in names.items()
        if column not in mapping and name not in mapping.values()
    } | dict(mapping)
    dialect = dialect.with_ours(set(mapping.values()) & set(OUR_NUMBERS))
    if not set(names.values()) & set(dialect.quantities) - {"N", "M"}:
        raise TableError(f"{path}: no number is mapped, so there is nothing to compare")
    return dialect, names


def _recognized_names(dialect: Dialect, header: Sequence[str]) -> dict[str, str]:
    """Names of the columns of a known tool, whatever its version calls them."""
    names = {column: _ALIASES.get(column, column) for column in header if column}
    if dialect is OURS:
        return names
    names = {column: name for column, name in names.items() if name not in ("label", "name")}
    label = "longname" if "longname" in header else "name"
    return names | ({label: "layer"} if label in header else {})


def _recognize(header: Sequence[str]) -> Dialect | None:
    """Tell by its columns which tool wrote a table; None if it is no known one."""
    columns = {_ALIASES.get(column, column) for column in header}
    if "layer" in columns and columns & {"log10_frobenius_norm", "ks_distance"}:
        return OURS
    if not columns & {"alpha", "log_norm", "log_spectral_norm"}:
        return None
    old = _SQUASHED if columns & _SINCE_0_4 else _SQUASHED | {"slice_id"}
    if {"level", "slice"} <= columns or ("layer_id" in columns and old & {*columns, *header}):
        return WEIGHTWATCHER_2020
    return WEIGHTWATCHER if "layer_id" in columns else None


def _check_mapping(path: object, header: Sequence[str], mapping: Mapping[str, str]) -> None:
    known = (*IDENTITY, *OUR_NUMBERS)
    for column, name in mapping.items():
        if column not in header:
            raise TableError(
                f"{path}: has no column {column!r}. {one_of(column, header, 'Columns')}"
            )
        if name not in known:
            raise TableError(f"no number is called {name!r}. {one_of(name, known, 'Known')}")
        if list(mapping.values()).count(name) > 1:
            raise TableError(f"two columns are mapped to {name}. Choose one")
