"""The other ways to run, --race and --kiosk, and what they share with the demo's own."""

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from ..console import print_result, say
from ..errors import DemoError, UsageError
from ..inference.backends import check_device
from ..inference.devices import open_core
from ..media.capture import open_capture
from ..media.encoder import VIDEO_SUFFIXES
from ..media.writer import open_writer
from ..output_log import OutputLog
from ..zoo.resolve import executable_precisions
from .ending import DisplayWatch, Ending
from .kiosk import Kiosk
from .kiosk_memory import limit_arenas
from .kiosk_stops import Itinerary, default_stops, devices_to_show, stops_of
from .kiosk_window import KioskWindow
from .networks import Networks, open_networks, start_of
from .output_checks import check_outputs
from .race import RACE_S, Race, pair_of
from .race_show import VIDEO_FPS, show_race
from .report import profile_table, report, table, write_report
from .screen import why_no_window
from .statistics import RunStatistics
from .window import open_window


def hold_race(options: argparse.Namespace, ending: Ending, written: OutputLog) -> int:
    """A run with --race. Returns its exit code."""
    core = open_core(options.plugins)
    check_outputs(options)
    start = start_of(options)
    pair = pair_of(options.race, start)
    for configuration in pair:
        check_device(core, configuration.device)
    if options.keypoints or options.visits:
        raise UsageError("A race writes only -o and --report. Leave --keypoints and --visits out.")
    if options.output and not options.output.lower().endswith(VIDEO_SUFFIXES):
        raise UsageError(f"A race is written as a video, not to '{options.output}'. Give a name that ends in .mp4.")
    with ExitStack() as stack:
        capture = open_capture(options.input, options.loop, options.realtime)
        capture.loops |= not capture.source.is_live
        source = replace(capture.source, fps=VIDEO_FPS)  # the output runs in real time
        writer = stack.enter_context(open_writer(options.output, source, written, loops=True))
        stack.enter_context(capture)
        networks = open_networks(options, core, start, capture, written)
        race = Race(pair, networks, capture.first_image, options.smoothing)
        has_window = wants_window(options)
        window = stack.enter_context(open_window("Human pose estimation", has_window))
        ending.protect()
        seconds = None if has_window or options.frames else RACE_S
        show_race(race, capture, window, writer, options.display_fps, options.frames, seconds)
        print_result(race.table())
        if options.report is not None:
            write_report(options.report, {"race": race.report()}, written)
    return 1 if capture.has_broken_off else 0


def exhibit(options: argparse.Namespace, ending: Ending, written: OutputLog, run: Callable[..., None]) -> int:
    """A run with --kiosk, until somebody ends it. run: the loop of the demo. Returns its exit code."""
    limit_arenas()
    core = open_core(options.plugins)
    check_outputs(options)
    start = start_of(options)
    if (reason := why_no_window()) is not None:
        raise DemoError(f"--kiosk needs a window, and none can be opened: {reason}.")
    stops = stops_of(options.kiosk, start, core)
    devices = [] if stops else devices_to_show(core, options.devices)
    itinerary = Itinerary(stops or default_stops(start, devices, executable_precisions(start.model)))
    statistics = RunStatistics()
    with ExitStack() as stack:
        files = stack.enter_context(ExitStack())  # closed however the run ends
        stack.enter_context(DisplayWatch(lambda: close_at_once(files, written)))
        window = KioskWindow("Human pose estimation")
        stack.enter_context(window)
        kiosk = Kiosk(itinerary, options, core, start, window, statistics, written, run)

        def summarize() -> None:
            if kiosk.networks is None or kiosk.capture is None:
                return  # the source was never there
            print_averages(statistics, kiosk.networks, options)
            if options.report is not None and kiosk.show is not None:
                content = report(core, kiosk.networks, start, kiosk.capture, kiosk.show.estimator, statistics)
                write_report(options.report, content, written)

        files.callback(summarize)
        ending.protect()
        kiosk.go_round()
    return 0


def print_averages(statistics: RunStatistics, networks: Networks, options: argparse.Namespace) -> None:
    """The table of what was used, with --profile also that of the stages; nothing where there was no result."""
    if statistics.frames:
        print_result(table(statistics, networks))
    if options.profile and statistics.frames:
        print_result(profile_table(statistics.profile))


def close_at_once(files: ExitStack, written: OutputLog) -> None:
    """Close the output files; the window is already gone."""
    files.close()
    for line in written.lines:
        print_result(line)


def wants_window(options: argparse.Namespace) -> bool:
    """Whether to open a window. Prints one line if no window can be opened."""
    if not options.show:
        return False
    reason = why_no_window()
    if reason is not None:
        say(f"No window, because {reason}: running without one, as with --no-show.")
    return reason is None
