"""Gates as the command line gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htsr_ref.cli import output
from htsr_ref.conventions import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from htsr_ref.reports.gates import Gate


def warn_of_default(gates: Iterable[Gate], convention: str | None) -> None:
    """Say which convention gates are for, if it matters and none was named. Spec: RPT-7."""
    from htsr_ref.reports.gates import OF_CONVENTION

    if convention is None and any(gate.name in OF_CONVENTION for gate in gates):
        output.fail(
            f"warning: alpha_hat depends on the convention: the gate is for {DEFAULT}. "
            "Say which one you mean with --convention"
        )
