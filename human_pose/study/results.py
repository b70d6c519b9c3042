"""results.json and results.csv: every run of a study. docs/study-format.md says what each field means."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..files import write_whole
from ..folders import PROJECT
from ..measurement.cells import Cell, Wish
from ..measurement.intervals import MIN_RUNS
from .plan import Job

FORMAT, VERSION = "human-pose-study", 2
FILE = "results.json"
FILES = ("input", "plugins", "original", "images", "annotations")  # of a wish
KEYS = {"inference FPS": "inference_fps", "application FPS": "application_fps", "latency ms": "latency_ms"}
COLUMNS = (
    "cell", "kind", "model", "precision", "device", "affinity", "hint", "round", "requests", "streams", "subgraphs",
    "execution_precision", "executed_on", "compile_s", "inference_fps", "application_fps", "latency_mean_ms",
    "latency_min_ms", "latency_max_ms", "latency_p95_ms", "other_cores", "disturbed", "mhz", "temperature_c", "error",
)  # fmt: skip


def kept(path: str | None) -> str | None:
    """A path as results.json has it: from the project's folder on, so that it tells nothing of the machine."""
    if not path:
        return path
    whole = Path(path).resolve()
    return whole.relative_to(PROJECT).as_posix() if whole.is_relative_to(PROJECT) else str(whole)


def there(path: str | None) -> Any:
    """The same path on this machine."""
    return str(PROJECT / path) if path else path


def _as_text(data: dict[str, Any]) -> str:
    """JSON in which each cell, run and extra is a line."""
    fields = []
    for key, value in data.items():
        one_line = json.dumps(value, allow_nan=False)
        rows = [json.dumps(row, allow_nan=False) for row in value] if isinstance(value, list) else []
        fields.append(f"{json.dumps(key)}: " + ("[\n " + ",\n ".join(rows) + "\n]" if rows else one_line))
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _name(path: str | None) -> str | None:
    return Path(path).name if path and Path(path).is_absolute() else path


def is_disturbed(run: dict[str, Any]) -> bool:
    """Whether other programs took more of the machine than a run can bear."""
    return bool((run.get("conditions") or {}).get("disturbed"))


def value_of(run: dict[str, Any], key: str) -> float | None:
    """A run's value, of its latency the mean; None where it has none."""
    value = run.get(key)
    return value["mean"] if isinstance(value, dict) else value


def error_of(run: dict[str, Any]) -> str | None:
    """Why a run gave no figures; None if it gave them."""
    if "error" in run:
        return str(run["error"])
    lacks_mean = any(key in run and value_of(run, key) is None for key in KEYS.values())
    return "it gave too few results for a mean (--seconds makes a run longer)" if lacks_mean else None


