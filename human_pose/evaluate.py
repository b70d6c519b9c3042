"""Measure accuracy: average precision (AP) over a set of images annotated in COCO's keypoints format.

python -m human_pose.evaluate --images DIR --annotations FILE

The images go through the demo's own estimator and decoder; pycocotools compares the poses with the annotations. Here a
person needs fewer keypoints than in the demo, because a person who is not shown counts as missed.
"""

import argparse
import contextlib
import io
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import UsageError, explain_import_error

try:
    import openvino as ov

    from .command import (
        MODEL_HELP,
        PRECISION_HELP,
        SERVER_HELP,
        SIZE_HELP,
        OptionParser,
        add_remote_options,
        count,
        input_size,
        remote_settings,
        score,
    )
    from .console import ProgressLine, minutes, print_result, run_command, say, set_up_terminal
    from .files import check_writable, write_whole
    from .folders import cache_folder
    from .inference.backends import open_backend
    from .inference.configuration import Configuration
    from .inference.estimator import Estimator, infer_all
    from .inference.model import PoseModel, load_model
    from .inference.remote_address import RemoteSettings
    from .inference.settings import Settings
    from .invocation import as_typed, command, pip_install
    from .media.capture import Capture
    from .media.sources import images_source
    from .poses.keypoint_files import coco_results
    from .zoo.catalog import CATALOG, DEFAULT_MODEL, PRECISIONS
    from .zoo.resolve import choose_model
except ImportError as import_error:
    sys.exit(f"error: {explain_import_error(import_error)}")

MIN_KEYPOINTS = 2  # a person is at least one limb
METRICS = ("AP", "AP50", "AP75", "APm", "APl", "AR")
_PLACES = (0, 1, 2, 3, 4, 5)  # the indices of the metrics in pycocotools' list


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    metrics: AP, ... in percent; images: how many were evaluated; left_out: the names of images that are missing or
    cannot be read; inference_ms, decode_ms: mean per image; results: the poses in COCO's results format.
    """

    metrics: dict[str, float]
    images: int
    left_out: list[str]
    inference_ms: float
    decode_ms: float
    results: list[dict[str, Any]]


def evaluate(
    core: ov.Core,
    network: PoseModel,
    images: Path,
    annotations: Path,
    device: str = "CPU",
    size: int | None = None,
    threshold: float | None = None,
    min_keypoints: int = MIN_KEYPOINTS,
    limit: int | None = None,
    remote: RemoteSettings | None = None,
) -> Evaluation:
    """Evaluate a network on a device. size: the side of its input that --size names; limit: only the first N images.

    remote: the settings for a server. Raises UsageError where the annotations cannot be read or no image is found,
    DeviceError where the device rejects the network.
    """
    truth = load_annotations(annotations)
    ids = {image["file_name"]: int(image["id"]) for image in truth.dataset["images"][:limit]}
    paths = [images / name for name in ids if (images / name).is_file()]
    missing = [name for name in ids if not (images / name).is_file()]
    for name in missing:
        say(f"'{images / name}' is missing.")
    if not paths:
        raise UsageError(f"None of the {len(ids)} images of '{annotations}' is in '{images}'. Give their folder.")

    network.reshape_open(size)
    settings = Settings(network.file.precision, hint="latency", cache=cache_folder(), remote=remote or RemoteSettings())
    estimator = Estimator(open_backend(core, network, settings), Configuration(device))
    decoder = network.decoder.for_evaluation().with_limits(threshold, min_keypoints)
    results: list[dict[str, Any]] = []
    seen: list[str] = []
    inference_ms = decode_ms = 0.0
    progress = ProgressLine()
    started_at = time.perf_counter()
    with Capture(images_source(str(images), paths)) as capture:
        for inference in infer_all(capture, estimator):
            decoding_since = time.perf_counter()
            poses = decoder.decode(inference.outputs, inference.frame_pixels, inference.origin)
            decode_ms += 1000 * (time.perf_counter() - decoding_since)
            inference_ms += inference.latency_ms
            name = str(Path(inference.frame.name or "").name)
            results += coco_results(ids[name], poses, name)
            seen.append(name)
            left_s = (time.perf_counter() - started_at) / len(seen) * (len(paths) - len(seen))
            progress.show(f"image {len(seen)} of {len(paths)}, {minutes(left_s)} left")
    progress.clear()
    return Evaluation(
        compare(truth, results, [ids[name] for name in seen]),
        len(seen),
        missing + [path.name for path in paths if path.name not in seen],
        inference_ms / len(seen),
        decode_ms / len(seen),
        results,
    )


def load_annotations(path: Path) -> Any:
    """The annotations as pycocotools' COCO. Raises UsageError where it is not installed or finds no keypoints."""
    try:
        from pycocotools.coco import COCO
    except ImportError as error:
        raise UsageError(f"Evaluation needs pycocotools: {pip_install('evaluate')}") from error
    if not path.is_file():
        raise UsageError(f"Cannot open '{path}': no such file. Give annotations in COCO's keypoints format.")
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
            truth = COCO(str(path))
        if not truth.dataset["images"] or not any("keypoints" in truth.anns[key] for key in truth.anns):
            raise ValueError("nothing in it")
        return truth
    except (ValueError, KeyError, TypeError, AssertionError, AttributeError) as error:
        raise UsageError(f"'{path}' holds no annotations in COCO's keypoints format.") from error


