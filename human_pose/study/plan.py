"""What is to be measured, and in which order."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..inference.remote_address import is_remote
from ..measurement.cells import AS_SERVED, ORIGINALS, Cell, Model, StudyOptions


@dataclass(frozen=True)
class Job:
    """A process to be started: a run of a cell, or something found out once.

    task: of cell.do; round: the index of the run, from 0.
    """

    task: str
    cell: Cell
    round: int = 0

    @property
    def id(self) -> str:
        return f"{self.task} {self.round} {self.cell.id}"


def matrix(options: StudyOptions, models: Sequence[Model]) -> list[Cell]:
    """Devices x precisions x hints, then devices x requests; a cell that is in both is there once.

    A server has each model in one precision, its own. It is compared with the first file that there is.
    """
    there = [model for model in models if model.missing is None]
    first = there[:1]
    served = {model.name: model for model in reversed(there)}
    numbers = [int(number) if number.isdecimal() else None for number in options.requests]
    wanted = [(model, device, hint, None) for model in models for device in options.devices for hint in options.hints]
    # Where the hint is latency the device asks for one request: the grid is that of throughput.
    grid = [(model, device, "throughput", count) for model in first for device in options.devices for count in numbers]
    cells = [
        Cell("openvino", model.name, AS_SERVED if is_remote(device) else model.precision, model.file, device, hint,
             requests, affinity, not_measured=model.missing)
        for model, device, hint, requests in [*wanted, *grid]
        if not is_remote(device) or model == served.get(model.name)
        for affinity in (("auto", "conv") if device.startswith("HETERO") else ("auto",))
    ]  # fmt: skip
    return list({cell.id: cell for cell in cells}.values())


def schedule(cells: Iterable[Cell], options: StudyOptions) -> list[Job]:
    """Every run of every cell: in each round each cell once, in an order drawn by the seed, so that drift hits all.

    The original, which has fewer runs than the others, has them in rounds at even distances.
    """
    measurable = [cell for cell in cells if cell.not_measured is None]
    draw = random.Random(options.seed)
    jobs = []
    for number in range(options.runs):
        fewer = min(options.original_runs, options.runs)
        has_original = (number + 1) * fewer // options.runs > number * fewer // options.runs
        in_round = [cell for cell in measurable if cell.kind not in ORIGINALS or has_original]
        jobs += [Job("run", cell, number) for cell in draw.sample(in_round, len(in_round))]
    return jobs


def in_matrix(cells: Iterable[Cell]) -> list[Cell]:
    """The cells of OpenVINO that can be measured, with as many requests as the program chooses."""
    return [c for c in cells if c.kind == "openvino" and c.not_measured is None and c.requests is None]


def accuracy_cells(cells: Sequence[Cell], options: StudyOptions) -> list[Cell]:
    """One for each precision of each model, all on the first device and with the first hint; none on a server."""
    first = (options.devices[0], options.hints[0], "auto")
    own = [cell for cell in in_matrix(cells) if not is_remote(cell.device)]
    return [cell for cell in own if (cell.device, cell.hint, cell.affinity) == first]


def layer_cells(cells: Sequence[Cell], options: StudyOptions) -> list[Cell]:
    """One for each device and affinity, at the first precision there is; MULTI, AUTO and servers tell none."""
    own = [cell for cell in in_matrix(cells) if cell.hint == options.hints[0] and not is_remote(cell.device)]
    first = [cell for cell in own if (cell.model, cell.precision) == (own[0].model, own[0].precision)]
    return [cell for cell in first if cell.device.split(":")[0] not in ("MULTI", "AUTO")]
