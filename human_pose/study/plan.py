"""What is to be measured, and in which order."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

FRAMEWORKS = {
    "openvino": "OpenVINO",
    "opencv": "OpenCV DNN",
    "tensorflow": "TensorFlow",
    "benchmark_app": "benchmark_app",
}
ORIGINALS = ("opencv", "tensorflow")
DEFAULT_REQUESTS = "default"  # in flight: as many as the program chooses


@dataclass(frozen=True)
class Wish:
    """What the user wants of a study; results.json keeps it, for --resume.

    devices, hints, precisions: of the matrix. models: names or paths. seconds: of each of the two measurements of a
    run; frames: so many results instead. requests: of the second grid, numbers or DEFAULT_REQUESTS. pause_s: before
    each run. agreement_frames: frames on which the keypoints of the precisions are compared. cache: keep compiled
    networks. quick: without benchmark_app, and without another run for what other programs disturbed.
    height: the shorter side of the network's input; it has this name in results.json.
    """

    devices: list[str]
    models: list[str]
    precisions: list[str]
    input: str
    hints: list[str] = field(default_factory=lambda: ["throughput", "latency"])
    height: int | None = None
    runs: int = 20
    original_runs: int = 10
    seconds: float = 4.0
    frames: int | None = None
    requests: list[str] = field(default_factory=list)
    pause_s: float = 0.0
    seed: int = 0
    plugins: str | None = None
    cache: bool = False
    original: str | None = None
    images: str | None = None
    annotations: str | None = None
    agreement_frames: int = 40
    quick: bool = False
    note: str = ""


@dataclass(frozen=True)
class Cell:
    """One combination that is measured again and again.

    kind: of FRAMEWORKS. model, precision: the model's name and precision; file: its IR, or the original's file.
    requests: in flight; None: as many as the program chooses. is_stand_in: a device of it is the CPU under another
    name. not_measured: why there will be no run of it.
    """

    kind: str
    model: str
    precision: str
    file: str
    device: str = "CPU"
    hint: str = "throughput"
    requests: int | None = None
    affinity: str = "auto"
    is_stand_in: bool = False
    not_measured: str | None = None

    @property
    def id(self) -> str:
        """Tells it from every other cell, in words."""
        if self.kind in ORIGINALS:
            return f"{FRAMEWORKS[self.kind]} {self.model}"
        framework = "" if self.kind == "openvino" else f"{FRAMEWORKS[self.kind]} "
        affinity = f" {self.affinity}" if self.device.startswith("HETERO") else ""
        requests = "" if self.requests is None else f" {self.requests} requests"
        return f"{framework}{self.device}{affinity} {self.model} {self.precision} {self.hint}{requests}"

    @property
    def where(self) -> str:
        """What a reader calls its device: 'HETERO:GPU,CPU (conv, stand-in)'."""
        marks = [self.affinity] * self.device.startswith("HETERO") + ["stand-in"] * self.is_stand_in
        return self.device + (f" ({', '.join(marks)})" if marks else "")

    def label(self, with_model: bool = True) -> str:
        """What a reader calls it."""
        if self.kind in ORIGINALS:
            return f"{FRAMEWORKS[self.kind]} ({self.model})" if with_model else FRAMEWORKS[self.kind]
        framework = f"{FRAMEWORKS[self.kind]}, " if self.kind == "benchmark_app" else ""
        requests = "" if self.requests is None else f", {self.requests} request{'s' if self.requests > 1 else ''}"
        model = f" {self.model}" if with_model else ""
        return f"{framework}{self.where}{model} {self.precision}, {self.hint} hint{requests}"

    def as_data(self) -> dict[str, Any]:
        return {"id": self.id, **asdict(self)}


@dataclass(frozen=True)
class Job:
    """A process to be started: a run of a cell, or something found out once.

    task: 'run', or of cell.TASKS; round: the number of the run, from 0.
    """

    task: str
    cell: Cell
    round: int = 0

    @property
    def id(self) -> str:
        return f"{self.task} {self.round} {self.cell.id}"


@dataclass(frozen=True)
class Model:
    """One precision of a model: its file, or why there is none. note: as ModelFile's, 'float twin of FP16-INT8'."""

    name: str
    precision: str
    file: str = ""
    missing: str | None = None
    note: str = ""


def matrix(wish: Wish, models: Iterable[Model]) -> list[Cell]:
    """Devices x precisions x hints, then devices x requests; a cell that is in both is there once."""
    cells: dict[str, Cell] = {}

    def add(model: Model, device: str, **rest: Any) -> None:
        for affinity in ("auto", "conv") if device.startswith("HETERO") else ("auto",):
            cell = Cell("openvino", model.name, model.precision, model.file, device, affinity=affinity,
                        not_measured=model.missing, **rest)  # fmt: skip
            cells.setdefault(cell.id, cell)

    listed = list(models)
    for model in listed:
        for device in wish.devices:
            for hint in wish.hints:
                add(model, device, hint=hint)
    there = [model for model in listed if model.missing is None]
    for model in there[:1]:
        # Where the hint is latency the device asks for one request: the grid is that of throughput.
        for device in wish.devices:
            for number in wish.requests:
                add(model, device, hint="throughput", requests=int(number) if number.isdecimal() else None)
    return list(cells.values())


def schedule(cells: Iterable[Cell], wish: Wish) -> list[Job]:
    """Every run of every cell: in each round each cell once, in an order drawn by the seed, so that drift hits all.

    The original, which has fewer runs than the others, has them in rounds at even distances.
    """
    measurable = [cell for cell in cells if cell.not_measured is None]
    draw = random.Random(wish.seed)
    jobs = []
    for number in range(wish.runs):
        fewer = min(wish.original_runs, wish.runs)
        has_original = (number + 1) * fewer // wish.runs > number * fewer // wish.runs
        in_round = [cell for cell in measurable if cell.kind not in ORIGINALS or has_original]
        jobs += [Job("run", cell, number) for cell in draw.sample(in_round, len(in_round))]
    return jobs


def in_matrix(cells: Iterable[Cell]) -> list[Cell]:
    """The cells of OpenVINO that can be measured, with as many requests as the program chooses."""
    return [c for c in cells if c.kind == "openvino" and c.not_measured is None and c.requests is None]


def accuracy_cells(cells: Sequence[Cell], wish: Wish) -> list[Cell]:
    """One for each precision of each model, all on the first device and with the first hint."""
    first = (wish.devices[0], wish.hints[0], "auto")
    return [cell for cell in in_matrix(cells) if (cell.device, cell.hint, cell.affinity) == first]


def layer_cells(cells: Sequence[Cell], wish: Wish) -> list[Cell]:
    """One for each device and affinity, at the first precision there is; MULTI and AUTO have no layers of their own."""
    own = [cell for cell in in_matrix(cells) if cell.hint == wish.hints[0]]
    first = [cell for cell in own if (cell.model, cell.precision) == (own[0].model, own[0].precision)]
    return [cell for cell in first if cell.device.split(":")[0] not in ("MULTI", "AUTO")]
