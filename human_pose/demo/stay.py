"""A stay on one configuration, in an exhibition."""

from collections.abc import Callable

from ..inference.configuration import Configuration
from .choices import Choices
from .window import Key

GIVE_UP_S = 120.0  # a configuration that gives no counted result for so long has failed


class Stay:
    """Presses the key that ends the loop: after some seconds of a configuration, or when it failed. See tour.Tour."""

    def __init__(self, choices: Choices, seconds: float, arrive: Callable[[], None]) -> None:
        """choices: their target is the configuration. seconds: from its first counted result.

        arrive: is called at that result.
        """
        self._choices, self._wanted, self._seconds, self._arrive = choices, choices.target, seconds, arrive
        self._began_at: float | None = None
        self._leaves_at: float | None = None
        self.failure = ""  # why it failed

    def key(self, counting: Configuration | None, now: float) -> Key | None:
        """The key to press now, if any. counting: what made the result counted last; now: the time in s."""
        if self._choices.target != self._wanted:  # the one before took over
            self.failure = f"{self._wanted.device} failed."
            return Key.QUIT
        if self._began_at is None:
            self._began_at = now
        if self._leaves_at is None and counting == self._wanted:
            self._leaves_at = now + self._seconds
            self._arrive()
        if self._leaves_at is None and now - self._began_at >= GIVE_UP_S:
            self.failure = f"{self._wanted.device} gave no result in {GIVE_UP_S:.0f} s."
            return Key.QUIT
        return Key.QUIT if self._leaves_at is not None and now >= self._leaves_at else None
