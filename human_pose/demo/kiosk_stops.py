"""The stops of an exhibition: configurations and races, their list, and which comes next."""

from collections.abc import Sequence
from dataclasses import replace

import openvino as ov

from ..errors import UsageError
from ..inference.backends import check_device, offered_devices
from ..inference.configuration import Configuration
from .choices import HINTS
from .networks import configuration_of

EXAMPLE = "--kiosk CPU 'CPU latency' 'CPU vs CPU FP16'"
RETRY_S = 120.0  # how long a stop that failed is left out; twice as long after each further failure
LONGEST_RETRY_S = 3600.0

Stop = tuple[Configuration, ...]  # one configuration, or two that race


def stops_of(words: Sequence[str], start: Configuration, core: ov.Core) -> list[Stop]:
    """The stops that the user lists; what a configuration leaves out is as in `start`. Raises UsageError."""
    return [_stop_of(text, start, core) for text in words]


def default_stops(start: Configuration, devices: Sequence[str], precisions: Sequence[str]) -> list[Stop]:
    """Every device, then a race of the first: with another precision, or where there is none, with the other hint.

    precisions: in which the network can be executed.
    """
    stops: list[Stop] = [(replace(start, device=device),) for device in devices]
    first = stops[0][0]
    others = [replace(first, precision=precision) for precision in precisions]
    others += [replace(first, hint=hint) for hint in HINTS]
    other = next(configuration for configuration in others if configuration != first)
    return [*stops, (first, other)]


def devices_to_show(core: ov.Core, devices: Sequence[str] | None) -> list[str]:
    """The devices of --devices, else all that are offered. Raises UsageError where one is not here."""
    found = list(dict.fromkeys(devices)) if devices else offered_devices(core)
    for device in found:
        check_device(core, device)
    return found


class Itinerary:
    """Leads round the stops for ever. One that failed is left out, and tried again after RETRY_S."""

    def __init__(self, stops: Sequence[Stop]) -> None:
        self.stops = list(stops)
        self.rounds = 0  # that are complete
        self._position = -1
        self._failures: dict[Stop, int] = {}  # in a row
        self._out_until: dict[Stop, float] = {}

    def next(self, now: float) -> Stop | None:
        """Go on to the next stop at the time `now`, in s; None: all are left out at present."""
        for _ in self.stops:
            self._position += 1
            if self._position == len(self.stops):
                self._position = 0
                self.rounds += 1
            stop = self.stops[self._position]
            if now >= self._out_until.get(stop, now):
                return stop
        return None

    def mark_worked(self, stop: Stop) -> None:
        """A stop was shown."""
        self._failures.pop(stop, None)
        self._out_until.pop(stop, None)

    def mark_failed(self, stop: Stop, now: float) -> float:
        """Leave a stop out from the time `now` on. Returns for how long, in s."""
        self._failures[stop] = self._failures.get(stop, 0) + 1
        out_s = min(LONGEST_RETRY_S, RETRY_S * 2.0 ** (min(self._failures[stop], 20) - 1))
        self._out_until[stop] = now + out_s
        return out_s


def _stop_of(text: str, start: Configuration, core: ov.Core) -> Stop:
    sides: list[list[str]] = [[]]
    for word in text.split():
        if word.lower() == "vs":
            sides.append([])
        else:
            sides[-1].append(word)
    if not all(sides):
        raise UsageError(f"'{text}' is no stop of --kiosk: a configuration is empty. Give stops like {EXAMPLE}.")
    if len(sides) > 2:
        raise UsageError(f"'{text}' is a race of {len(sides)}. A race is between two, as in {EXAMPLE}.")
    stop = tuple(configuration_of(" ".join(side), start) for side in sides)
    for configuration in stop:
        check_device(core, configuration.device)
    if len(set(stop)) < len(stop):
        raise UsageError(f"Both sides of '{text}' are the same. Give two that differ, as in {EXAMPLE}.")
    return stop
