"""Quantize a float network to INT8, compare the keypoints of both, and keep the result if its PCK is high enough."""

import json
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from ..console import ProgressLine
from ..errors import DemoError, UsageError
from ..folders import MODELS_FOLDER
from ..inference.family import ImageInput, image_input
from ..inference.metadata import copy_sidecars
from ..inference.model import ModelFile, PoseModel, load_model
from ..inference.one_stage_outputs import give_sizes
from ..media.sources import open_source
from ..poses.pck import NEAR_PIXELS, NEAR_TORSO
from ..zoo.catalog import BUNDLED
from ..zoo.resolve import check_new_name, choose_model, known_names
from .calibration import Inputs, read_samples, split
from .comparison import Comparison, compare, infer_frames, infer_signal, request_of
from .equalize import equalize
from .nncf_quantizer import Progress, import_nncf, quantize_graph, sensitive_layers

log = logging.getLogger(__name__)

INT8 = "FP16-INT8"
DEFAULT_BOUND = 0.9  # minimum PCK: share of the float network's keypoints that must be found again
WEIGHT_BITS = (8, 7)  # the second is tried only if the first is not good enough
SENSITIVITY_SAMPLES = 2  # frames for the sensitivity of a layer; few, because a network can have hundreds of layers
FLOAT_LAYERS = (8, 16, 32, 48, 64)  # how many layers --accuracy-control keeps in float, tried in this order

Quantizer = Callable[[ov.Model, Sequence[np.ndarray], int, Collection[str], Progress], ov.Model]


@dataclass(frozen=True)
class Options:
    """The options of `quantize`.

    model: a name, or the path of a float network; source: a video or a folder of images; name: None for the model's
    own; size: the side of the input that --size names, None for the model's own; bound: minimum PCK.
    force: keep a model below it; accuracy_control: keep sensitive layers in float.
    """

    model: str
    source: str
    name: str | None = None
    size: int | None = None
    samples: int = 300
    bound: float = DEFAULT_BOUND
    force: bool = False
    accuracy_control: bool = False


def quantize(
    options: Options, models_folder: Path = MODELS_FOLDER, quantizer: Quantizer | None = None
) -> tuple[Path, str]:
    """Write the INT8 model and its result to models_folder/name/FP16-INT8; returns the .xml and the result as a line.

    quantizer: turns a float graph into a quantized one; None for NNCF. Raises DemoError where too few keypoints were
    found again; then nothing is written. Raises UsageError where the model cannot be quantized at all.
    """
    started_at = time.perf_counter()
    if quantizer is None:
        import_nncf()  # fail early if it is missing
    progress, core = ProgressLine(), ov.Core()
    source = open_source(options.source)
    network = load_model(core, _float_file(options.model, models_folder))
    name = options.name or network.file.name
    folder = _target(name, models_folder)
    calibration, held_out = split(
        read_samples(source, options.samples, network.checked_size(options.size), network.preprocessing)
    )
    # The frames that select the best attempt would flatter it, so others test it; a single frame has to do both.
    selection, test = held_out[::2], held_out[1::2] or held_out
    _, height, width, _ = held_out[0].shape
    network.reshape(width, height)
    graph, inputs = _raw_graph(core, network, calibration)
    own_shape = _image(core.read_model(network.file.path)).port.partial_shape
    float_request = request_of(core, network)
    truth, test_truth = (infer_frames(float_request, network.decoder, frames, progress) for frames in (selection, test))
    if not any(truth.poses) or not any(test_truth.poses):
        raise UsageError(
            f"The float network finds nobody in '{source.name}', so there is nothing to compare. Give another."
        )
    equalize(core, graph, inputs)

    try:
        models_folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".quantize-", dir=models_folder) as gathering:
            best: tuple[Comparison, Path] | None = None
            attempts = _attempts(core, graph, network.file, inputs, options.accuracy_control, progress)
            for number, (bits, kept) in enumerate(attempts):
                quantized = (quantizer or quantize_graph)(graph.clone(), inputs, bits, kept, progress.show)
                xml = Path(gathering) / str(number) / f"{name}.xml"
                _save(quantized, own_shape, xml, name)
                copy_sidecars(network.file.path, xml)  # they say what its outputs are
                result = compare(core, float_request, truth, ModelFile(name, INT8, xml), selection, progress)
                result = replace(result, weight_bits=bits, float_layers=tuple(kept))
                log.info(
                    f"{bits} bits for weights, {len(kept)} layers in float: {result.agreement.pck:.1%} of the "
                    f"keypoints found again, {result.float_ms:.0f} -> {result.quantized_ms:.0f} ms"
                )
                if best is None or result.agreement.pck > best[0].agreement.pck:
                    best = result, xml
                if result.agreement.pck >= options.bound:
                    break
            assert best is not None
            selected, xml = best
            result = compare(core, float_request, test_truth, ModelFile(name, INT8, xml), test, progress)
            result = replace(result, weight_bits=selected.weight_bits, float_layers=selected.float_layers)
            if result.agreement.pck < options.bound and not options.force:
                raise DemoError(
                    f"{name} is refused in INT8: {result.as_line()}; asked for: {options.bound:.0%}. Give a --size "
                    f"or frames that suit it better, {'' if options.accuracy_control else '--accuracy-control, '}"
                    "a lower --bound, or --force to keep it all the same."
                )
            facts = _facts(network, result, source.name, (width, height), len(calibration))
            facts["seconds"] = round(time.perf_counter() - started_at, 1)
            xml.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
            _install(xml.parent, folder)
    except OSError as error:
        raise DemoError(f"Cannot write to '{folder}': {error.strerror or error}.") from error
    finally:
        ProgressLine.clear()
    if result.quantized_ms >= result.float_ms:
        log.info("On this CPU it is no faster than the float model; only its file is smaller.")
    return folder / xml.name, f"{result.as_line()}; it took {facts['seconds']:.0f} s"


