"""What a study found: the summary of each cell, and what the cells show against each other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple, TypeVar

from ..inference.backend import members_of
from ..measurement.cells import ORIGINALS, Cell
from ..measurement.intervals import MIN_RUNS, Figures, Ratio, figures, ratio
from ..poses.pck import Pck
from .plan import accuracy_cells, layer_cells
from .results import Study, is_disturbed

AGREES = 0.05  # two throughputs agree where the whole interval of their ratio lies within so much of 1


@dataclass(frozen=True)
class Run:
    """A run that gave figures; docs/study-format.md explains the fields. benchmark_app's have no more than three."""

    order: int
    is_disturbed: bool
    inference_fps: float
    input_size: Sequence[int] = ()
    application_fps: float | None = None
    latency_ms: dict[str, float] = field(default_factory=dict)
    latency_bins: dict[str, int] = field(default_factory=dict)
    compile_s: float = 0.0
    is_from_cache: bool = False
    execution_precision: str = "-"
    executed_on: Sequence[str] = ()
    requests: int | None = None
    streams: int | None = None


@dataclass(frozen=True)
class Ap:
    """COCO's metrics in percent, over so many images."""

    metrics: dict[str, float]
    images: int


@dataclass(frozen=True)
class Layers:
    """ms a frame by type and of the heaviest layers, of HETERO what crosses; see docs/study-format.md."""

    layer_types: list[dict[str, Any]]
    heaviest: list[dict[str, Any]]
    subgraphs: int | None
    operations: dict[str, int] = field(default_factory=dict)
    crossing_bytes: int | None = None
    crossing_tensors: int | None = None


@dataclass(frozen=True)
class Summary:
    """A cell and what its runs say.

    runs: those that count, the undisturbed ones, or all where too few are undisturbed; all_runs: all that gave figures;
    errors: why the others gave none. latency_ms: of each run's mean. ap, pck, layers, and the largest difference of an
    original's maps: None where they were not measured, or that failed.
    """

    cell: Cell
    runs: list[Run]
    all_runs: list[Run]
    errors: list[str]
    inference_fps: Figures
    application_fps: Figures
    latency_ms: Figures
    ap: Ap | None
    pck: Pck | None
    layers: Layers | None
    largest_difference: float | None

    @property
    def label(self) -> str:
        """What a reader calls the cell."""
        return self.cell.label()

    @property
    def input_size(self) -> str:
        """Of the network in a cell that was run: '344x256'."""
        return "x".join(map(str, self.runs[-1].input_size))

    @property
    def execution(self) -> str:
        """The type that the cell executed in, as OpenVINO says of its last run."""
        return self.runs[-1].execution_precision

    @property
    def why_not(self) -> str | None:
        """Why there is no figure of the cell; None if there is one."""
        if self.cell.not_measured is not None or self.runs:
            return self.cell.not_measured
        return self.errors[-1] if self.errors else "the study was ended before its first run"


T = TypeVar("T", Run, Ap, Pck, Layers)


def typed(kind: type[T], data: dict[str, Any], **more: Any) -> T:
    """A dataclass from results.json, where its fields have the same names."""
    return kind(**{one.name: data[one.name] for one in fields(kind) if one.name in data}, **more)


def summary_of(study: Study, cell: Cell) -> Summary:
    """Read a cell's runs and extras."""
    every = [typed(Run, run, is_disturbed=is_disturbed(run)) for run in study.all_runs(cell)]
    quiet = [run for run in every if not run.is_disturbed]
    runs = quiet if len(quiet) >= MIN_RUNS else every
    extras = {e["task"]: e for e in study.data["extras"] if e["cell"] == cell.id and "error" not in e}
    return Summary(
        cell,
        runs,
        every,
        study.errors(cell),
        figures([run.inference_fps for run in runs]),
        figures([run.application_fps for run in runs if run.application_fps is not None]),
        figures([run.latency_ms["mean"] for run in runs if run.latency_ms]),
        typed(Ap, extras["ap"]) if "ap" in extras else None,
        typed(Pck, extras["agreement"]) if "agreement" in extras else None,
        typed(Layers, extras["layers"]) if "layers" in extras else None,
        extras.get("check", {}).get("largest_difference"),
    )


class Speedup(NamedTuple):
    """A cell over another one: ratios of the FPS of inference alone and of the whole application."""

    own: Summary
    base: Summary
    inference: Ratio
    application: Ratio


def speedup(own: Summary, base: Summary) -> Speedup:
    """Both must have been measured."""
    inference = ratio(own.inference_fps, base.inference_fps)
    return Speedup(own, base, inference, ratio(own.application_fps, base.application_fps))


