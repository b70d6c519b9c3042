"""Who does the jobs: the contract, and the crew of one, this process."""

import contextlib
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from .jobs import Job, Result
from .work import do


class Crew(Protocol):
    """Does jobs, each at least once. Use it as a context manager."""

    @property
    def size(self) -> int:
        """How many jobs it can do at once, now."""
        ...

    def submit(self, job: Job) -> None:
        """Take a job."""
        ...

    def submit_again(self, job: Job) -> bool:
        """Have an idle worker do a job that is in flight. Returns False where no worker is idle."""
        ...

    def wait(self, timeout_s: float) -> list[tuple[Job, Result]]:
        """The jobs that were done since the last call, at least one unless timeout_s pass. Raises DemoError."""
        ...


class LocalCrew(contextlib.AbstractContextManager["LocalCrew"]):
    """A crew of one: this process does one job after the other, with all cores."""

    size = 1

    def __init__(self, on_frame: Callable[[], None]) -> None:
        self._jobs: deque[Job] = deque()
        self._on_frame = on_frame

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def submit(self, job: Job) -> None:
        self._jobs.append(job)

    def submit_again(self, job: Job) -> bool:
        return False

    def wait(self, timeout_s: float) -> list[tuple[Job, Result]]:
        job = self._jobs.popleft()
        return [(job, do(job, self._on_frame))]
