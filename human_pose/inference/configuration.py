"""What runs: the choices that a viewer can change while the demo runs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..errors import UsageError


@dataclass(frozen=True)
class Configuration:
    """A network in a precision, on a device, with a hint, at an input size.

    device: as OpenVINO names it, or a server. model: a name or path, as zoo.resolve.choose_model takes it. precision:
    one of zoo.catalog.PRECISIONS. hint: one of settings.HINTS. size: the side of the input that --size names, in
    pixels. preset: 'best' where requests, streams and threads are those that were tuned for it. What is left empty is
    not a choice here: a backend that has a single network compiles that.
    """

    device: str
    model: str = ""
    precision: str = ""
    hint: str = ""
    size: int = 0
    preset: str = ""

    def __str__(self) -> str:
        """'CPU human-pose-estimation-0001 FP16 latency 256', as `parse_configuration` reads it."""
        return " ".join(str(value) for value in self._values() if value)

    def _values(self) -> list[object]:
        return [getattr(self, part.name) for part in fields(self)]


def parse_configuration(
    text: str, start: Configuration, models: Collection[str], precisions: Sequence[str], hints: Sequence[str]
) -> Configuration:
    """Read 'CPU FP16 latency 256 mobilenet-thin': words in any order; what is left out is as in `start`.

    A number is a size, a name of `models` or a path of a network is a network, any other word is the device. Raises
    UsageError where a part comes twice.
    """
    found: dict[str, Any] = {}
    for word in text.split():
        if word.upper() in precisions:
            part, value = "precision", word.upper()
        elif word.lower() in hints:
            part, value = "hint", word.lower()
        elif word.isdecimal():
            part, value = "size", word
        elif word in models or word.endswith((".xml", ".onnx")) or Path(word).is_dir():
            part, value = "model", word
        else:
            part, value = "device", word
        if part in found:
            raise UsageError(f"'{text}' names two of a kind: {part}s '{found[part]}' and '{value}'. Give one.")
        found[part] = value
    if "model" in found and found["model"] != start.model:
        found = {"precision": "", "size": 0} | found  # its own
    return replace(start, **found | {"size": int(found.get("size", start.size))})


def labels(configurations: Sequence[Configuration]) -> list[str]:
    """A short name for each: its device, and the parts in which they differ."""
    parts = list(zip(*(configuration._values() for configuration in configurations), strict=True))
    differing = [index for index, values in enumerate(parts) if index == 0 or len(set(values)) > 1]
    return [" ".join(str(c._values()[index]) for index in differing if c._values()[index]) for c in configurations]
