#!/usr/bin/env python3
"""Skeletons on the people of a video, the network on the device of your choice: TAB switches it while you watch."""

import argparse
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from human_pose.errors import DemoError, explain_import_error

os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # what goes wrong is said here, in one line
try:
    import openvino as ov

    from human_pose.capture import Capture, open_capture
    from human_pose.catalog import CATALOG, DEFAULT_MODEL, PRECISIONS
    from human_pose.decode import DEFAULT_THRESHOLD, decode
    from human_pose.devices import DeviceCycle, DeviceError, check_device, set_precision
    from human_pose.files import check_writable
    from human_pose.inference import Estimator, network_input_size
    from human_pose.models import CELL_PIXELS, choose_model, load_network
    from human_pose.report import report, table, write_report
    from human_pose.stats import RunStatistics
    from human_pose.terminal import ProgressLine, StopRequest, print_result, run_progress, say
    from human_pose.viewer import Viewer
    from human_pose.window import Key, open_window, why_no_window
    from human_pose.writer import open_writer
except ImportError as import_error:
    sys.exit(f"error: {explain_import_error(import_error)}")

BUNDLED_VIDEO = Path(__file__).resolve().parent / "videos" / "park.mp4"
MOST_HEIGHT = 2048  # of the network's input; more would ask for memory that few have
KEY_HELP = """keys in the window:
  TAB       run the network on the next device
  SPACE     pause and go on
  H         hide or show the panel
  S         save the picture as PNG
  ESC or Q  quit and print the averages
"""


def run(
    capture: Capture,
    estimator: Estimator,
    devices: DeviceCycle,
    viewer: Viewer,
    statistics: RunStatistics,
    threshold: float,
    frame_limit: int | None,
) -> None:
    """The loop: submit a frame while a request is idle, collect the oldest result, show it, look for a key."""
    progress = ProgressLine()
    started_at = time.perf_counter()
    submitted = 0
    with StopRequest() as stop:
        while not stop:
            frame = None
            if estimator.has_idle_request and submitted != frame_limit and not viewer.is_paused:
                frame = capture.read(wait_s=0.02 if estimator.is_idle else 0)
            if frame is not None:
                estimator.submit(frame)
                submitted += 1

            inference = estimator.collect(wait=frame is None)  # the oldest first
            if inference is not None:
                poses = decode(inference.heatmaps, inference.pafs, inference.pixels_per_cell, threshold)
                device = statistics.add(inference.compiled, inference.latency_ms, time.perf_counter())
                viewer.show(inference, poses, device)
                if not viewer.has_window and progress.is_due:
                    elapsed_s = time.perf_counter() - started_at
                    progress.show(run_progress(statistics.frames, frame_limit or capture.frame_count, elapsed_s))

            is_over = estimator.is_idle and (capture.is_over or submitted == frame_limit)
            if is_over and not viewer.keeps_picture:
                break
            match viewer.poll_key(stands_still=estimator.is_idle and (is_over or viewer.is_paused)):
                case Key.QUIT:
                    break
                case Key.NEXT_DEVICE:
                    estimator.switch(devices.next())
                case Key.PAUSE:
                    viewer.is_paused = not viewer.is_paused
                    statistics.interrupt()
            try:
                estimator.finish_switch()
            except DeviceError as error:
                devices.remove(error.device, back_to=estimator.compiled.device)
                viewer.notice(str(error))
    progress.clear()


def main(arguments: list[str] | None = None) -> int:
    """Set everything up, run the loop, print the averages. Returns the exit code."""
    options = parse_options(arguments)
    statistics = RunStatistics()
    try:
        if options.report is not None:
            check_writable(options.report)
        core = ov.Core()
        check_device(core, options.device)
        with ExitStack() as stack:
            capture = open_capture(options.input, options.loop, options.realtime)
            writer = open_writer(options.output, capture.source)
            network = load_network(core, choose_model(options.model, options.precision))
            set_precision(core, network.file.precision)
            stack.enter_context(capture)
            network.reshape(*network_input_size(capture.frame_size, options.height or network.own_height))
            estimator = Estimator(core, network, options.device)
            stack.enter_context(writer)
            window = stack.enter_context(open_window("Human pose estimation", wants_window(options)))
            viewer = Viewer(window, writer, network, estimator, capture)
            devices = DeviceCycle(core, options.device)
            try:
                run(capture, estimator, devices, viewer, statistics, options.threshold, options.frames)
            finally:
                if statistics.frames:
                    print_result(table(statistics))
                if capture.dropped:
                    print_result(f"Dropped: {capture.dropped} frames that came while every request was busy.")
                if options.report is not None:
                    write_report(options.report, report(core, network, capture, statistics))
    except DemoError as error:
        say(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 0


def wants_window(options: argparse.Namespace) -> bool:
    """Whether to open a window; says so if there can be none."""
    if not options.show:
        return False
    reason = why_no_window()
    if reason is not None:
        say(f"No window, because {reason}: running without one, as with --no-show.")
    return reason is None


class OptionParser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}. See --help.\n")


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line, checked for themselves."""
    parser = OptionParser(
        description=__doc__, epilog=KEY_HELP, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add(
        "-i",
        "--input",
        default=str(BUNDLED_VIDEO),
        metavar="SOURCE",
        help="video file, image, folder of images, webcam index (0) or stream URL; default: the video in videos/",
    )
    add("-m", "--model", help=f"{' or '.join(CATALOG)}, or the path of an IR's .xml; default: {DEFAULT_MODEL}")
    add("-p", "--precision", choices=PRECISIONS, help="default: FP16; for the path of a quantized IR, FP16-INT8")
    add(
        "-d",
        "--device",
        default="CPU",
        help="the device to start on: CPU, GPU, NPU, AUTO, MULTI:GPU,CPU, HETERO:GPU,CPU, ...; default: CPU",
    )
    add(
        "-o",
        "--output",
        metavar="FILE",
        help="write the annotated video here; for images, an image, or a folder for the images",
    )
    add("--no-show", dest="show", action="store_false", help="open no window")
    add("--loop", action="store_true", help="start the source over at its end")
    add(
        "--realtime",
        action="store_true",
        help="play a file by its own clock and drop the frames that come too fast, like a camera",
    )
    add("--frames", type=frame_number, metavar="N", help="stop after N frames")
    add(
        "--height",
        type=input_height,
        metavar="H",
        help="the network's input height, a multiple of 8; the width follows the frame; default: the model's own",
    )
    add(
        "--threshold",
        type=score,
        default=DEFAULT_THRESHOLD,
        metavar="T",
        help="least score of a keypoint, 0 to 1; default: %(default)s",
    )
    add("--report", type=Path, metavar="FILE", help="write the averages to this file as JSON, too")
    return parser.parse_args(arguments)


def frame_number(text: str) -> int:
    """A number of frames, 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of frames; give 1 or more")
    return int(text)


def input_height(text: str) -> int:
    """A height that the network can work with."""
    if not text.isdecimal() or not CELL_PIXELS <= int(text) <= MOST_HEIGHT or int(text) % CELL_PIXELS:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no multiple of {CELL_PIXELS} from {CELL_PIXELS} to {MOST_HEIGHT}; give 256 or 368, say"
        )
    return int(text)


def score(text: str) -> float:
    """A score of a keypoint."""
    try:
        if 0 <= float(text) <= 1:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"'{text}' is no score; give a number from 0 to 1")


if __name__ == "__main__":
    sys.exit(main())