def compare(truth: Any, results: list[dict[str, Any]], image_ids: list[int]) -> dict[str, float]:
    """The METRICS in percent, computed by pycocotools over some images."""
    from pycocotools.cocoeval import COCOeval

    if not results:
        return dict.fromkeys(METRICS, 0.0)
    with contextlib.redirect_stdout(io.StringIO()):
        copies = [dict(result) for result in results]  # loadRes changes them
        evaluation = COCOeval(truth, truth.loadRes(copies), "keypoints")
        evaluation.params.imgIds = image_ids
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {name: 100 * float(evaluation.stats[place]) for name, place in zip(METRICS, _PLACES, strict=True)}


def summary(network: PoseModel, device: str, evaluation: Evaluation) -> str:
    """The text of the result: what was evaluated, on how many images, and the metrics."""
    left_out = f" ({len(evaluation.left_out)} left out: missing or broken)" if evaluation.left_out else ""
    metrics = "  ".join(f"{name} {value:.1f}" for name, value in evaluation.metrics.items())
    return (
        f"{network.file.title} on {device}, input size {network.size}, "
        f"{evaluation.images} images{left_out}\n{metrics}\n"
        f"inference {evaluation.inference_ms:.1f} ms, decoding {evaluation.decode_ms:.2f} ms an image"
    )


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = OptionParser(
        prog=command("evaluate"),
        description=as_typed(__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--images", type=Path, required=True, metavar="DIR", help="the folder of the images")
    add("--annotations", type=Path, required=True, metavar="FILE", help="COCO keypoints annotations, as JSON")
    add("-m", "--model", help=f"{' or '.join(CATALOG)}, {MODEL_HELP}; default: {DEFAULT_MODEL}")
    add("-p", "--precision", choices=PRECISIONS, help=PRECISION_HELP)
    add("-d", "--device", default="CPU", help=f"as OpenVINO names it, or {SERVER_HELP}; default: %(default)s")
    add_remote_options(parser)
    add("--size", "--height", type=input_size, metavar="N", help=SIZE_HELP)
    add(
        "--threshold",
        type=score,
        help="minimum score of a keypoint, or of a person in one-stage networks; default: the decoder's own for AP",
    )
    add("--min-keypoints", type=count, default=MIN_KEYPOINTS, metavar="N",
        help="leave out people with fewer keypoints; default: %(default)s")  # fmt: skip
    add("--limit", type=count, metavar="N", help="only the first N images")
    add("--results", type=Path, metavar="FILE", help="write the poses here, in COCO's results format")
    return parser.parse_args(arguments)


def run_evaluation(options: argparse.Namespace) -> None:
    """Evaluate, write the results if asked to, and print the summary."""
    if options.results is not None:
        check_writable(options.results)
    core = ov.Core()
    network = load_model(core, choose_model(options.model, options.precision))
    evaluation = evaluate(
        core, network, options.images, options.annotations, options.device, options.size, options.threshold,
        options.min_keypoints, options.limit, remote_settings(options),
    )  # fmt: skip
    if options.results is not None:
        write_whole(options.results, json.dumps(evaluation.results, allow_nan=False).encode())
    print_result(summary(network, options.device, evaluation))


def main(arguments: list[str] | None = None) -> int:
    set_up_terminal()
    options = parse_options(arguments)
    return run_command(lambda: run_evaluation(options))


def program() -> None:
    """The console command."""
    sys.exit(main())


if __name__ == "__main__":
    program()
