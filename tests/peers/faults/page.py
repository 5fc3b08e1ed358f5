"""The entries of the page spec/known-faults.md, made of the list."""

from typing import Any

TOOLS = {
    "weightwatcher": "WeightWatcher",
    "powerlaw": "powerlaw",
    "igraph": "plfit, through igraph",
    "tempbalance": "TempBalance and its successors",
}
"""Headings by tool, in the order of the page."""


def body(known: dict[str, Any]) -> str:
    """Write what stands below the page's introduction, as Markdown."""
    ran_with = ", ".join(f"{name} {number}" for name, number in known["environment"].items())
    text = f"\nThe tools ran with {ran_with}.\n"
    for tool, heading in TOOLS.items():
        faults = [fault for fault in known["faults"] if fault["tool"] == tool]
        text += f"\n## {heading}\n" + "".join(map(entry, faults))
    return text


def entry(fault: dict[str, Any]) -> str:
    """Write one fault."""
    right = fault["right"]
    values = f"{written(right['values'])}. " if "values" in right else ""
    spec = f" ({', '.join(right['spec'])})" if right["spec"] else ""
    lines = [
        f"\n### {fault['id']} {fault['title']}",
        f"{fault['where']}; seen on {', '.join(fault['seen_on'])}.",
        "",
        f"- Input: {fault['input']} (`{fault['reproducer']}`).",
        f"- Returned: {written(fault['returned'])}.",
        f"- Right: {values}{right['why']}{spec}",
    ]
    if fault["columns"]:
        lines.append(f"- Columns: {', '.join(fault['columns'])}.")
    if fault["tracker"]:
        lines.append(f"- Tracker: {fault['tracker']}")
    return "\n".join(lines) + "\n"


def written(values: dict[str, Any]) -> str:
    """Write named values in words."""
    return "; ".join(f"{name} = {value_text(value)}" for name, value in values.items())


def value_text(value: Any) -> str:
    """Write a value: numbers to ten digits, words as code."""
    if isinstance(value, list):
        return ", ".join(map(value_text, value))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"`{value}`" if isinstance(value, str) else f"{value:.10g}"
