"""The part of YAML that exporters write into metadata.yaml: maps, lists and scalars in block style, one-line lists."""

import re
from typing import Any

CONSTANTS: dict[str, Any] = {"null": None, "~": None, "": None, "true": True, "false": False}
KEY = re.compile(r"""("[^"]*"|'[^']*'|[^\s'"#:\[\]{}-][^:#]*?|-?\d+)\s*:(?:\s+(.*))?$""")


def read_yaml(text: str) -> dict[Any, Any]:
    """The map that a text holds; {} where it holds none. What this subset lacks is left out, nothing is raised."""
    lines = []
    for line in text.splitlines():
        bare = line.strip()
        if bare and not bare.startswith("#") and bare not in ("---", "..."):
            lines.append((len(line) - len(line.lstrip()), bare))
    try:
        value, _ = _block(lines, 0) if lines else ({}, 0)
    except RecursionError:  # no metadata is that deep
        return {}
    return value if isinstance(value, dict) else {}


def _block(lines: list[tuple[int, str]], start: int) -> tuple[Any, int]:
    """The map or list that begins at a line, and the line after it."""
    indent, first = lines[start]
    return _list(lines, start, indent) if _is_item(first) else _map(lines, start, indent)


def _map(lines: list[tuple[int, str]], place: int, indent: int) -> tuple[dict[Any, Any], int]:
    values: dict[Any, Any] = {}
    while place < len(lines) and lines[place][0] >= indent:
        matched = KEY.match(lines[place][1]) if lines[place][0] == indent else None
        place += 1
        if matched is None:
            continue
        key, rest = _scalar(matched[1]), matched[2] or ""
        if rest:  # a long text goes on in deeper lines
            while place < len(lines) and lines[place][0] > indent:
                rest += " " + lines[place][1]
                place += 1
            values[key] = _scalar(rest)
        elif place < len(lines) and (
            lines[place][0] > indent or (lines[place][0] == indent and _is_item(lines[place][1]))
        ):
            values[key], place = _block(lines, place)
        else:
            values[key] = None
    return values, place


def _list(lines: list[tuple[int, str]], place: int, indent: int) -> tuple[list[Any], int]:
    values: list[Any] = []
    while place < len(lines) and lines[place][0] >= indent:
        depth, text = lines[place]
        if depth == indent and not _is_item(text):
            break  # the next key of the map that this list belongs to
        if depth == indent:
            values.append(_scalar(text[1:].strip()))
        place += 1
    return values, place


def _is_item(text: str) -> bool:
    return text == "-" or text.startswith("- ")


def _scalar(text: str) -> Any:
    """A number, a text, a constant, or a list in one line."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1]
    if text.startswith("[") and text.endswith("]"):
        return [_scalar(part) for part in text[1:-1].split(",") if part.strip()]
    if text.lower() in CONSTANTS:
        return CONSTANTS[text.lower()]
    if re.fullmatch(r"[-+]?\d+", text):
        return int(text)
    return float(text) if re.fullmatch(r"[-+]?(\d+\.\d*|\.\d+)([eE][-+]?\d+)?", text) else text
