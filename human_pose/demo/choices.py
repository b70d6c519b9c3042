"""What the keys choose among: devices, precisions, hints, sizes and networks."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import openvino as ov

from ..inference.backends import check_device, offered_devices
from ..inference.configuration import Configuration
from .window import Key

HINTS = ("throughput", "latency")  # that the key walks through


class Offer(Protocol):
    """What there is to choose from."""

    models: Sequence[str]

    def precisions(self, model: str) -> Sequence[str]:
        """The precisions in which a network can be executed."""
        ...

    def sizes(self, configuration: Configuration) -> Sequence[int]:
        """The sizes of a network's input, from small to large; 0 is its own."""
        ...

    def default_precision(self, model: str) -> str:
        """The precision of a network that was just chosen."""
        ...

    def best(self, model: str) -> Configuration:
        """The best configuration of this machine. Raises UsageError where it was not tuned, or that is void."""
        ...


class Choices:
    """The configuration that was asked for, and those that a key leads to from there.

    TAB walks through the devices: each single device, then MULTI and HETERO over all of them, then AUTO. A key passes
    over a configuration that failed until its device is back; a device's number still selects it.
    """

    def __init__(
        self, core: ov.Core, start: Configuration, devices: Sequence[str] | None = None, offer: Offer | None = None
    ) -> None:
        """devices: the list to use; None: all that the machine has. offer: None: only devices are chosen.

        Raises UsageError if the machine lacks one of the devices.
        """
        self.devices = list(dict.fromkeys(devices)) if devices else offered_devices(core)
        if start.device not in self.devices:
            self.devices.insert(0, start.device)
        for device in self.devices:
            check_device(core, device)
        self.target = start
        self.before: Configuration | None = None  # the target before this one
        self.failed: set[Configuration] = set()
        self.offer = offer

    @property
    def failed_devices(self) -> set[str]:
        """The devices that failed with the network, precision, hint and size that are chosen now."""
        return {device for device in self.devices if replace(self._plain, device=device) in self.failed}

    def press(self, key: Key | int | None) -> Configuration | None:
        """Move to what a key leads to; it may stay the same. None: the key chooses nothing.

        Raises UsageError for the best configuration of this machine where it was not tuned, or that is void.
        """
        before = self.target
        found = self._press(key)
        if found is not None and found != before:
            self.before = before
        return found

    def _press(self, key: Key | int | None) -> Configuration | None:
        if isinstance(key, int):
            return self._jump(key)
        if key in (Key.NEXT_DEVICE, Key.PREVIOUS_DEVICE):
            found = [replace(self._plain, device=device) for device in self.devices]
            return self._walk(found, 1 if key is Key.NEXT_DEVICE else -1)
        if self.offer is None:
            return None
        if key is Key.BEST:
            self.target = self.offer.best(self.target.model)
            self.failed.discard(self.target)
            return self.target
        if key is Key.NEXT_PRECISION:
            precisions = self.offer.precisions(self.target.model)
            return self._walk([replace(self._plain, precision=precision) for precision in precisions])
        if key is Key.NEXT_HINT:
            return self._walk([replace(self._plain, hint=hint) for hint in HINTS])
        if key is Key.NEXT_NETWORK:
            return self._walk([self._with_network(model) for model in self.offer.models])
        if key in (Key.LARGER, Key.SMALLER):
            return self._resize(1 if key is Key.LARGER else -1)
        return None

    @property
    def _plain(self) -> Configuration:
        """The target without what was tuned for just it: keys lead on from there."""
        return replace(self.target, preset="")

    def mark_returned(self, device: str) -> bool:
        """Keys no longer pass over a device that failed. Returns whether they did."""
        returned = {configuration for configuration in self.failed if configuration.device == device}
        self.failed -= returned
        return bool(returned)

    def mark_failed(self, configuration: Configuration, back_to: Configuration) -> None:
        """Pass over a configuration from now on; keys lead on from `back_to`."""
        self.failed.add(configuration)
        if self.target == configuration:
            self.target = back_to

    def _walk(self, found: Sequence[Configuration], step: int = 1) -> Configuration:
        """Move to the next that has not failed, round the list; where the target is not in it, to its first."""
        position = found.index(self._plain) if self._plain in found else -step
        for distance in range(1, len(found) + 1):
            configuration = found[(position + step * distance) % len(found)]
            if configuration not in self.failed:
                self.target = configuration
                break
        return self.target

    def _resize(self, step: int) -> Configuration:
        """Move to the next size that has not failed, up to the last."""
        assert self.offer is not None
        found = [replace(self._plain, size=size) for size in self.offer.sizes(self.target)]
        position = found.index(self._plain)
        for configuration in found[position + 1 :] if step > 0 else reversed(found[:position]):
            if configuration not in self.failed:
                self.target = configuration
                break
        return self.target

    def _with_network(self, model: str) -> Configuration:
        """The target with another network, in the same precision if that is here, at the network's own size."""
        assert self.offer is not None
        if model == self.target.model:
            return self._plain
        has_same = self.target.precision in self.offer.precisions(model)
        precision = self.target.precision if has_same else self.offer.default_precision(model)
        return replace(self._plain, model=model, precision=precision, size=0)

    def _jump(self, number: int) -> Configuration | None:
        """Move to a device by its number, from 1, even if it failed before. None if there is no such number."""
        if not 1 <= number <= len(self.devices):
            return None
        self.target = replace(self._plain, device=self.devices[number - 1])
        self.failed.discard(self.target)
        return self.target
