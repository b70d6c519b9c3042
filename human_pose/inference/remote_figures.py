"""What is measured of a server while it works: the parts of its latency, and the bytes that travel."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from .backend import ServerFigures

RECENT_S = 2.0  # the traffic is averaged over this time
SAMPLE_S = 1.0  # the server is asked for its statistics no more often


class Traffic:
    """The bytes of pictures to a server, and of outputs from it."""

    def __init__(self) -> None:
        self.results = self.sent_bytes = self.received_bytes = 0
        self._recent: deque[tuple[float, int]] = deque()

    def add(self, sent: int, received: int, now: float) -> None:
        """A result came at the time `now`, in s. sent, received: in bytes."""
        self.results += 1
        self.sent_bytes += sent
        self.received_bytes += received
        self._recent.append((now, sent + received))
        while now - self._recent[0][0] > RECENT_S:
            self._recent.popleft()

    def bytes_per_s(self) -> float:
        """Both ways, over the last RECENT_S."""
        since = time.perf_counter() - RECENT_S
        return sum(size for when, size in list(self._recent) if when > since) / RECENT_S


class Served(NamedTuple):
    """What a server's statistics say of a model since it was loaded: requests of all clients, and their time in s."""

    requests: int
    seconds: float


class Parts(NamedTuple):
    """The mean parts of a latency."""

    server_ms: float
    network_ms: float


class LatencyParts:
    """Splits the latency into the time inside the server and the rest, which is the network's.

    A server counts requests and their time, of all its clients. A sample is what was added since the sample before.
    As soon as the server has counted requests of others, no sample counts: their mean is not that of this program's.
    Kept when the server is connected anew. Thread-safe.
    """

    def __init__(self) -> None:
        self.recent: Parts | None = None  # of the last sample
        self._lock = threading.Lock()
        self._tolerance = 0
        self._own = Served(0, 0.0)  # the results that came, and their latency
        self._first: tuple[Served, Served] | None = None  # what the server said first, and `_own` at that time
        self._before: tuple[Served, Served] | None = None  # the same of the last sample
        self._sums = Parts(0.0, 0.0)  # ms, of all results of samples
        self._results = 0

    def connect(self, most_requests: int) -> None:
        """The server is connected anew. most_requests: it may count so many before their results are here."""
        with self._lock:
            self._tolerance = most_requests + 1  # and the check picture
            self._first = self._before = self.recent = None

    def add(self, seconds: float) -> None:
        """A result came. seconds: from sending to it."""
        with self._lock:
            self._own = Served(self._own.requests + 1, self._own.seconds + seconds)

    def sample(self, server: Served) -> None:
        """What the server says at this moment."""
        with self._lock:
            own, self.recent = self._own, None
            if self._first is None or self._before is None or server.requests < self._before[0].requests:
                self._first = self._before = server, own  # or it was started anew
                return
            others = server.requests - self._first[0].requests - (own.requests - self._first[1].requests)
            there, here = (now.requests - then.requests for now, then in zip((server, own), self._before, strict=True))
            if not there or not here or abs(others) > self._tolerance:
                return
            server_ms = 1000 * (server.seconds - self._before[0].seconds) / there
            network_ms = max(0.0, 1000 * (own.seconds - self._before[1].seconds) / here - server_ms)
            self._before = server, own
            self.recent = Parts(server_ms, network_ms)
            self._sums = Parts(self._sums.server_ms + here * server_ms, self._sums.network_ms + here * network_ms)
            self._results += here

    def mean(self) -> Parts | None:
        """Of the results of all samples; None where there is no sample."""
        with self._lock:
            number, (server_ms, network_ms) = self._results, self._sums
        return Parts(server_ms / number, network_ms / number) if number else None


class Sampler:
    """Asks the server for its statistics every SAMPLE_S while results come, in a thread that nobody waits for."""

    def __init__(self, ask: Callable[[], Served | None], take: Callable[[Served], None]) -> None:
        """ask: raises RuntimeError where the server does not answer; None: it does not tell, and is not asked again."""
        self._ask, self._take = ask, take
        self._is_told = True
        self._asking: threading.Thread | None = None
        self._asked_at = 0.0

    def poll(self, now: float) -> None:
        """A result came at the time `now`, in s."""
        is_asking = self._asking is not None and self._asking.is_alive()
        if self._is_told and not is_asking and now - self._asked_at >= SAMPLE_S:
            self._asked_at = now
            self._asking = threading.Thread(target=self.ask, name="server statistics", daemon=True)
            self._asking.start()

    def ask(self) -> None:
        """Ask once."""
        with contextlib.suppress(RuntimeError):  # what the server lacks, its next result will say
            served = self._ask()
            if served is None:
                self._is_told = False
            else:
                self._take(served)


class ServerWatch:
    """What is measured of the server of one device string; kept when it fails and is chosen again."""

    def __init__(self) -> None:
        self.traffic = Traffic()
        self.parts = LatencyParts()

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What the panel tells: names and values."""
        told = [("traffic", f"{self.traffic.bytes_per_s() / 1e6:.1f} MB/s")]
        recent = self.parts.recent
        if recent is not None:
            told.insert(0, ("of latency", f"server {recent.server_ms:.1f} ms, network {recent.network_ms:.1f} ms"))
        return told

    @property
    def figures(self) -> ServerFigures:
        """Over the run so far."""
        mean, traffic = self.parts.mean(), self.traffic
        server_ms, network_ms = mean or (None, None)
        results = max(1, traffic.results)
        return ServerFigures(server_ms, network_ms, traffic.sent_bytes / results, traffic.received_bytes / results)