class Study:
    """What is known of a study so far.

    data: as results.json holds it.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    @classmethod
    def new(cls, wish: Wish, cells: Sequence[Cell], found: dict[str, Any]) -> "Study":
        """found: machine, models and video."""
        wished = {key: kept(value) if key in FILES else value for key, value in asdict(wish).items()}
        wished["models"] = [kept(model) if Path(model).is_file() else model for model in wish.models]
        begun = {"begun_on": date.today().isoformat(), "complete": False}
        head = {"format": FORMAT, "version": VERSION, **begun, "wish": wished, **found}
        rows = [{**cell.as_data(), "file": kept(cell.file)} for cell in cells]
        return cls({**head, "cells": rows, "runs": [], "extras": []})

    @classmethod
    def load(cls, path: Path) -> "Study":
        """Raises UsageError where the file holds no study, or one of another version."""
        path = path / FILE if path.is_dir() else path
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"Cannot read '{path}': {error.strerror}. Give the results.json of a study.") from error
        except ValueError as error:
            raise UsageError(f"'{path}' is no JSON. Give the results.json of a study.") from error
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise UsageError(f"'{path}' holds no study. Give the results.json of one.")
        if data.get("version") != VERSION:
            raise UsageError(
                f"'{path}' is of version {data.get('version')}; this program reads {VERSION}. Run it anew."
            )
        return cls(data)

    def save(self, folder: Path) -> None:
        """Write results.json, whole. Raises DemoError."""
        write_whole(folder / FILE, _as_text(self.data).encode())

    def finish(self) -> None:
        """All is done. What is left of paths outside the project is the file's name: nobody needs more to read it."""
        self.data["complete"] = True
        wished = self.data["wish"]
        for key in FILES:
            wished[key] = _name(wished[key])
        wished["models"] = [_name(model) for model in wished["models"]]
        for cell in self.data["cells"]:
            cell["file"] = _name(cell["file"])

    @property
    def begun_on(self) -> str:
        """The day, as 2026-11-25."""
        return str(self.data.get("begun_on", "day not recorded"))  # by versions before November 2026

    @property
    def wish(self) -> Wish:
        return Wish(**{key: there(value) if key in FILES else value for key, value in self.data["wish"].items()})

    @property
    def cells(self) -> list[Cell]:
        cells = [{key: cell[key] for key in cell if key != "id"} for cell in self.data["cells"]]
        return [Cell(**{**cell, "file": there(cell["file"])}) for cell in cells]

    def add(self, job: Job, result: dict[str, Any]) -> None:
        """Note down what a job gave."""
        entry = {"job": job.id, "cell": job.cell.id, **result}
        if job.task == "run":
            self.data["runs"].append({**entry, "round": job.round, "order": len(self.data["runs"])})
        else:
            others = [extra for extra in self.data["extras"] if extra["job"] != job.id]
            self.data["extras"] = [*others, {**entry, "task": job.task}]

    @property
    def done(self) -> set[str]:
        """The jobs that need not be done again: all runs, and what was found out; what failed is tried again."""
        found = [extra["job"] for extra in self.data["extras"] if "error" not in extra]
        return {*(run["job"] for run in self.data["runs"]), *found}

    def all_runs(self, cell: Cell) -> list[dict[str, Any]]:
        """Those that gave figures."""
        return [run for run in self.data["runs"] if run["cell"] == cell.id and error_of(run) is None]

    def runs(self, cell: Cell) -> list[dict[str, Any]]:
        """Those whose figures count: the undisturbed ones, or all, where too few of them are undisturbed."""
        every = self.all_runs(cell)
        quiet = [run for run in every if not is_disturbed(run)]
        return quiet if len(quiet) >= MIN_RUNS else every

    def errors(self, cell: Cell) -> list[str]:
        return [why for run in self.data["runs"] if run["cell"] == cell.id and (why := error_of(run)) is not None]

    def extra(self, task: str, cell: Cell) -> dict[str, Any] | None:
        """What a task found out of a cell; None if it was not done."""
        return next((e for e in self.data["extras"] if e["task"] == task and e["cell"] == cell.id), None)

    def values(self, cell: Cell, key: str) -> list[float]:
        """One value a run. key: of KEYS' values; of the latency, each run's mean."""
        return [value for run in self.runs(cell) if (value := value_of(run, key)) is not None]

    def input_size(self, cell: Cell) -> str:
        """Of the network in a cell that was run: '344x256'."""
        return "x".join(map(str, self.runs(cell)[-1]["input_size"]))

    def execution(self, cell: Cell) -> str:
        """The type that a cell executed in, as OpenVINO told it in its last run."""
        runs = self.runs(cell)
        return str(runs[-1].get("execution_precision", "-")) if runs else "-"

    def why_not(self, cell: Cell) -> str | None:
        """Why there is no figure of a cell; None if there is one."""
        if cell.not_measured is not None:
            return cell.not_measured
        if self.runs(cell):
            return None
        errors = self.errors(cell)
        return errors[-1] if errors else "the study was ended before its first run"

    def write_csv(self, folder: Path) -> None:
        """A row a run. Raises DemoError."""
        cells = {cell["id"]: cell for cell in self.data["cells"]}
        text = io.StringIO()
        table = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        for run in self.data["runs"]:
            latency, conditions = run.get("latency_ms") or {}, run.get("conditions") or {}
            flat = {f"latency_{key}_ms": value for key, value in latency.items()}
            table.writerow(cells[run["cell"]] | flat | conditions | run | {"executed_on": _joined(run)})
        write_whole(folder / "results.csv", text.getvalue().encode())


def _joined(run: dict[str, Any]) -> str:
    return " ".join(run.get("executed_on") or [])