def _attempts(
    core: ov.Core, graph: ov.Model, file: ModelFile, inputs: Inputs, accuracy_control: bool, progress: ProgressLine
) -> Iterator[tuple[int, list[str]]]:
    """Bits for weights and layers to keep in float, the most INT8 first; layers are measured only when needed."""
    for bits in WEIGHT_BITS:
        yield bits, []
    layers = []
    if accuracy_control:
        some = inputs.frames[:: max(1, len(inputs) // SENSITIVITY_SAMPLES)][:SENSITIVITY_SAMPLES]
        layers = sensitive_layers(graph, lambda model: infer_signal(core, model, file, some), progress.show)
    for count in FLOAT_LAYERS:
        if count < len(layers):  # else no layer would be quantized
            for bits in WEIGHT_BITS:
                yield bits, layers[:count]


def _float_file(model: str, models_folder: Path) -> ModelFile:
    precision = "FP16" if model in known_names(models_folder) else None
    file = choose_model(model, precision, models_folder, allows_twin=False)
    if file.precision == INT8:
        raise UsageError(f"'{file.path}' is quantized already. Give a float model.")
    return replace(file, precision="FP32")


def _target(name: str, models_folder: Path) -> Path:
    """The folder to install in. Raises UsageError where it holds a model that this command did not make."""
    if BUNDLED.get(name) == INT8:
        raise UsageError(f"{name} has an {INT8} by its makers. Give another --name: {name}-own.")
    if name not in BUNDLED:
        check_new_name(name)
    folder = models_folder / name / INT8
    if folder.exists() and not (folder / f"{name}.json").is_file():
        raise UsageError(f"'{folder}' is there and was not made by this command. Give another --name, or remove it.")
    return folder


def _raw_graph(core: ov.Core, network: PoseModel, calibration: list[np.ndarray]) -> tuple[ov.Model, Inputs]:
    """The model as it is on disk, with a fixed size and no input but the image, and the frames for that."""
    graph = core.read_model(network.file.path)
    image = _image(graph)
    give_sizes(graph, image)
    for parameter in graph.get_parameters():
        if parameter.get_name() != image.port.get_node().get_name():
            graph.remove_parameter(parameter)
    _, height, width, _ = calibration[0].shape
    is_nchw = image.layout == "NCHW"
    graph.reshape([1, 3, height, width] if is_nchw else [1, height, width, 3])
    return graph, Inputs(calibration, is_nchw, network.preprocessing)


def _image(graph: ov.Model) -> ImageInput:
    """The image input of a graph that load_model has taken."""
    image = image_input(graph)
    assert image is not None
    return image


def _save(model: ov.Model, shape: ov.PartialShape, xml: Path, name: str) -> None:
    """Write an IR with its original input shape; if the model does not allow that, with the calibration's size."""
    xml.parent.mkdir()
    fixed = model.input().partial_shape
    try:
        model.reshape(shape)
    except RuntimeError:
        model.reshape(fixed)
    model.set_friendly_name(name)
    ov.save_model(model, xml, compress_to_fp16=True)


def _facts(
    network: PoseModel, result: Comparison, source: str, size: tuple[int, int], calibrated_on: int
) -> dict[str, Any]:
    """The result and its conditions, for the JSON file."""
    return {
        "float_model": network.file.name,
        "float_sha256": network.sha256(),
        "frames_of": Path(source).name,
        "input": list(size),
        "calibrated_on_frames": calibrated_on,
        "near_pixels": NEAR_PIXELS,
        "near_torso": NEAR_TORSO,
        **asdict(result),
    }


def _install(made: Path, folder: Path) -> None:
    """Move a complete folder to its place, and replace an earlier result of this command."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
    made.chmod(0o755)
    made.replace(folder)
