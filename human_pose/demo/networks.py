"""The networks of a run: each is loaded once for each precision and size, when it is first asked for."""

import argparse
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import openvino as ov

from ..decoders.decoder import Decoder
from ..inference.backend import Backend, Inference, InferRequest
from ..inference.backends import open_backend
from ..inference.configuration import Configuration, parse_configuration
from ..inference.devices import open_core
from ..inference.input_size import LARGEST_SIZE
from ..inference.model import ModelFile, PoseModel, load_model
from ..inference.settings import HINTS, Settings
from ..media.capture import Capture
from ..output_log import OutputLog
from ..poses.pose import Pose
from ..zoo.catalog import PRECISIONS
from ..zoo.resolve import choose_model, default_model, executable_precisions, known_names, models_here
from .best import BEST, Best, load_best
from .options import settings_of
from .output_checks import check_model

MOST_OPEN = 12  # networks that are kept besides the newest
STEPS = (1 / 2, 5 / 8, 3 / 4, 7 / 8, 1, 5 / 4, 3 / 2, 2)  # of a network's own size


@dataclass(frozen=True)
class _Opened:
    network: PoseModel
    backend: Backend
    decoder: Decoder


class Networks:
    """Loads networks for configurations, and compiles them: a backend for `estimator.Estimator`.

    Each precision has an OpenVINO core of its own, because a device's execution type is a property of the core, and
    MULTI, HETERO and AUTO take it from there. So has what was tuned, because streams and threads are properties, too.
    """

    def __init__(
        self,
        core: ov.Core,
        first: Configuration,
        settings: Callable[[Configuration], Settings],
        frame_size: tuple[int, int] | None,
        plugins: Path | None = None,
        limits: tuple[float | None, int | None] = (None, None),
        best: Best | None = None,
    ) -> None:
        """core: for the first configuration's precision. settings: for a configuration.

        frame_size: width, height; None: frames have many sizes. plugins: a plugins.xml for further cores. limits: the
        least score and number of keypoints, see Decoder.with_limits. best: what was tuned, if the first is that.
        """
        self._core, self._cores = core, {(first.precision, str(_key(first)) if first.preset else ""): core}
        self._best = {best.configuration: best} if best else {}
        self._settings, self._frame_size, self._plugins, self._limits = settings, frame_size, plugins, limits
        self._opened: dict[Configuration, _Opened] = {}  # in the order of last use
        self._shown: dict[Configuration, Configuration] = {}
        self._files: dict[tuple[str, str], ModelFile] = {}
        self._lock = threading.Lock()  # for loading, in threads of compilations
        self.models: Sequence[str] = list(dict.fromkeys([first.model, *models_here()]))

    def compile(self, configuration: Configuration, sample: np.ndarray) -> Sequence[InferRequest]:
        """See Backend.compile. Raises UsageError, too, where there is no such network, or it takes no such size."""
        return self._open(configuration).backend.compile(configuration, sample)

    def decode(self, inference: Inference) -> list[Pose]:
        """The poses in an inference's outputs, in pixels of its frame."""
        decoder = self._open(inference.compiled.configuration).decoder
        return decoder.decode(inference.outputs, inference.frame_pixels, inference.origin)

    def network(self, configuration: Configuration) -> PoseModel:
        """The network of a configuration, with its size. Raises UsageError or DemoError if it cannot be had."""
        return self._open(configuration).network

    def shown(self, configuration: Configuration) -> Configuration:
        """The configuration with the network's name and its real size, once it is loaded, for a reader."""
        return replace(self._shown.get(_key(configuration), configuration), device=configuration.device)

    def precisions(self, model: str) -> Sequence[str]:
        """See choices.Offer."""
        return executable_precisions(model)

    def default_precision(self, model: str) -> str:
        """See choices.Offer."""
        return choose_model(model, None).precision

    def best(self, model: str) -> Configuration:
        """See choices.Offer."""
        best = load_best(self._core, model)
        self._best[best.configuration] = best
        return best.configuration

    def note(self, configuration: Configuration) -> str:
        """That a configuration is the best of this machine, for the panel; '' for others."""
        return self._best[configuration].note if configuration in self._best else ""

    def _settings_of(self, configuration: Configuration) -> Settings:
        """The user's settings; what was tuned replaces its part of them."""
        settings, best = self._settings(configuration), self._best.get(configuration)
        if best is None:
            return settings
        return replace(settings, requests=best.requests, streams=best.streams, threads=best.threads)

    def sizes(self, configuration: Configuration) -> Sequence[int]:
        """See choices.Offer: the network's own size and steps of it, and the size that it has now."""
        opened = self._opened.get(_key(configuration))
        if opened is None:  # it is being loaded, which the show does not wait for
            return (configuration.size,)
        network, preprocessing = opened.network, opened.network.preprocessing
        if preprocessing.fixed_size is not None:
            return (0,)
        sizes = {preprocessing.whole_steps(network.own_size * step) for step in STEPS} | {configuration.size} - {0}
        names = {network.own_size: 0, configuration.size or network.own_size: configuration.size}
        return [names.get(size, size) for size in sorted(sizes) if size <= LARGEST_SIZE]

    def _open(self, configuration: Configuration) -> _Opened:
        key = _key(configuration)
        opened = self._opened.get(key)
        if opened is not None:
            return opened
        with self._lock:
            if key not in self._opened:
                of_core = key.precision, str(key) if key.preset else ""
                if of_core not in self._cores:
                    self._cores[of_core] = open_core(self._plugins)
                core = self._cores[of_core]
                wanted = key.model, key.precision
                if wanted not in self._files:  # it may be downloaded, or a line may say that it is another file
                    self._files[wanted] = choose_model(*wanted)
                network = load_model(core, self._files[wanted])
                if self._frame_size is None:
                    network.reshape_open(key.size or None)
                else:
                    network.reshape(*network.size_for(self._frame_size, key.size or None))
                backend = open_backend(core, network, self._settings_of(configuration))
                opened = _Opened(network, backend, network.decoder.with_limits(*self._limits))
                self._shown[key] = replace(key, model=network.file.name, size=network.size)
                self._opened = {**dict(list(self._opened.items())[-MOST_OPEN:]), key: opened}
            return self._opened[key]


