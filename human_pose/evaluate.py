"""How right the poses are: average precision (AP) over a set of images annotated in COCO's keypoints format.

python -m human_pose.evaluate --images DIR --annotations FILE

The images go through the demo's own estimator and decoder; pycocotools compares. Fewer keypoints make a person here
than in the demo, because who is hidden counts as missed.
"""

import argparse
import contextlib
import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import UsageError, explain_import_error

try:
    import openvino as ov

    from .capture import Capture
    from .catalog import CATALOG, DEFAULT_MODEL, PRECISIONS
    from .compiled import Settings, configure
    from .decode import DEFAULT_THRESHOLD, decode
    from .export import coco_results
    from .files import cache_folder, check_writable, write_whole
    from .inference import Estimator, Inference
    from .model_files import choose_model
    from .network import PoseNetwork, load_network, shorter_side
    from .options import PRECISION_HELP, SIZE_HELP, OptionParser, count, input_size, score
    from .sources import images_source
    from .terminal import ProgressLine, have_streams, minutes, print_result, run_command, say
except ImportError as import_error:
    sys.exit(f"error: {explain_import_error(import_error)}")

LEAST_KEYPOINTS = 2  # of a person: a limb
METRICS = ("AP", "AP50", "AP75", "APm", "APl", "AR")
_PLACES = (0, 1, 2, 3, 4, 5)  # of the metrics in pycocotools' list


@dataclass(frozen=True)
class Evaluation:
    """What came of an evaluation.

    metrics: AP, ... in percent; images: how many they are over; left_out: the names of those that are missing or
    cannot be read; inference_ms, decode_ms: mean an image; results: COCO results format.
    """

    metrics: dict[str, float]
    images: int
    left_out: list[str]
    inference_ms: float
    decode_ms: float
    results: list[dict[str, Any]]


def evaluate(
    core: ov.Core,
    network: PoseNetwork,
    images: Path,
    annotations: Path,
    device: str = "CPU",
    size: int | None = None,
    threshold: float = DEFAULT_THRESHOLD,
    least_keypoints: int = LEAST_KEYPOINTS,
    limit: int | None = None,
) -> Evaluation:
    """Evaluate a network on a device. size: the shorter side of its input; limit: only the first so many images.

    Raises UsageError where the annotations are none or no image is there, DeviceError where the device refuses.
    """
    truth = load_annotations(annotations)
    ids = {image["file_name"]: int(image["id"]) for image in truth.dataset["images"][:limit]}
    paths = [images / name for name in ids if (images / name).is_file()]
    missing = [name for name in ids if not (images / name).is_file()]
    for name in missing:
        say(f"'{images / name}' is missing.")
    if not paths:
        raise UsageError(f"None of the {len(ids)} images of '{annotations}' is in '{images}'. Give their folder.")

    network.reshape_open(size or network.own_size)
    settings = Settings(network.file.precision, hint="latency", cache=cache_folder())
    configure(core, settings)
    estimator = Estimator(core, network, device, settings)
    results: list[dict[str, Any]] = []
    seen: list[str] = []
    inference_ms = decode_ms = 0.0
    progress = ProgressLine()
    started_at = time.perf_counter()
    with Capture(images_source(str(images), paths)) as capture:
        for inference in infer_all(capture, estimator):
            decoding_since = time.perf_counter()
            poses = decode(*inference.maps, threshold, least_keypoints)
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


def infer_all(
    capture: Capture, estimator: Estimator, goes_on: Callable[[int], bool] = lambda begun: True
) -> Iterator[Inference]:
    """The results of all frames, in their order; of no more frames once `goes_on`, of the number begun, says no.

    Raises DeviceError where the device fails.
    """
    begun = 0
    while not (estimator.is_idle and (capture.is_over or not goes_on(begun))):
        frame = None
        if estimator.has_idle_request and goes_on(begun):
            frame = capture.read(wait_s=0.02 if estimator.is_idle else 0)
        if frame is not None:
            estimator.submit(frame)
            begun += 1
        inference = estimator.collect(wait=frame is None)
        if inference is not None:
            yield inference
        for failure in estimator.take_failures():
            raise failure


