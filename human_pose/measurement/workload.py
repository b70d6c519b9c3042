"""What every measurement starts from: OpenVINO, the network at its size, frames of the video as its inputs."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import openvino as ov

from ..decoders.decoder import Outputs
from ..errors import DemoError, UsageError
from ..folders import cache_folder
from ..inference.devices import open_core
from ..inference.float_twin import NOTE
from ..inference.input_size import Preprocessing
from ..inference.model import ModelFile, PoseModel, load_model
from ..inference.openvino_backend import OpenVinoCompiledModel, compile_model
from ..inference.preprocess import blank_input, fill_input
from ..inference.remote_address import RemoteSettings
from ..inference.settings import Settings, configure
from ..media.sources import open_source
from ..zoo.resolve import choose_model, known_names
from .cells import Cell, Model, StudyOptions

KEPT_FRAMES = 16  # of the video, for inference alone
NOT_GIVEN = "no file of this precision was given (--model takes several)"


def models_of(options: StudyOptions) -> list[Model]:
    """The stored precisions of the stored models, those that cannot be had with the reason.

    A path's folder or its quantized layers say which precision it is; else the float file stands for all float ones,
    and a quantized one alone for its float twins, too.
    Raises UsageError where a model is not known at all, or the path is none.
    """
    found: list[Model] = []
    given: dict[str, list[ModelFile]] = {}
    for name in options.models:
        file = None if name in known_names() else choose_model(name, None)
        if file is not None:
            given.setdefault(file.name, []).append(file)
        found += [_in_catalog(name, p) if file is None else _at(file, p) for p in options.precisions]
    names = [model.name for model in found]
    found.sort(key=lambda model: (names.index(model.name), options.precisions.index(model.precision)))
    chosen: dict[tuple[str, str], Model] = {}
    for model in sorted(found, key=lambda model: model.missing is not None):  # a path may have what another lacks
        chosen.setdefault((model.name, model.precision), model)
    found = [model for model in found if chosen[model.name, model.precision] is model]
    return [_or_twin(model, given.get(model.name, [])) for model in found]


def _or_twin(model: Model, given: Sequence[ModelFile]) -> Model:
    """A float precision of which only quantized files were given is the float twin of the first."""
    if model.missing != NOT_GIVEN or model.precision == "FP16-INT8":
        return model
    if any(file.precision != "FP16-INT8" for file in given):
        return model
    return Model(model.name, model.precision, str(given[0].path), note=NOTE)


def _in_catalog(name: str, precision: str) -> Model:
    try:
        file = choose_model(name, precision)
        return Model(name, precision, str(file.path), note=file.note)
    except DemoError as error:
        return Model(name, precision, missing=str(error))


def _at(file: ModelFile, precision: str) -> Model:
    """The file in a precision, if it has that."""
    folder = file.path.absolute().parent.name
    has = {folder} if folder in ("FP16", "FP32") else {"FP16", "FP32"}
    if precision not in ({"FP16-INT8"} if file.precision == "FP16-INT8" else has):
        return Model(file.name, precision, missing=NOT_GIVEN)
    return Model(file.name, precision, str(file.path))


class Workload:
    """A cell's network and frames.

    images: the first frames of the video; inputs: the same as the network takes them, (1, h, w, 3) uint8.
    """

    def __init__(self, cell: Cell, options: StudyOptions, core: ov.Core | None = None) -> None:
        self.cell, self.options = cell, options
        self.core = core or open_core(options.plugins)
        self.images = first_frames(options.input)
        self.network: PoseModel = load_model(self.core, ModelFile(cell.model, cell.precision, Path(cell.file)))
        self.frame_size: tuple[int, int] = self.images[0].shape[1::-1]
        self.size = self.network.size_for(self.frame_size, cell.size or options.size)
        self.network.reshape(*self.size)
        self.settings = Settings(
            cell.precision,
            cell.hint,
            cell.requests,
            cell.streams,
            cell.threads,
            cache=cache_folder() if options.cache else None,
            affinity=cell.affinity,
            remote=RemoteSettings(
                options.remote_timeout, Path(options.remote_ca) if options.remote_ca else None, options.remote_jpeg
            ),
        )
        self.inputs = as_inputs(self.images, self.size, self.network.preprocessing)

    def configure(self) -> None:
        """Set the devices' properties. Raises UsageError."""
        configure(self.core, self.settings)

    def compile_for_one(self) -> OpenVinoCompiledModel:
        """The network compiled for one request at a time that has the whole device, whatever the cell's hint is."""
        settings = replace(self.settings, hint="latency", requests=None)
        return compile_model(self.core, self.network.model, self.cell.device, settings)

    def outputs_of(self, inputs: Iterable[np.ndarray]) -> Iterator[Outputs]:
        """The network's outputs for each input, until the next one is taken."""
        self.configure()
        request = self.compile_for_one().network.create_infer_request()
        for image in inputs:
            request.infer({"image": image})
            yield {name: request.get_tensor(name).data[0] for name in self.network.decoder.output_names}


def own_size(model: str, file: str) -> int:
    """The side of an IR's own input that --size names. Raises UsageError where it is no pose network."""
    return load_model(ov.Core(), ModelFile(model, "FP32", Path(file))).own_size


def first_frames(source: str) -> list[np.ndarray]:
    """Raises UsageError where the source cannot be read, or has no end."""
    opened = open_source(source)
    if opened.is_live or opened.has_many_sizes:
        raise UsageError(f"'{source}' is no video file. Give one: every run must see the same frames.")
    with contextlib.closing(opened.images()) as images:  # type: ignore[type-var]
        return [image for image, _ in islice(images, KEPT_FRAMES)]


def as_inputs(images: list[np.ndarray], size: tuple[int, int], preprocessing: Preprocessing) -> list[np.ndarray]:
    """Frames scaled into inputs of a size (width, height), as the demo does it."""
    inputs = [blank_input(size, preprocessing) for _ in images]
    for image, target in zip(images, inputs, strict=True):
        fill_input(image, target, preprocessing)
    return inputs
