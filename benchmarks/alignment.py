"""Whether NNCF's own channel alignment can replace this project's equalization before quantizing to INT8.

python -m benchmarks.alignment [--model mobilenet-thin] [--input VIDEO] [--size 184] [--samples 48]

Both scale the channels between two layers and scale the weights that read them back. Each variant is quantized from the
same float network, calibrated on the same frames, and compared with the float network on the same held-out ones. Needs
the extra `quantize`.
"""

import argparse
import contextlib
import importlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import openvino as ov

from benchmarks.common import CLIP, machine
from human_pose.console import ProgressLine
from human_pose.inference.model import make_uniform
from human_pose.inference.openpose_outputs import PREPROCESSING
from human_pose.media.sources import open_source
from human_pose.poses.pck import compare_poses
from human_pose.quantization.calibration import Inputs, read_samples, split
from human_pose.quantization.comparison import infer_frames, output_errors, request_of
from human_pose.quantization.equalize import equalize
from human_pose.quantization.nncf_quantizer import import_nncf
from human_pose.zoo.catalog import ORIGINAL_MODEL
from human_pose.zoo.resolve import choose_model

VARIANTS = {  # name: (NNCF's channel alignment, this project's equalization)
    "NNCF's default": (False, False),
    "NNCF's channel alignment": (True, False),
    "equalized": (False, True),
    "both": (True, True),
}


@contextlib.contextmanager
def repaired_alignment() -> Iterator[None]:
    """NNCF 3.4.0 gives its channel alignment its own tensors, where that expects arrays of NumPy, and fails."""
    algorithm = importlib.import_module("nncf.quantization.algorithms.channel_alignment.algorithm").ChannelAlignment
    apply = algorithm.apply

    def as_numpy(collector: Any) -> SimpleNamespace:
        found = collector.get_statistics()
        values = {
            name: None if getattr(found, name) is None else getattr(found, name).data
            for name in ("min_values", "max_values")
        }
        return SimpleNamespace(get_statistics=lambda: SimpleNamespace(**values))

    def repaired(self: Any, model: Any, graph: Any, statistic_points: Any = None, dataset: Any = None) -> Any:
        find = statistic_points.get_algo_statistics_for_node
        points = SimpleNamespace(get_algo_statistics_for_node=lambda *wanted: map(as_numpy, find(*wanted)))
        return apply(self, model, graph, points, dataset)

    with mock.patch.object(algorithm, "apply", repaired):
        yield


def quantized(core: ov.Core, graph: ov.Model, inputs: Inputs, aligns: bool, equalizes: bool) -> ov.Model:
    """The graph in INT8, with 8 bits for weights."""
    nncf = import_nncf()
    graph = graph.clone()
    if equalizes:
        equalize(core, graph, inputs)
    parameters = nncf.AdvancedQuantizationParameters(disable_channel_alignment=not aligns)
    preset = nncf.QuantizationPreset.MIXED
    with repaired_alignment():
        return nncf.quantize(
            graph, nncf.Dataset(inputs), subset_size=len(inputs), preset=preset, advanced_parameters=parameters
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=ORIGINAL_MODEL)
    parser.add_argument("--input", default=str(CLIP))
    parser.add_argument("--size", type=int, default=184)
    parser.add_argument("--samples", type=int, default=48)
    options = parser.parse_args()
    core, progress = ov.Core(), ProgressLine()
    file = choose_model(options.model, "FP16", allows_twin=False)
    calibration, held_out = split(
        read_samples(open_source(options.input), options.samples, options.size, PREPROCESSING)
    )
    graph = core.read_model(file.path)
    _, height, width, _ = calibration[0].shape
    is_nchw = graph.input().partial_shape[1] == ov.Dimension(3)
    graph.reshape([1, 3, height, width] if is_nchw else [1, height, width, 3])
    inputs = Inputs(calibration, is_nchw, PREPROCESSING)
    network = make_uniform(graph.clone(), file)
    truth = infer_frames(request_of(core, network), network.decoder, held_out, progress)
    print(f"{machine()}; {file.name}, {width}x{height}, {len(calibration)} frames calibrated, {len(held_out)} held out")
    print("| what | found again within 5 pixels | within 0.2 torso | error of heatmaps, fields | people |")
    print("|---|---|---|---|---|")
    for name, (aligns, equalizes) in VARIANTS.items():
        variant = make_uniform(quantized(core, graph, inputs, aligns, equalizes), file)
        found = infer_frames(request_of(core, variant), variant.decoder, held_out, progress)
        pck = compare_poses(zip(truth.poses, found.poses, strict=True))
        errors = ", ".join(f"{error:.2f}" for error in output_errors(truth.outputs, found.outputs).values())
        torso = "-" if pck.within_torso is None else f"{pck.within_torso:.1%}"
        print(
            f"| {name} | {pck.within_pixels:.1%} | {torso} | {errors} | {pck.people_float} -> {pck.people} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
