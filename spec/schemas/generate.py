"""What the schema of reports says of metrics and of conventions, written from their tables.

    python3 generate.py           write report.schema.json again
    python3 generate.py --check   say whether it is what the tables give

Everything else in that file is written by hand.
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any, get_type_hints

from htsr_ref.conventions import FIELDS
from htsr_ref.metric_table import MEAN_FIELDS, METRICS, MODEL_MEANS, Metric
from htsr_ref.reports.report import MatrixReport, ModelReport

PATH = Path(__file__).with_name("report.schema.json")
WIDTH = 100

Json = dict[str, Any]
NUMBER: Json = {"$ref": "#/$defs/number"}
OR_NULL: Json = {"$ref": "#/$defs/numberOrNull"}
COUNT: Json = {"$ref": "#/$defs/count"}
PAIR: Json = {"type": "array", "minItems": 2, "maxItems": 2, "items": NUMBER}
TYPES: dict[Any, Json] = {
    int: COUNT,
    int | None: {"type": ["integer", "null"]},
    float: NUMBER,
    float | None: OR_NULL,
    tuple[float, float] | None: {"oneOf": [PAIR, {"type": "null"}]},
}
"""Schemas of the types that metrics have."""

HINTS = get_type_hints(MatrixReport)


def sentence(meaning: str, spec: str) -> str:
    """Make a description of a meaning and what defines it."""
    return f"{meaning[0].upper()}{meaning[1:]} ({spec})."


def of_metric(name: str, metric: Metric) -> Json:
    """Say of a metric what its row says."""
    unit = f" [{metric.unit}]" if metric.unit else ""
    description = sentence(metric.meaning + unit, metric.spec)
    return {"description": description, **TYPES[HINTS[name]], **metric.limits}


def of_mean(name: str) -> Json:
    """Say of a layer's mean that it is null only where the metric can be."""
    kind = NUMBER if HINTS[name] in (int, float) else OR_NULL
    return {"description": f"Mean of {name} (MET-9).", **kind}


def derived(old: Json) -> Json:
    """Make the properties of objects that follow from the tables; `old` are those of all."""
    metrics = {name: of_metric(name, metric) for name, metric in METRICS.items()}
    fields = {
        name: {"description": sentence(field.meaning, field.spec), **field.schema}
        for name, field in FIELDS.items()
    }
    overrides = {**old["convention"]["overrides"], "items": {"enum": list(FIELDS)}}
    means = {
        name: {"description": f"Mean of {metric} over the model (MET-10).", **OR_NULL}
        for name, metric in MODEL_MEANS.items()
    }
    known = old["model"] | means
    behind = "Values behind the mean of"
    return {
        "convention": {"name": old["convention"]["name"], **fields, "overrides": overrides},
        "matrix": {name: metrics.get(name) or old["matrix"][name] for name in HINTS},
        "layerMeans": {name: of_mean(name) for name in MEAN_FIELDS},
        "layerCounts": {
            name: {"description": f"{behind} {name} (MET-9).", **COUNT} for name in MEAN_FIELDS
        },
        "model": {field.name: known[field.name] for field in fields_of(ModelReport)},
        "modelCounts": {
            field.name: {
                "description": f"{behind} {MODEL_MEANS[field.name]} over the model (MET-10).",
                **COUNT,
            }
            for field in fields_of(ModelReport)
            if field.name in MODEL_MEANS
        },
    }


def written(value: Any, indent: int = 0, taken: int = 0) -> str:
    """Write JSON, on one line what fits."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + taken <= WIDTH or not isinstance(value, dict | list):
        return line
    inner = " " * (indent + 2)
    if isinstance(value, list):
        lines = [inner]
        for place, item in enumerate(value, 1):
            text = written(item, indent + 2, indent + 3) + ("," if place < len(value) else "")
            if len(lines[-1]) + len(text) + 1 > WIDTH and lines[-1].strip():
                lines.append(inner)
            lines[-1] += (" " if lines[-1].strip() else "") + text
        return "\n".join(["[", *lines, " " * indent + "]"])
    items = [
        f"{inner}{json.dumps(key)}: {written(item, indent + 2, indent + len(key) + 7)}"
        for key, item in value.items()
    ]
    return "\n".join(["{", ",\n".join(items), " " * indent + "}"])


def renewed(text: str) -> str:
    """Write the file again from its text and the tables."""
    schema = json.loads(text)
    parts = schema["$defs"]
    old = {name: part["properties"] for name, part in parts.items() if "properties" in part}
    for name, properties in derived(old).items():
        parts[name] |= {"required": list(properties), "properties": properties}
    return written(schema) + "\n"


def main() -> int:
    """Write the file, or check it."""
    text = PATH.read_text(encoding="utf-8")
    made = renewed(text)
    if "--check" not in sys.argv:
        PATH.write_text(made, encoding="utf-8")
    elif made != text:
        print(f"{PATH.name} does not follow the tables: run generate.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
