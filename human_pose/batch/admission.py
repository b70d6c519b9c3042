"""Which Dask workers may take jobs. Imported only where Dask is used.

A worker gets a resource when it has shown that it is of the same version, with the same model, has the device, and sees
the output folder. Jobs ask for that resource, so other workers get none, and each does one job at a time. Dask asks
workers that join later, too.
"""

import asyncio
from pathlib import Path
from typing import Any

from distributed import WorkerPlugin

from .. import __version__
from ..errors import DemoError, UsageError
from .recipe import Recipe
from .work import check_worker


class Admission(WorkerPlugin):
    """Decides whether a worker may take jobs. refusal: why it was refused; None: it was admitted."""

    idempotent = False  # a run that is started again asks again

    def __init__(self, name: str, recipe: Recipe, threads: int | None, token: Path) -> None:
        """name: of this plugin, and of the resource. token: a file that a worker must see."""
        self.name = name
        self.refusal: str | None = "It was not asked yet."
        self._recipe, self._threads, self._token = recipe, threads, token

    async def setup(self, worker: Any) -> None:
        """Called on each worker: when the run starts, or when it joins."""
        self.refusal = await asyncio.to_thread(self._examine)  # reading a model must not stop the worker's heartbeat
        await worker.set_resources(**{self.name: int(self.refusal is None)})

    async def teardown(self, worker: Any) -> None:
        """Called when the run ends."""
        await worker.set_resources(**{self.name: 0})

    def _examine(self) -> str | None:
        try:
            if not self._token.exists():
                raise UsageError(f"It does not see '{self._token.parent.parent}': mount it there, under this path.")
            check_worker(self._recipe, self._threads)
        except DemoError as error:
            return str(error)
        return None


def version() -> str:
    """Run on the scheduler: which version of the program it has. It loads what jobs are made of, too."""
    return __version__


def refusal(name: str, dask_worker: Any) -> str | None:
    """Run on a worker: why it was refused, None if it was admitted."""
    plugin = dask_worker.plugins.get(name)
    return plugin.refusal if isinstance(plugin, Admission) else "It was not asked yet."