def load_annotations(path: Path) -> Any:
    """pycocotools' COCO. Raises UsageError where it is not installed, or the file holds no annotated keypoints."""
    try:
        from pycocotools.coco import COCO
    except ImportError as error:
        raise UsageError("Evaluation needs pycocotools: pip install -r requirements-eval.txt") from error
    if not path.is_file():
        raise UsageError(f"Cannot open '{path}': no such file. Give annotations in COCO's keypoints format.")
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it tells how it gets on
            truth = COCO(str(path))
        if not truth.dataset["images"] or not any("keypoints" in truth.anns[key] for key in truth.anns):
            raise ValueError("nothing in it")
        return truth
    except (ValueError, KeyError, TypeError, AssertionError, AttributeError) as error:
        raise UsageError(f"'{path}' holds no annotations in COCO's keypoints format.") from error


def compare(truth: Any, results: list[dict[str, Any]], image_ids: list[int]) -> dict[str, float]:
    """METRICS in percent, by pycocotools, over some images."""
    from pycocotools.cocoeval import COCOeval

    if not results:
        return dict.fromkeys(METRICS, 0.0)
    with contextlib.redirect_stdout(io.StringIO()):
        copies = [dict(result) for result in results]  # loadRes adds to them
        evaluation = COCOeval(truth, truth.loadRes(copies), "keypoints")
        evaluation.params.imgIds = image_ids
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {name: 100 * float(evaluation.stats[place]) for name, place in zip(METRICS, _PLACES, strict=True)}


def summary(network: PoseNetwork, device: str, evaluation: Evaluation) -> str:
    """What was evaluated, its AP, and over how many images."""
    left_out = f" ({len(evaluation.left_out)} left out: missing or broken)" if evaluation.left_out else ""
    metrics = "  ".join(f"{name} {value:.1f}" for name, value in evaluation.metrics.items())
    return (
        f"{network.file.title} on {device}, input size {shorter_side(network.model)}, "
        f"{evaluation.images} images{left_out}\n{metrics}\n"
        f"inference {evaluation.inference_ms:.1f} ms, decoding {evaluation.decode_ms:.2f} ms an image"
    )


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = OptionParser(
        prog="python -m human_pose.evaluate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--images", type=Path, required=True, metavar="DIR", help="the folder of the images")
    add("--annotations", type=Path, required=True, metavar="FILE", help="COCO keypoints annotations, as JSON")
    add("-m", "--model", help=f"{' or '.join(CATALOG)}, or the path of an IR's .xml; default: {DEFAULT_MODEL}")
    add("-p", "--precision", choices=PRECISIONS, help=PRECISION_HELP)
    add("-d", "--device", default="CPU", help="default: %(default)s")
    add("--size", "--height", type=input_size, metavar="N", help=SIZE_HELP)
    add("--threshold", type=score, default=DEFAULT_THRESHOLD, help="least score of a keypoint; default: %(default)s")
    add("--min-keypoints", type=count, default=LEAST_KEYPOINTS, metavar="N",
        help="people of whom fewer were found are left out; default: %(default)s")  # fmt: skip
    add("--limit", type=count, metavar="N", help="only the first N images")
    add("--results", type=Path, metavar="FILE", help="write the poses here, in COCO's results format")
    return parser.parse_args(arguments)


def evaluate_as_told(options: argparse.Namespace) -> None:
    """Evaluate, write the results if asked to, and print the summary."""
    if options.results is not None:
        check_writable(options.results)
    core = ov.Core()
    network = load_network(core, choose_model(options.model, options.precision))
    evaluation = evaluate(
        core, network, options.images, options.annotations, options.device, options.size, options.threshold,
        options.min_keypoints, options.limit,
    )  # fmt: skip
    if options.results is not None:
        write_whole(options.results, json.dumps(evaluation.results, allow_nan=False).encode())
    print_result(summary(network, options.device, evaluation))


def main(arguments: list[str] | None = None) -> int:
    have_streams()
    options = parse_options(arguments)
    return run_command(lambda: evaluate_as_told(options))


if __name__ == "__main__":
    sys.exit(main())
