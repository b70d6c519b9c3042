"""What runs: the choices that a viewer can change while the demo runs."""

from collections.abc import Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Configuration:
    """A network in a precision, on a device, with a hint, at an input size.

    device: as OpenVINO names it, or a server. model: a name or path, as zoo.resolve.choose_model takes it. precision:
    one of zoo.catalog.PRECISIONS. hint: one of settings.HINTS. size: the side of the input that --size names, in
    pixels. What is left empty is not a choice here: a backend that has a single network compiles that.
    """

    device: str
    model: str = ""
    precision: str = ""
    hint: str = ""
    size: int = 0

    def __str__(self) -> str:
        """'CPU human-pose-estimation-0001 FP16 latency 256', as `parse_configuration` reads it."""
        return " ".join(str(value) for value in self._values() if value)

    def _values(self) -> list[object]:
        return [getattr(self, part.name) for part in fields(self)]


def labels(configurations: Sequence[Configuration]) -> list[str]:
    """A short name for each: its device, and the parts in which they differ."""
    parts = list(zip(*(configuration._values() for configuration in configurations), strict=True))
    differing = [index for index, values in enumerate(parts) if index == 0 or len(set(values)) > 1]
    return [" ".join(str(c._values()[index]) for index in differing if c._values()[index]) for c in configurations]
