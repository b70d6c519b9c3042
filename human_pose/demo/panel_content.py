"""What the panel shows at this moment: its open parts, the figures, and recent events."""

import time
from collections.abc import Callable, Sequence

from ..inference.backend import Inference
from ..inference.configuration import Configuration, labels
from ..inference.estimator import Estimator
from ..media.capture import Capture
from .choices import Choices
from .networks import Networks
from .panel import (
    Block,
    Style,
    Text,
    comparison,
    details,
    device_figures,
    device_list,
    key_list,
    network_figures,
    picture_figures,
    profile_table,
    switch_note,
)
from .people import Seen
from .statistics import RunStatistics
from .window import Key

PARTS = (Key.PANEL, Key.DETAILS, Key.COMPARE, Key.PROFILE)  # the parts that a key opens and closes
FIGURES_S = 0.25  # how long figures stay unchanged, so that they can be read
NOTICE_S = 4.0  # how long a notice stays, and the list of devices after a switch
KEYS_S = 8.0  # how long the list of keys stays at the start

Result = tuple[Inference, Seen]
Blocks = tuple[Block, ...]


class PanelContent:
    """Collects the blocks of the panel, for the window and for the output."""

    def __init__(
        self,
        networks: Networks,
        estimator: Estimator,
        capture: Capture,
        choices: Choices,
        statistics: RunStatistics,
        has_panel: bool,
        painted_fps: Callable[[], float | None],
        has_lists: bool = True,
    ) -> None:
        """has_panel: whether the output has a panel, and at the start the window; painted_fps: the window's rate.

        has_lists: whether the window's panel has the keys and the devices.
        """
        self._has_lists = has_lists
        self._networks, self._estimator, self._capture = networks, estimator, capture
        self._choices, self._statistics = choices, statistics
        self._painted_fps = painted_fps
        self._is_single_image = capture.frame_count == 1
        self._output_has_panel = has_panel and not self._is_single_image
        self._is_open = dict.fromkeys(PARTS, False) | {Key.PANEL: has_panel}
        self._notice = ""
        self._notice_until = self._list_until = 0.0
        self._keys_until: float | None = None
        self._figures: tuple[Blocks, Blocks] = (), ()
        self._figures_of: Configuration | None = None
        self._figures_until = 0.0

    def close_tables(self) -> None:
        """Leave of the parts only the panel itself."""
        self._is_open |= dict.fromkeys(PARTS[1:], False)
        self._figures_of = None

    def toggle(self, part: Key) -> None:
        """Open or close one of PARTS."""
        self._is_open[part] = not self._is_open[part]
        self._figures_of = None

    def notice(self, text: str) -> None:
        """Show a message for NOTICE_S."""
        self._notice, self._notice_until = text, time.perf_counter() + NOTICE_S

    def of_output(self, result: Result) -> Blocks:
        """The panel of a picture in the output: the figures, without notices, devices and keys."""
        if not self._output_has_panel or not self._is_open[Key.PANEL]:
            return ()
        first, tables = self._figures_now(result)
        return first + tables

    def of_window(self, result: Result | None, is_paused: bool) -> Blocks:
        """The panel of the window. result: the one in the picture; None before the first."""
        compiling = self._estimator.compiling
        if not self._is_open[Key.PANEL] or (result is None and compiling is None):
            return ()
        now = time.perf_counter()
        first: Blocks
        if result is not None:
            shown = result[0].compiled.configuration
            first, tables = self._figures_now(result)
            self._keys_until = self._keys_until or now + KEYS_S
        else:
            assert compiling is not None
            shown, first, tables = None, (Text(compiling[0].device, Style.TITLE),), ()
        target = self._choices.target
        shown_name, target_name = self._names([shown or target, target])
        news = switch_note(None if shown is None else shown_name, target_name, compiling and compiling[1])
        if now < self._notice_until:
            news.append(Text(self._notice, Style.NOTE))
        if is_paused:
            news.append(Text("paused", Style.NOTE))
        if shown is None or shown.device != target.device:
            self._list_until = now + NOTICE_S
        has_keys = self._keys_until is None or now < self._keys_until or self._is_open[Key.DETAILS]
        lists: list[Block] = []
        if self._has_lists and (has_keys or now < self._list_until):
            lists.append(device_list(self._choices.devices, (shown or target).device, self._choices.failed_devices))
        if self._has_lists and has_keys:
            lists.append(key_list())
        return (*first, *news, *tables, *lists)

    def _figures_now(self, result: Result) -> tuple[Blocks, Blocks]:
        """The headline and the tables of a result; the figures of its device stay unchanged for FIGURES_S."""
        inference, seen = result
        now, configuration = time.perf_counter(), inference.compiled.configuration
        if now >= self._figures_until or configuration != self._figures_of:
            self._figures_until, self._figures_of = now + FIGURES_S, configuration
            statistics = None if self._is_single_image else self._statistics.used[configuration]
            self._figures = tuple(device_figures(inference.compiled, statistics)), self._tables(inference)
        first, tables = self._figures
        people = picture_figures(len(seen.shown), seen.notes, self._capture.dropped)
        file = self._networks.network(configuration).file
        several = len({used.model for used in self._statistics.used}) > 1
        note = self._networks.note(configuration)
        network = network_figures(file, configuration.hint, inference.input_size, several, note)
        return (*first, *people, *network), tables

    def _names(self, configurations: Sequence[Configuration]) -> list[str]:
        """Short names that tell the configurations apart."""
        return labels([self._networks.shown(configuration) for configuration in configurations])

    def _tables(self, inference: Inference) -> Blocks:
        """The tables of the open parts."""
        blocks: list[Block] = []
        if self._is_open[Key.DETAILS]:
            configuration = inference.compiled.configuration
            statistics = self._statistics.used[configuration]
            blocks.append(details(self._networks.network(configuration), inference, statistics, self._painted_fps()))
        if self._is_open[Key.PROFILE]:
            blocks.append(profile_table(self._statistics.profile.recent_ms()))
        if self._is_open[Key.COMPARE]:
            used = self._statistics.used
            blocks.append(comparison(list(used.values()), self._names(list(used))))
        return tuple(blocks)
