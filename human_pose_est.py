#!/usr/bin/env python3
"""Draw skeletons on the people in a video. TAB moves the network to another device while you watch."""

import os
import signal
import sys

if __name__ == "__main__":  # nothing is open yet: Ctrl-C simply ends the process
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

import argparse
import time
import traceback
from contextlib import ExitStack

from human_pose.errors import DemoError, UsageError, explain_import_error

try:
    from human_pose.command import remote_settings
    from human_pose.console import (
        ProgressLine,
        StopRequest,
        print_result,
        run_progress,
        say,
        set_up_terminal,
    )
    from human_pose.demo.choices import Choices
    from human_pose.demo.device_table import list_devices
    from human_pose.demo.ending import DisplayWatch, Ending, guarded
    from human_pose.demo.modes import close_at_once, exhibit, hold_race, print_averages, wants_window
    from human_pose.demo.networks import Networks, best_of, open_networks, start_of
    from human_pose.demo.options import parse_options
    from human_pose.demo.output_checks import check_outputs
    from human_pose.demo.people import People
    from human_pose.demo.race import Race
    from human_pose.demo.report import report, write_report
    from human_pose.demo.returns import Returns
    from human_pose.demo.statistics import RunStatistics
    from human_pose.demo.stay import Stay
    from human_pose.demo.tour import Tour
    from human_pose.demo.viewer import Viewer
    from human_pose.demo.window import Key, open_window
    from human_pose.inference.backends import waits_for
    from human_pose.inference.cache import note_late_files
    from human_pose.inference.configuration import Configuration
    from human_pose.inference.devices import open_core
    from human_pose.inference.estimator import Estimator
    from human_pose.media.capture import Capture, open_capture
    from human_pose.media.writer import open_writer
    from human_pose.output_log import OutputLog
    from human_pose.poses.keypoint_files import KeypointWriter, open_keypoint_writer
    from human_pose.tracking.visit_files import open_visit_writer
except ImportError as import_error:
    sys.exit(f"error: {explain_import_error(import_error)}")


def run(
    capture: Capture,
    estimator: Estimator,
    networks: Networks,
    people: People,
    choices: Choices,
    viewer: Viewer,
    keypoints: KeypointWriter,
    statistics: RunStatistics,
    options: argparse.Namespace,
    tour: Tour | Stay | None = None,
) -> None:
    """The loop: collect the oldest result, keep its request busy with the next frame, show the result, poll a key.

    tour: presses keys; None: that of --tour.
    """
    progress = ProgressLine()
    tour = tour or Tour(choices, options.tour)
    read = statistics.profile.timed("wait", capture.read)
    find_poses = statistics.profile.timed("decode", networks.decode)
    follow = statistics.profile.timed("track", people.see)
    started_at = time.perf_counter()
    rival: Configuration | None = None  # a race with it begins when nothing is in flight
    capture.hold(False)
    with StopRequest() as stop, Returns(remote_settings(options)) as returns:
        while not stop:
            wants_frames = estimator.submitted != options.frames and not viewer.is_paused and rival is None
            inference = estimator.step(read if wants_frames else None)  # the oldest; the next frame is on its way
            if inference is not None:
                poses = find_poses(inference)
                seen = follow(inference.frame, poses)
                statistics.add(
                    inference.compiled,
                    inference.latency_ms,
                    time.perf_counter(),
                    inference.while_switching,
                    inference.settled_at,
                )
                viewer.show(inference, seen)
                keypoints.write(inference.frame, inference.compiled.device, seen.poses)
                statistics.end_frame(inference.frame.captured_at, inference.frame.read_ms, time.perf_counter())
                if not viewer.has_window and progress.is_due:
                    elapsed_s = time.perf_counter() - started_at
                    progress.show(run_progress(statistics.frames, capture.frame_count, options.frames, elapsed_s))
            for configuration, failure in estimator.take_failures():
                viewer.notice(str(failure))
                if configuration != estimator.target:  # else it is waited for
                    choices.mark_failed(configuration, back_to=estimator.target)
                    returns.watch(failure)
            for returned in returns.take():
                if choices.mark_returned(returned):
                    viewer.notice(f"{returned} is back: TAB offers it again.")

            is_over = estimator.is_idle and (capture.is_over or estimator.submitted == options.frames)
            if is_over and not viewer.keeps_picture and not viewer.is_paused:
                break
            key = viewer.poll_key(stands_still=estimator.is_idle and (is_over or viewer.is_paused))
            key = key or tour.key(statistics.counting, time.perf_counter())
            if key is Key.QUIT:
                break
            if key is Key.PAUSE:
                viewer.is_paused = not viewer.is_paused
                capture.hold(viewer.is_paused)
                statistics.pause(viewer.is_paused)
            elif key is Key.RACE:
                rival = rival_of(choices, statistics, viewer, options)
            elif (wanted := pressed(key, choices, viewer)) is not None:
                switch(wanted, estimator, statistics)
            if rival is not None and estimator.is_idle:
                statistics.pause(True)
                key = race_against(rival, choices.target, networks, capture, viewer)
                statistics.pause(viewer.is_paused)
                rival = None
                if key is Key.QUIT:
                    break
    progress.clear()


