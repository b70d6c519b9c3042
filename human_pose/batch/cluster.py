"""Many workers, on this machine or on others: a crew that hands its jobs to Dask."""

import contextlib
import importlib
import logging
import queue
import re
import ssl
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..console import say
from ..errors import DemoError, UsageError, first_line
from ..invocation import pip_install
from .crew import Crew
from .jobs import Failed, Job, Result
from .recipe import Recipe, fingerprint
from .work import do

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
CONNECT_S = 10
COUNTED_EVERY = 10  # waits: how often workers are counted and new ones looked at
# Ctrl-C reaches every process of the terminal; only this one answers it, and ends the workers.
IGNORE_INTERRUPTS = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
CONFIGURATION = {
    "distributed.scheduler.allowed-failures": 2,  # a video that ends its worker three times is given up
    "distributed.worker.profile.enabled": False,  # it looks at every stack a hundred times a second
    "distributed.admin.tick.interval": "500ms",
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.nanny.http.routes": [],
    "logging.distributed": "critical",
}


class DaskCrew:
    """The workers of a Dask cluster that were admitted; see `admission`."""

    def __init__(self, client: Any, place: str, stop: Callable[[], bool]) -> None:
        """client: a distributed.Client. place: its scheduler, for messages. stop: whether the user wants to end."""
        self._client, self._place, self._stop = client, place, stop
        self._name = ""
        self._done: queue.SimpleQueue[tuple[Job, Any]] = queue.SimpleQueue()
        self._futures: dict[str, Any] = {}
        self._told: set[str] = set()  # addresses of workers whose refusal was said
        self._waits = self._size = 0

    def admit(self, recipe: Recipe, threads: int | None, token: Path) -> None:
        """Ask every worker. Raises UsageError where none can be used."""
        from .admission import Admission, version

        try:
            found = self._client.run_on_scheduler(version)
        except Exception as error:  # whatever the scheduler could not load
            raise UsageError(f"The scheduler {self._place} cannot take jobs. {_told(error)}") from error
        if found != recipe.version:
            raise UsageError(f"The scheduler {self._place} has version {found} of the program, not {recipe.version}.")
        self._name = f"human-pose-{fingerprint({'recipe': repr(recipe), 'token': str(token)})}"
        with contextlib.suppress(Exception):  # each worker's own reason is read next
            self._client.register_plugin(Admission(self._name, recipe, threads, token))
        self._tell_refusals()
        self._size = len(self._admitted())
        if not self._size:
            why = "has no worker" if not self._workers() else "has no worker that can be used"
            raise UsageError(
                f"The scheduler {self._place} {why}. Start one with: dask worker {self._place} --nthreads 1"
            )

    @property
    def size(self) -> int:
        return self._size

    def _count(self) -> None:
        """Count the workers anew, and say if none is left."""
        size = len(self._admitted())
        if not size and self._size:
            say("No worker is left. The run goes on as soon as one comes; Ctrl-C ends it.")
        self._size = size

    def submit(self, job: Job) -> None:
        self._submit(job, None)

    def submit_again(self, job: Job) -> bool:
        with self._asking():
            idle = self._idle()
        if idle:
            self._submit(job, idle)
        return bool(idle)

    def _submit(self, job: Job, workers: list[str] | None) -> None:
        """workers: the addresses of those that may do it; None: all that were admitted."""
        key = f"{type(job).__name__.lower()}-{uuid.uuid4().hex}"
        future = self._client.submit(do, job, key=key, pure=False, resources={self._name: 1}, workers=workers)
        self._futures[key] = future  # Dask cancels what nobody holds
        future.add_done_callback(lambda done: self._done.put((job, done)))

    def wait(self, timeout_s: float) -> list[tuple[Job, Result]]:
        self._waits += 1
        if self._stop():
            raise KeyboardInterrupt
        results = []
        with self._asking():
            if self._waits % COUNTED_EVERY == 0:
                self._count()
                self._tell_refusals()
            with contextlib.suppress(queue.Empty):
                job, future = self._done.get(timeout=timeout_s)
                results.append((job, self._result(job, future)))
                while True:
                    job, future = self._done.get_nowait()
                    results.append((job, self._result(job, future)))
        if self._client.status != "running":
            raise self._gone()
        return results

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """A question to the scheduler may be open when it dies; the client's state changes only later."""
        try:
            yield
        except OSError as error:  # a closed connection, or no answer in time
            raise self._gone() from error

    def _result(self, job: Job, future: Any) -> Result:
        self._futures.pop(future.key, None)
        if future.status in ("cancelled", "lost"):
            raise self._gone()
        error = future.exception()
        if error is None:
            result: Result = future.result()
            return result
        if type(error).__name__ == "KilledWorker":
            return Failed(f"'{job.task.video.address}' ended its worker three times. Look at that file, or at memory.")
        return Failed(f"'{job.task.video.address}': {type(error).__name__}: {first_line(error)}")

    def _gone(self) -> DemoError:
        return DemoError(
            f"The scheduler {self._place} is gone. Start it and its workers, and then the same command again: "
            "what is done is kept."
        )

    def _workers(self) -> dict[str, Any]:
        workers: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        return workers

    def _admitted(self) -> list[str]:
        return [address for address, facts in self._workers().items() if facts.get("resources", {}).get(self._name)]

    def _idle(self) -> list[str]:
        busy = {address for address, keys in self._client.processing().items() if keys}
        return [address for address in self._admitted() if address not in busy]

    def _tell_refusals(self) -> None:
        """Say once of each worker that was refused why."""
        from .admission import refusal

        new = [address for address in self._workers() if address not in {*self._told, *self._admitted()}]
        if not new:
            return
        reasons = self._client.run(refusal, self._name, workers=new, on_error="return")
        for address, reason in reasons.items():
            if reason is not None:
                self._told.add(address)
                say(f"The worker {address} is refused. {_told(reason)}")


