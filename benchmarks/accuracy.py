"""Accuracy beside speed: AP on a COCO set, FPS and latency, for every model and input size.

python -m benchmarks.accuracy --images DIR --annotations FILE [--model NAME[:PRECISION] ...] [--size 256 368 512]
                              [--output docs]

AP is measured as by `python -m human_pose.evaluate`. FPS is the demo's own without a window on the bundled clip;
latency is the median with `--hint latency`. The rows take turns; printed are medians over the runs. Writes
accuracy-table.md and accuracy.svg to the output folder after every row. Needs the extra `evaluate`.
"""

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

import openvino as ov

from benchmarks.common import machine, model_options, name_and_precision, run_demo
from human_pose.errors import DemoError
from human_pose.evaluate import Evaluation, evaluate
from human_pose.files import write_whole
from human_pose.inference.model import load_model
from human_pose.zoo.catalog import DEFAULT_MODEL, ORIGINAL_MODEL
from human_pose.zoo.resolve import choose_model

# Without access to the zoo, the float rows are measured on the float twin and marked so.
MODELS = [f"{DEFAULT_MODEL}:{precision}" for precision in ("FP16-INT8", "FP16", "FP32")] + [ORIGINAL_MODEL]

# AP of the Open Model Zoo's Python decoder on the same 200 images of COCO val2017, measured once on another machine;
# its FPS cannot be compared. (input size, upsampling of the maps, AP)
PEER_INT8 = ((256, 1, 33.9), (256, 4, 41.2), (368, 1, 45.4), (368, 4, 51.7), (512, 4, 52.7))


class Row:
    """A row of the table: a model at an input size."""

    def __init__(self, model: str, size: int) -> None:
        self.model, self.size = model, size
        self.file = choose_model(*name_and_precision(model))
        self.evaluation: Evaluation | None = None
        self.fps: list[float] = []
        self.latency_ms: list[float] = []
        self.executed_in = ""

    @property
    def name(self) -> str:
        return self.file.title

    def evaluate(self, images: Path, annotations: Path) -> None:
        core = ov.Core()
        self.evaluation = evaluate(core, load_model(core, self.file), images, annotations, size=self.size)

    def run(self, frames: int) -> None:
        wanted = [*model_options(self.model), "--size", self.size, "--frames", frames, "--loop"]
        device = run_demo(*wanted)["devices"][0]
        self.fps.append(device["fps"]["mean"])
        self.executed_in = device["execution_precision"]
        self.latency_ms.append(run_demo(*wanted, "--hint", "latency")["devices"][0]["latency_ms"]["p50"])

    def cells(self) -> list[str]:
        assert self.evaluation is not None
        metrics = self.evaluation.metrics
        return [
            self.name, self.executed_in, str(self.size),
            *(f"{metrics[metric]:.1f}" for metric in ("AP", "AP50", "APm", "APl")),
            f"{statistics.median(self.fps):.1f} ({min(self.fps):.1f} to {max(self.fps):.1f})",
            f"{statistics.median(self.latency_ms):.0f}", f"{self.evaluation.decode_ms:.2f}",
        ]  # fmt: skip


HEADER = ["model", "executed in", "size", "AP", "AP50", "APm", "APl", "FPS", "latency, ms", "decoding, ms"]


def table(rows: list[Row]) -> str:
    lines = [HEADER, ["---"] * len(HEADER), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def plot(rows: list[Row], path: Path) -> None:
    """Plot AP against FPS, one line per model; the peer's AP as horizontal lines."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "accuracy"  # the same data gives the same file
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5))
    axes_: Any = axes
    for name in dict.fromkeys(row.name for row in rows):
        points = [
            (statistics.median(row.fps), row.evaluation.metrics["AP"], row.size)
            for row in rows
            if row.name == name and row.evaluation is not None
        ]
        axes_.plot([fps for fps, _, _ in points], [ap for _, ap, _ in points], "o-", label=name)
        for fps, ap, size in points:
            axes_.annotate(str(size), (fps, ap), textcoords="offset points", xytext=(4, 4), fontsize=8)
    for height, upsampled, ap in PEER_INT8:
        axes_.axhline(ap, color="grey", linewidth=0.7, linestyle=":")
        axes_.annotate(
            f"Zoo's decoder, INT8, {height}, maps x{upsampled}: {ap}", (1.0, ap), xycoords=("axes fraction", "data"),
            ha="right", va="bottom", fontsize=7, color="grey",
        )  # fmt: skip
    axes_.set_xlabel("FPS of the demo, two cores, no window")
    axes_.set_ylabel("AP, %")
    axes_.set_xlim(left=0)
    axes_.legend(loc="lower left", fontsize=8)
    axes_.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--model", nargs="+", default=MODELS, help="names or paths; default: %(default)s")
    parser.add_argument("--size", "--height", nargs="+", type=int, default=[256, 368, 512])
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("docs"))
    options = parser.parse_args()
    try:
        rows = [Row(model, size) for model in options.model for size in options.size]
        for _ in range(options.runs):
            for row in rows:
                row.run(options.frames)
        for number, row in enumerate(rows, 1):
            row.evaluate(options.images, options.annotations)
            write_whole(options.output / "accuracy-table.md", f"{machine()}\n\n{table(rows[:number])}".encode())
            plot(rows[:number], options.output / "accuracy.svg")
            print(" | ".join(row.cells()), flush=True)
    except DemoError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
