"""What a study found: the summary of each cell, and what the cells show against each other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple, TypeVar

from ..inference.backend import members_of
from ..inference.remote_address import is_remote
from ..measurement.cells import ORIGINALS, Cell
from ..measurement.intervals import MIN_RUNS, Ratio, figures, ratio
from ..poses.pck import Pck
from .plan import accuracy_cells, layer_cells
from .results import Study, is_disturbed

NOT_OF_SERVERS = "a server does not tell what is inside it"
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
class Layers:
    """ms a frame by type and of the heaviest layers, of HETERO what crosses; see docs/study-format.md."""

    layer_types: list[dict[str, Any]]
    heaviest: list[dict[str, Any]]
    subgraphs: int | None
    operations: dict[str, int] = field(default_factory=dict)
    crossing_bytes: int | None = None
    crossing_tensors: int | None = None


T = TypeVar("T", Run, Pck, Layers)


def typed(kind: type[T], data: dict[str, Any], **more: Any) -> T:
    """A dataclass from results.json, where its fields have the same names."""
    return kind(**{one.name: data[one.name] for one in fields(kind) if one.name in data}, **more)


class Summary:
    """A cell and what its runs say.

    runs: those that count, the undisturbed ones, or all where too few are undisturbed; all_runs: all that gave figures;
    errors: why the others gave none. latency_ms: of each run's mean. ap: COCO's metrics in percent, and 'images', over
    so many. ap, pck, layers, and the largest difference of an original's maps: None where they were not measured, or
    that failed.
    """

    def __init__(self, study: Study, cell: Cell) -> None:
        self.cell, self.errors = cell, study.errors(cell)
        self.all_runs = [typed(Run, run, is_disturbed=is_disturbed(run)) for run in study.all_runs(cell)]
        quiet = [run for run in self.all_runs if not run.is_disturbed]
        self.runs = runs = quiet if len(quiet) >= MIN_RUNS else self.all_runs
        self.inference_fps = figures([run.inference_fps for run in runs])
        self.application_fps = figures([run.application_fps for run in runs if run.application_fps is not None])
        self.latency_ms = figures([run.latency_ms["mean"] for run in runs if run.latency_ms])
        found = {e["task"]: e for e in study.data["extras"] if e["cell"] == cell.id and "error" not in e}
        self.ap = {**found["ap"]["metrics"], "images": found["ap"]["images"]} if "ap" in found else None
        self.pck = typed(Pck, found["agreement"]) if "agreement" in found else None
        self.layers = typed(Layers, found["layers"]) if "layers" in found else None
        self.largest_difference = f"{found['check']['largest_difference']:.1e}" if "check" in found else None

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


class Speedup(NamedTuple):
    """A measured cell over another one."""

    own: Summary
    base: Summary

    @property
    def inference(self) -> Ratio:
        """Of the FPS of inference alone."""
        return ratio(self.own.inference_fps, self.base.inference_fps)

    @property
    def application(self) -> Ratio:
        """Of the FPS of the whole application, which both must have."""
        return ratio(self.own.application_fps, self.base.application_fps)


def speedups(cells: Iterable[Summary], bases: Iterable[Summary], *same: str) -> list[Speedup]:
    """Each measured cell over each measured base that has these fields of `Cell` in common with it."""
    pairs = [Speedup(one, base) for base in bases for one in cells if base.runs and one.runs]
    return [pair for pair in pairs if all(getattr(pair.own.cell, n) == getattr(pair.base.cell, n) for n in same)]


class Findings:
    """The summaries of a study, and their comparisons.

    measured: the cells of OpenVINO that have figures; matrix: those of them with as many requests as the program
    chooses; own: the matrix, and the originals that ran; ran: these, and the grid of requests; accuracy, layered: the
    cells of `plan.accuracy_cells` and `plan.layer_cells`.
    """

    def __init__(self, study: Study) -> None:
        self.study, self.options, cells = study, study.options, study.cells
        self.every = [Summary(study, cell) for cell in cells]
        accuracy, layered = accuracy_cells(cells, self.options), layer_cells(cells, self.options)
        self.measured = [one for one in self.every if one.cell.kind == "openvino" and one.runs]
        self.matrix = [one for one in self.measured if one.cell.requests is None]
        self.originals = [one for one in self.every if one.cell.kind in ORIGINALS]
        self.own = self.matrix + [one for one in self.originals if one.runs]
        self.ran = self.own + [one for one in self.measured if one.cell.requests is not None]
        self.tools = [one for one in self.every if one.cell.kind == "benchmark_app" and one.runs]
        self.accuracy = [one for one in self.every if one.cell in accuracy]
        self.layered = [one for one in self.every if one.cell in layered]

    def joined(self, *kinds: str) -> list[Summary]:
        """The measured MULTIs or HETEROs of the matrix."""
        return [one for one in self.matrix if ":" in one.cell.device and one.cell.device.split(":")[0] in kinds]

    def members(self, joined: Summary) -> dict[str, Summary]:
        """A MULTI's or HETERO's devices alone, all else being equal; those that were measured."""
        same = speedups([joined], self.measured, "model", "precision", "hint", "requests")
        alone = {pair.base.cell.device: pair.base for pair in same}
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
        floats = [one for one in self.accuracy if one.cell.precision == "FP32"]
        return speedups([one for one in self.accuracy if one not in floats], floats, "model")

    def against_first_model(self) -> list[Speedup]:
        """Each other model on the first device over the first model of the same precision."""
        firsts = [one for one in self.accuracy if one.cell.model == self.accuracy[0].cell.model]
        return speedups([one for one in self.accuracy if one not in firsts], firsts, "precision")

    def against_originals(self, cells: Iterable[Summary]) -> list[Speedup]:
        """The measured ones of some cells over each framework that ran the same model."""
        return speedups(cells, self.originals, "model")

    def against_tool(self) -> list[Speedup]:
        """Inference alone over benchmark_app's figure of the same session, for each cell that has both."""
        return speedups(self.measured, self.tools, "device", "model", "precision", "hint", "requests")

    def layers(self, like: Summary) -> Layers | None:
        """What is known of a cell's layers, which its hint and number of requests do not change."""
        same = speedups([like], self.layered, "device", "affinity", "model", "precision")
        return same[0].base.layers if same else None

    def not_measured(self) -> dict[str, list[str]]:
        """Each reason why something has no figure, and all that it holds for."""
        found = [(why, device) for device, why in self.study.data["missing_devices"].items()]
        for one in self.every:
            is_model = one.cell.kind == "openvino" and one.cell.not_measured is not None
            found.append((one.why_not, f"{one.cell.model} {one.cell.precision}" if is_model else one.label))
        servers = [device for device in self.options.devices if is_remote(device)]
        found += [(NOT_OF_SERVERS, f"layers, accuracy and benchmark_app of {device}") for device in servers]
        labels = {one.cell.id: one.label for one in self.every}
        extras = self.study.data["extras"]
        found += [(extra.get("error"), f"{extra['task']} of {labels[extra['cell']]}") for extra in extras]
        reasons: dict[str, list[str]] = {}
        for why, what in dict.fromkeys(found):
            if why is not None:
                reasons.setdefault(why, []).append(what)
        return reasons

    def doubt(self) -> str:
        """Why the figures are not to be quoted; '' where nothing speaks against it."""
        runs = [run for one in self.measured for run in one.runs]
        disturbed = sum(run.is_disturbed for run in runs)
        if not runs:
            return "Nothing was measured."
        if 2 * disturbed < len(runs):
            return ""
        return (
            f"Do not quote these figures: other programs disturbed {disturbed} of the {len(runs)} runs that they rest "
            "on. Repeat the study on a quiet machine."
        )


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