class Findings:
    """The summaries of a study, and their comparisons.

    measured: the cells of OpenVINO that have figures; matrix: those of them with as many requests as the program
    chooses; accuracy, layered: the cells of `plan.accuracy_cells` and `plan.layer_cells`.
    """

    def __init__(self, study: Study) -> None:
        self.study, self.options, cells = study, study.options, study.cells
        self.every = [summary_of(study, cell) for cell in cells]
        accuracy, layered = accuracy_cells(cells, self.options), layer_cells(cells, self.options)
        self.measured = [one for one in self.every if one.cell.kind == "openvino" and one.runs]
        self.matrix = [one for one in self.measured if one.cell.requests is None]
        self.originals = [one for one in self.every if one.cell.kind in ORIGINALS]
        self.tools = [one for one in self.every if one.cell.kind == "benchmark_app" and one.runs]
        self.accuracy = [one for one in self.every if one.cell in accuracy]
        self.layered = [one for one in self.every if one.cell in layered]

    def joined(self, *kinds: str) -> list[Summary]:
        """The measured MULTIs or HETEROs of the matrix."""
        return [one for one in self.matrix if ":" in one.cell.device and one.cell.device.split(":")[0] in kinds]

    def members(self, joined: Summary) -> dict[str, Summary]:
        """A MULTI's or HETERO's devices alone, all else being equal; those that were measured."""
        alone = {one.cell.device: one for one in self.measured if _rest(one) == _rest(joined)}
        return {device: alone[device] for device in members_of(joined.cell.device) if device in alone}

    def against_members(self, joined: Summary) -> tuple[Ratio | None, Ratio | None]:
        """Inference FPS of a MULTI or HETERO over the sum of its devices', and over the best of those measured alone.

        None where that is not known: a sum without all of them is none.
        """
        parts = [one.inference_fps for one in self.members(joined).values()]
        if not parts:
            return None, None
        is_whole = len(parts) == len(members_of(joined.cell.device))
        strongest = max(parts, key=lambda part: part.mean)
        return ratio(joined.inference_fps, *parts) if is_whole else None, ratio(joined.inference_fps, strongest)

    def against_fp32(self) -> list[Speedup]:
        """Each other precision on the first device over FP32."""
        cells = [one for one in self.accuracy if one.runs]
        floats = {one.cell.model: one for one in cells if one.cell.precision == "FP32"}
        others = [one for one in cells if one.cell.precision != "FP32" and one.cell.model in floats]
        return [speedup(one, floats[one.cell.model]) for one in others]

    def against_originals(self, cells: Iterable[Summary]) -> list[Speedup]:
        """The measured ones of some cells over each framework that ran the same model."""
        measured = [one for one in cells if one.runs]
        pairs = [(one, original) for original in self.originals if original.runs for one in measured]
        return [speedup(one, original) for one, original in pairs if one.cell.model == original.cell.model]

    def against_tool(self) -> list[tuple[Summary, Ratio]]:
        """Inference alone over benchmark_app's figure of the same session, for each cell that has both."""
        tools = {(one.cell.device, *_rest(one)): one for one in self.tools}
        pairs = [(one, tools.get((one.cell.device, *_rest(one)))) for one in self.measured]
        return [(one, ratio(one.inference_fps, tool.inference_fps)) for one, tool in pairs if tool is not None]

    def layers(self, like: Summary) -> Layers | None:
        """What is known of a cell's layers, which its hint and number of requests do not change."""
        return next((one.layers for one in self.every if one.layers and _network(one) == _network(like)), None)

    def not_measured(self) -> dict[str, list[str]]:
        """Each reason why something has no figure, and all that it holds for."""
        reasons: dict[str, dict[str, None]] = {}
        for device, reason in self.study.data["missing_devices"].items():
            reasons.setdefault(reason, {})[device] = None
        for one in self.every:
            if one.why_not is not None:
                is_model = one.cell.kind == "openvino" and one.cell.not_measured is not None
                what = f"{one.cell.model} {one.cell.precision}" if is_model else one.label
                reasons.setdefault(one.why_not, {})[what] = None
        labels = {one.cell.id: one.label for one in self.every}
        for extra in self.study.data["extras"]:
            if "error" in extra:
                reasons.setdefault(extra["error"], {})[f"{extra['task']} of {labels[extra['cell']]}"] = None
        return {reason: list(what) for reason, what in reasons.items()}

    def doubt(self) -> str | None:
        """Why the figures are not to be quoted; None where nothing speaks against it."""
        runs = [run for one in self.measured for run in one.runs]
        disturbed = sum(run.is_disturbed for run in runs)
        if not runs:
            return "Nothing was measured."
        if 2 * disturbed < len(runs):
            return None
        return (
            f"Do not quote these figures: other programs disturbed {disturbed} of the {len(runs)} runs that they rest "
            "on. Repeat the study on a quiet machine."
        )


def _rest(one: Summary) -> tuple[str, str, str, int | None]:
    """All of a cell but the device."""
    return one.cell.model, one.cell.precision, one.cell.hint, one.cell.requests


def _network(one: Summary) -> tuple[str, str, str, str]:
    return one.cell.device, one.cell.affinity, one.cell.model, one.cell.precision


def best(cells: Iterable[Summary], key: str) -> tuple[Summary, list[Summary]] | None:
    """The cell with the most FPS, or the lowest latency, and those that no difference from it was shown for.

    key: an attribute of Summary. None where there is no figure.
    """
    known = [one for one in cells if getattr(one, key).runs]
    if not known:
        return None
    choose = min if key == "latency_ms" else max
    first = choose(known, key=lambda one: float(getattr(one, key).mean))
    others = [(one, ratio(getattr(one, key), getattr(first, key))) for one in known if one is not first]
    return first, [one for one, against in others if against.low is not None and not against.is_shown]


def agrees(one: Ratio) -> bool:
    """Whether the runs show that two figures are the same, within AGREES."""
    return one.low is not None and one.high is not None and one.low >= 1 - AGREES and one.high <= 1 + AGREES
