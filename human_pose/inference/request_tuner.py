"""How many requests pay: measured while they run, for a device that cannot tell, such as a server."""

WINDOW_RESULTS = 16  # a rate is measured over this many results, and
WINDOW_S = 0.5  # this long at least
PAYS_FROM = 1.05  # more requests must give this times the rate of fewer
AGAIN_AFTER_S = 20.0  # the network or the server may have changed by then


class RequestTuner:
    """Doubles the number of requests in flight as long as that raises the rate of results.

    The search starts over every AGAIN_AFTER_S, from half of what was found.
    """

    def __init__(self, most: int) -> None:
        self.limit = 1
        self._most = most
        self._best_rate, self._best_limit = 0.0, 1
        self.is_searching = most > 1
        self._ignored = 1  # results of requests that began under another limit
        self._since: float | None = None
        self._results = 0
        self._found_at = 0.0

    def add(self, now: float) -> None:
        """Count a result. now: the time in s."""
        if not self.is_searching:
            if self._most > 1 and now - self._found_at > AGAIN_AFTER_S:
                self.is_searching, self._best_rate = True, 0.0
                self._try(max(1, self._best_limit // 2))
            return
        if self._ignored:
            self._ignored -= 1
            self._since = now
            return
        assert self._since is not None
        self._results += 1
        seconds = now - self._since
        if self._results < WINDOW_RESULTS or seconds < WINDOW_S:
            return
        rate = self._results / seconds
        pays = rate > PAYS_FROM * self._best_rate
        if pays:
            self._best_rate, self._best_limit = rate, self.limit
        if pays and self.limit < self._most:
            self._try(min(2 * self.limit, self._most))
        else:
            self._try(self._best_limit)
            self.is_searching, self._found_at = False, now

    def _try(self, limit: int) -> None:
        self._ignored, self._results = max(self.limit, limit), 0
        self.limit = limit
