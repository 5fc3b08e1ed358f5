"""Damage parts of weights and adapters at random; open and compute them; count what comes of it.

Run by hand: `python tests/weights/derived/fuzz.py COUNT SEED`, as `packed/fuzz.py`, whose limits
and failures these are. A part of a product may differ from that of the whole by rounding.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "packed"))
sys.path.insert(0, str(Path(__file__).parents[2]))

from fuzz import VALUES, damage_entry, main, outcome
from packed_files import Entry, entries_of, safetensors_of

HERE = Path(__file__).parent
Source = tuple[dict[str, Entry], dict[str, Any] | None]
LEAVES = ("weight", "weight_g", "weight_v", "weight_u", "weight_orig", "weight_mask", "alpha")
LEAVES += ("lora_A.weight", "lora_B.weight", "lora_magnitude_vector", "lora_up.weight", "")
LEAVES += ("parametrizations.weight.original0", "parametrizations.weight.original1", "lora.down")
KEYS = ("r", "lora_alpha", "use_rslora", "rank_pattern", "alpha_pattern", "peft_type", "unknown")
SETTINGS = (*VALUES, {"a": 1}, {"^x": -1}, {".*": float("nan")}, {"(": 2}, {"a" * 3000 + "*": 1})
SETTINGS += ("all", "lora_only", "LORA", ["c"], 0.0, -0.5, 10**400)


def source(path: Path) -> Source:
    """Tensors of a fixture, and the configuration beside it."""
    entries, _ = entries_of(path)
    config = path.with_name("adapter_config.json")
    return entries, json.loads(config.read_text(encoding="utf-8")) if config.exists() else None


SOURCES = [
    source(path)
    for path in sorted((HERE / "fixtures").rglob("*.safetensors"))
    if not path.stem.endswith((".delta", ".merged"))
]


def are_nearly_same(part: Any, whole: Any, *, equal_nan: bool) -> bool:
    """Whether they agree but for the rounding of sums in another order."""
    scale = np.abs(whole[np.isfinite(whole)]).max(initial=0)
    with np.errstate(all="ignore"):
        return np.allclose(part, whole, rtol=1e-12, atol=1e-12 * scale, equal_nan=equal_nan)


def run(number: int, folder: Path) -> str:
    """Run the case of this number."""
    rng = np.random.default_rng(number)
    original, stated = SOURCES[rng.integers(len(SOURCES))]
    entries = dict(original)
    config = json.loads(json.dumps(stated))
    stems = sorted({name.rpartition(".")[0] for name in entries})
    names = (*entries, *(f"{stem}.{leaf}" for stem in stems for leaf in LEAVES))
    for _ in range(rng.integers(1, 4)):
        damage_entry(entries, names, rng)
        if config is not None and rng.random() < 0.4:
            config[str(rng.choice([*config, *KEYS]))] = SETTINGS[rng.integers(len(SETTINGS))]
    content = bytearray(safetensors_of(entries, {}))
    if rng.random() < 0.05:
        for at in rng.integers(0, len(content), rng.integers(1, 9)):
            content[at] = rng.integers(0, 256)
    for old in folder.iterdir():
        old.unlink()
    (folder / "model.safetensors").write_bytes(content)
    if config is not None:
        (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
        (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    return outcome(folder, are_nearly_same)


if __name__ == "__main__":
    sys.exit(main(run))