def _told(reason: Any) -> str:
    """What to say of an exception on another machine, or of a text."""
    if isinstance(reason, str):
        return reason
    if "No module named" in str(reason):
        return f"This program is not installed there ({first_line(reason)}): {pip_install('batch')}"
    return f"{type(reason).__name__}: {first_line(reason)}"


def _dask(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(f"--workers and --scheduler need {error.name or 'Dask'}: {pip_install('batch')}") from error


@contextlib.contextmanager
def local_crew(
    workers: int, threads: int | None, recipe: Recipe, token: Path, stop: Callable[[], bool]
) -> Iterator[Crew]:
    """Worker processes on this machine, each with its share of the cores, which nobody else can reach.

    They listen on the loopback interface, and encryption with a key that only this run has keeps other users of this
    machine from sending them code. A worker that dies is replaced.
    """
    distributed = _dask("distributed")
    _dask("cryptography")
    with contextlib.ExitStack() as stack:
        stack.enter_context(importlib.import_module("dask").config.set(CONFIGURATION))
        _silence()
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="human-pose-", ignore_cleanup_errors=True))
        security = distributed.Security.temporary()
        cluster = stack.enter_context(
            distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", protocol="tls://",
                security=security, dashboard_address="127.0.0.1:0", worker_dashboard_address=None, memory_limit=0,
                local_directory=folder, silence_logs=logging.CRITICAL, preload=IGNORE_INTERRUPTS,
            )
        )  # fmt: skip
        client = stack.enter_context(distributed.Client(cluster, security=security))
        crew = DaskCrew(client, "of this run", stop)
        crew.admit(recipe, threads, token)
        yield crew


@contextlib.contextmanager
def remote_crew(
    address: str, tls: Sequence[Path] | None, threads: int | None, recipe: Recipe, token: Path, stop: Callable[[], bool]
) -> Iterator[Crew]:
    """The workers of a scheduler that is running. tls: files of the CA, the certificate and the key, for tls://.

    Raises UsageError where there is no such scheduler.
    """
    distributed = _dask("distributed")
    if "://" not in address:
        address = f"tcp://{address}"
    if not re.fullmatch(r"(tcp|tls)://\S+:\d+", address):
        raise UsageError(f"'{address}' is not the address of a scheduler. Give host:8786 or tls://host:8786.")
    security = None
    if address.startswith("tls://") and tls is None:
        raise UsageError(f"{address} needs certificates: add --tls CA.pem CERTIFICATE.pem KEY.pem.")
    if tls is not None:
        for path in tls:
            if not path.is_file():
                raise UsageError(f"Cannot read '{path}': no such file. Give --tls CA.pem CERTIFICATE.pem KEY.pem.")
        ca, certificate, key = map(str, tls)
        security = distributed.Security(
            tls_ca_file=ca, tls_client_cert=certificate, tls_client_key=key, require_encryption=True
        )
    elif address.startswith("tcp://") and not address.removeprefix("tcp://").startswith(LOOPBACK):
        say(f"{address} is not encrypted: whoever reaches its port can run programs on its workers. See docs/batch.md.")
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            importlib.import_module("dask").config.set(
                {"distributed.comm.timeouts.connect": f"{CONNECT_S}s", "logging.distributed": "critical"}
            )
        )
        _silence()
        try:
            client = stack.enter_context(
                distributed.Client(address, security=security, timeout=CONNECT_S, set_as_default=False)
            )
        except ssl.SSLError as error:
            raise UsageError(f"Cannot use the files of --tls for {address}: {first_line(error)}.") from error
        except (OSError, ValueError, TimeoutError, RuntimeError, TypeError) as error:
            raise UsageError(
                f"Cannot reach the scheduler {address}: {first_line(error)}. Start it with: dask scheduler"
            ) from error
        crew = DaskCrew(client, address, stop)
        crew.admit(recipe, threads, token)
        yield crew


def _silence() -> None:
    """Dask logs what this program says in one line of its own."""
    for name in ("distributed", "tornado", "asyncio", *logging.root.manager.loggerDict):
        if name.split(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