def best_of(options: argparse.Namespace, core: ov.Core) -> Best | None:
    """What was tuned for this machine, if the options ask for it. Raises UsageError where that is nothing, or void."""
    return load_best(core, options.model or default_model()) if options.device == BEST else None


def start_of(options: argparse.Namespace, best: Best | None = None) -> Configuration:
    """The configuration that the options ask for. Raises UsageError or DemoError where there is no such network."""
    if best is not None:
        return best.configuration
    precision = options.precision or choose_model(options.model, None).precision
    return Configuration(options.device, options.model or default_model(), precision, options.hint, options.size or 0)


def configuration_of(text: str, start: Configuration) -> Configuration:
    """The configuration that a text like 'CPU FP16 latency' asks for; the rest is as in `start`. Raises UsageError."""
    found = parse_configuration(text, start, known_names(), PRECISIONS, HINTS)
    return found if found.precision else replace(found, precision=choose_model(found.model, None).precision)


def open_networks(
    options: argparse.Namespace,
    core: ov.Core,
    start: Configuration,
    capture: Capture,
    written: OutputLog,
    best: Best | None = None,
) -> Networks:
    """The networks of a run. capture: is entered, so that the frames' size is known. written: for affinity maps.

    best: what was tuned, if the run starts with that.
    """

    def settings(configuration: Configuration) -> Settings:
        return replace(settings_of(options, configuration.precision, written), hint=configuration.hint)

    frame_size = None if capture.source.has_many_sizes else capture.frame_size
    limits = (options.threshold, options.min_keypoints)
    networks = Networks(core, start, settings, frame_size, options.plugins, limits, best)
    check_model(options, networks.network(start).file.path)
    return networks


def _key(configuration: Configuration) -> Configuration:
    """What a network is loaded for: all but the device."""
    return replace(configuration, device="")
