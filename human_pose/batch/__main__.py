"""Find the poses in many videos: a file of poses for each, on one machine or many.

python -m human_pose.batch INPUT... --output DIR

What is done is not done again: after an interruption, start the same command once more. Exit code 0 if all videos are
done, 1 if some failed, 2 for wrong use.
"""

import argparse
import contextlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import explain_import_error

try:
    from ..command import MODEL_HELP, PRECISION_HELP, SIZE_HELP, OptionParser, count, input_size, score, seconds
    from ..console import StopRequest, print_result, run_command, say, set_up_terminal
    from ..invocation import as_typed, command
    from ..zoo.catalog import CATALOG, DEFAULT_MODEL, PRECISIONS
    from .cluster import local_crew, remote_crew
    from .coordinator import Coordinator, Outcome
    from .crew import Crew, LocalCrew
    from .inputs import find_videos
    from .ledger import Ledger
    from .progress import Progress
    from .recipe import Recipe
    from .tables import check_parquet, has_parquet
    from .work import estimator_for, own_cores
except ImportError as import_error:
    sys.exit(f"error: {explain_import_error(import_error)}")

PIECE_S = 60.0
MAX_WORKERS = 256
LISTED = 40  # a longer summary lists only the videos with a problem


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = OptionParser(
        prog=command("batch"),
        description=as_typed(__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # fmt: off
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT",
        help="a video, a folder (with its subfolders), a pattern in quotes ('in/**/*.mp4'), @list.txt with one a line, "
             "or an address: http(s), and s3://, gs://, ... through fsspec")
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="the folder for the results")
    add("--format", choices=("parquet", "jsonl"),
        help="of the poses; jsonl is what the demo's --keypoints writes; default: parquet where pyarrow is installed")
    add("--annotate", action="store_true", help="also write each video with its skeletons, NAME-poses.mp4")
    add("--resume", action=argparse.BooleanOptionalAction, default=True,
        help="keep what is done; --no-resume makes everything anew")
    add("--piece", type=seconds, default=PIECE_S, metavar="SECONDS",
        help="cut videos at key frames into pieces of at least this length; default: %(default).0f")
    poses = parser.add_argument_group("poses, as in the demo").add_argument
    poses("-m", "--model", help=f"{' or '.join(CATALOG)}, {MODEL_HELP}; default: {DEFAULT_MODEL}")
    poses("-p", "--precision", choices=PRECISIONS, help=PRECISION_HELP)
    poses("-d", "--device", default="CPU", help="of each worker; default: %(default)s")
    poses("--size", "--height", type=input_size, metavar="N", help=SIZE_HELP)
    poses("--threshold", type=score, metavar="T", help="minimum score of a keypoint, in one-stage networks of a person")
    poses("--min-keypoints", type=count, metavar="N", help="leave out people with fewer keypoints")
    poses("--threads", type=count, metavar="N", help="CPU threads of each worker; default: its cores")
    crew = parser.add_argument_group("workers; each is a process").add_argument
    crew("--workers", type=worker_count, metavar="N", help="processes on this machine, through Dask; default: this one")
    crew("--scheduler", metavar="ADDRESS",
         help="of a Dask cluster that is running: host:8786, tls://host:8786; its workers must see videos and output "
              "under the same paths")
    crew("--tls", type=Path, nargs=3, metavar=("CA", "CERTIFICATE", "KEY"), help="files for tls://")
    # fmt: on
    options = parser.parse_args(arguments)
    if options.workers is not None and options.scheduler is not None:
        parser.error("--workers are processes of this machine, --scheduler has its own workers: give one of them")
    if options.tls is not None and not (options.scheduler or "").startswith("tls://"):
        parser.error("--tls is for --scheduler tls://host:port")
    return options


def worker_count(text: str) -> int:
    """An integer, 1 to MAX_WORKERS."""
    if count(text) > MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"'{text}' workers are too many for a machine; give up to {MAX_WORKERS}")
    return count(text)


def recipe_of(options: argparse.Namespace) -> Recipe:
    """What the options make poses with. Raises UsageError where the model or the format cannot be used."""
    kind = options.format or ("parquet" if has_parquet() else "jsonl")
    if kind == "parquet":
        check_parquet()
    model = str(Path(options.model).absolute()) if options.model and Path(options.model).exists() else options.model
    recipe = Recipe(
        model, options.precision, options.device, options.size, options.threshold, options.min_keypoints,
        options.annotate, kind,
    )  # fmt: skip
    return replace(recipe, sha256=estimator_for(recipe, None).sha256())


def summary(outcomes: Sequence[Outcome]) -> str:
    """A line for each video, those with a problem last, and the sum."""
    ordered = sorted(outcomes, key=lambda outcome: (bool(outcome.problem), outcome.video.name))
    listed = ordered if len(ordered) <= LISTED else [outcome for outcome in ordered if outcome.problem]
    width = max((len(outcome.video.name) for outcome in listed), default=0)
    lines = [f"{'video':{width}}  {'frames':>8}  {'people':>6}"] if listed else []
    for outcome in listed:
        state = outcome.problem or ("" if outcome.state == "done" else outcome.state)
        row = f"{outcome.video.name:{width}}  {outcome.frames:>8}  {outcome.people:>6}  {state}"
        lines.append(row.rstrip())
    done, before, failed = (sum(o.state == state for o in outcomes) for state in ("done", "done before", "failed"))
    frames = sum(outcome.frames for outcome in outcomes if outcome.state == "done")
    lines.append(f"{done} done with {frames} frames, {before} done before, {failed} failed")
    return "\n".join(lines)


def run(options: argparse.Namespace) -> int:
    """Do all videos and print the summary. Returns the exit code."""
    videos = find_videos(options.inputs)
    recipe = recipe_of(options)
    ledger = Ledger(options.output, recipe, options.resume)
    progress = Progress(len(videos))
    coordinator = Coordinator(videos, ledger, options.piece, threads_of(options), progress)
    with StopRequest() as stop, contextlib.ExitStack() as stack:
        stack.enter_context(ledger.locked())
        ledger.check(videos)

        def on_frame() -> None:
            progress.tick()
            if stop:
                raise KeyboardInterrupt

        crew = stack.enter_context(open_crew(options, recipe, ledger, on_frame, stop))
        try:
            coordinator.run(crew)
        finally:
            print_result(summary(coordinator.outcomes))
    return 1 if any(outcome.problem for outcome in coordinator.outcomes) else 0


def threads_of(options: argparse.Namespace) -> int | None:
    """CPU threads of each worker: as given, else its share of the cores; 0: it counts its own."""
    if options.threads is not None:
        return int(options.threads)
    if options.workers is not None:
        return max(1, own_cores() // int(options.workers))
    return None if options.scheduler is None else 0


def open_crew(
    options: argparse.Namespace, recipe: Recipe, ledger: Ledger, on_frame: Callable[[], None], stop: StopRequest
) -> contextlib.AbstractContextManager[Crew]:
    """The workers that the options ask for. Raises UsageError."""
    if options.workers is None and options.scheduler is None:
        return LocalCrew(on_frame)
    if options.scheduler is not None:
        return remote_crew(
            options.scheduler, options.tls, threads_of(options), recipe, ledger.token(), lambda: bool(stop)
        )
    return local_crew(options.workers, threads_of(options), recipe, ledger.token(), lambda: bool(stop))


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code."""
    set_up_terminal()
    options = parse_options(arguments)
    code = run_command(lambda: run(options))
    if code == 130:
        say("What is done is kept: start the same command again.")
    return code


def program() -> None:
    """The console command."""
    sys.exit(main())


if __name__ == "__main__":
    program()
