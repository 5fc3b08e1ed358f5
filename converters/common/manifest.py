"""The manifest, the string of JSON that says what each tensor of a weight file means."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common.containers import fetch, map_array
from common.source import Source, Tensor

VERSION = "2"
WINDOW = 4 * 2**20
"""Bytes of a source that are mapped into memory at a time to take its digest."""
FORMAT = "htsr-weights/2"
MANIFEST_KEY = "htsr_manifest"
NO_DIGEST = "0" * 64
"""Stands for the source's digest until it is known; the first such text in a file's manifest."""


def manifest_text(
    source: Source, tensors: Sequence[Tensor], converter: str, digest: str | None = NO_DIGEST
) -> str:
    """Manifest of the tensors, with `NO_DIGEST` where the source's digest belongs."""
    value = {
        "format": FORMAT,
        "source": {
            "sha256": digest,
            "framework": source.framework,
            "converter": f"{converter} {VERSION}",
            "file": source.name,
        },
        "tensors": {tensor.name: _entry(tensor) for tensor in tensors},
        "extra": {"left_out": dict(source.dropped), "notes": list(source.notes)},
        "config": dict(source.config),
    }
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _entry(tensor: Tensor) -> dict[str, Any]:
    entry = tensor.facts.entry()
    return entry if tensor.same_as is None else entry | {"same_as": tensor.same_as}


def digest_of(files: Sequence[Path]) -> str:
    """SHA-256 of a file; of several, that of their digests joined in the order of their names."""
    digests = [_digest(path) for path in sorted(files)]
    return (
        digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    )


def _digest(path: Path) -> str:
    # From mapped pieces, which are not copied, as they are by hashlib.file_digest.
    digest = hashlib.sha256()
    size = path.stat().st_size
    for start in range(0, size, WINDOW):
        window = map_array(path, start, "u1", (min(WINDOW, size - start),))
        fetch(window)
        digest.update(window.data)
    return digest.hexdigest()