def rival_of(
    choices: Choices, statistics: RunStatistics, viewer: Viewer, options: argparse.Namespace
) -> Configuration | None:
    """The configuration to race against, the one used before. If there is none, or it cannot be, the panel says why."""
    if options.output or options.keypoints or options.visits:
        viewer.notice("No race while a file is written: it would lack these frames. Give --race A B -o FILE.")
    elif choices.before not in statistics.used or choices.before == choices.target:
        viewer.notice("A race needs two configurations: press TAB, F, T, + or N first, and then R.")
    else:
        return choices.before
    return None


def race_against(
    rival: Configuration, present: Configuration, networks: Networks, capture: Capture, viewer: Viewer
) -> Key | None:
    """Race in the window until R, or a key to quit, which is returned."""
    try:
        race = Race((rival, present), networks, capture.first_image)
        key = viewer.race(race)
    except DemoError as error:
        viewer.notice(str(error))
        return None
    if race.verdict():
        viewer.notice(race.verdict())
    return key


def pressed(key: Key | int | None, choices: Choices, viewer: Viewer) -> Configuration | None:
    """What a key leads to. Where there is no best of this machine, the panel says why."""
    try:
        return choices.press(key)
    except UsageError as error:
        viewer.notice(str(error))
        return None


def switch(wanted: Configuration, estimator: Estimator, statistics: RunStatistics) -> None:
    """Move to a configuration as soon as its network is compiled."""
    if wanted != estimator.configuration:
        statistics.ask_for_switch(wanted, time.perf_counter())
    estimator.switch(wanted)


def main(arguments: list[str] | None = None) -> int:
    """Set everything up, run the loop, print the averages, name the files written. Returns the exit code.

    arguments: None reads the command line. Then the process ends here, and signals are ignored from now on.
    """
    set_up_terminal()
    options = parse_options(arguments, __doc__)
    ending, written = Ending(), OutputLog()
    if options.kiosk is not None:
        exit_code = guarded(lambda: exhibit(options, ending, written, run))
    else:
        exit_code = guarded(lambda: (hold_race if options.race else demonstrate)(options, ending, written))
    for line in written.lines:
        print_result(line)
    if arguments is None:
        ending.ignore_signals()
    else:
        ending.restore_signals()
    return exit_code or int(written.has_failed)


def demonstrate(options: argparse.Namespace, ending: Ending, written: OutputLog) -> int:
    """One run, from the options to the closed files. Returns its exit code. Raises DemoError, or OSError for a path."""
    statistics = RunStatistics()
    statistics.profile.mark("imports")
    core = open_core(options.plugins)
    if options.list_devices:
        print_result(list_devices(core))
        return 0
    check_outputs(options)
    best = best_of(options, core)
    start = start_of(options, best)
    choices = Choices(core, start, options.devices)
    if (options.affinity_map or options.affinity != "auto") and "HETERO" not in " ".join(choices.devices):
        say("--affinity and --affinity-map are for HETERO, which is not among the devices.")
    with ExitStack() as stack:
        capture = open_capture(options.input, options.loop, options.realtime)
        capture.loops |= options.tour is not None and not capture.source.is_live
        writer = open_writer(options.output, capture.source, written, capture.loops)
        keypoints = open_keypoint_writer(options.keypoints, capture.source, written)
        visits = open_visit_writer(options.visits, capture.source, written)
        people = People(visits, options.visit_gap, options.gate, options.smoothing)
        stack.enter_context(capture)
        capture.hold(True)  # until the loop wants frames
        choices.offer = networks = open_networks(options, core, start, capture, written, best)
        statistics.profile.mark("source and model")
        estimator = Estimator(
            networks,
            start,
            capture.first_image,
            statistics.profile,
            is_live=capture.keeps_newest,
            waits=False,
            waits_for=lambda device: waits_for(device, remote_settings(options)),
        )
        stack.callback(estimator.abandon)

        def summarize() -> None:
            print_averages(statistics, networks, options)
            if capture.dropped:
                print_result(f"Dropped: {capture.dropped} frames that came while every request was busy.")
            if estimator.late:
                print_result(f"Late: {estimator.late} frames whose results would have held up newer ones.")
            if options.report is not None:
                content = report(core, networks, start, capture, estimator, statistics)
                write_report(options.report, content, written)

        files = stack.enter_context(ExitStack())  # closed however the run ends
        files.enter_context(writer)
        files.enter_context(keypoints)
        files.enter_context(visits)
        files.enter_context(people)
        files.callback(summarize)
        has_window = wants_window(options)
        if has_window:
            stack.enter_context(DisplayWatch(lambda: close_at_once(files, written)))
        window = stack.enter_context(open_window("Human pose estimation", has_window))
        viewer = Viewer(
            window, writer, networks, estimator, capture, choices, statistics, options.display_fps, options.panel,
            options.colours == "person", options.work,
        )  # fmt: skip
        ending.protect()
        run(capture, estimator, networks, people, choices, viewer, keypoints, statistics, options)
    return 1 if capture.has_broken_off else 0


def program() -> None:
    """The console command: prints the traceback of an unexpected error and ends the process."""
    try:
        exit_code = main()
    except Exception:
        traceback.print_exc()
        exit_code = 1
    note_late_files()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)  # all files are closed; shutting down a device that is still busy could take forever


if __name__ == "__main__":
    program()
