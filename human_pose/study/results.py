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
from ..measurement.cells import Cell, StudyOptions
from .plan import Job

FORMAT, VERSION = "human-pose-study", 3
FILE = "results.json"
FILES = ("input", "plugins", "original", "images", "annotations")  # among the options
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
        text = json.dumps(value, allow_nan=False)
        if isinstance(value, list) and value:
            text = "[\n " + ",\n ".join(json.dumps(row, allow_nan=False) for row in value) + "\n]"
        fields.append(f"{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _name(path: str | None) -> str | None:
    return Path(path).name if path and Path(path).is_absolute() else path


def is_disturbed(run: dict[str, Any]) -> bool:
    """Whether other programs took more of the machine than a run can bear."""
    return bool((run.get("conditions") or {}).get("disturbed"))


def error_of(run: dict[str, Any]) -> str | None:
    """Why a run gave no figures; None if it gave them."""
    if "error" in run:
        return str(run["error"])
    found = [run[key]["mean"] if isinstance(run[key], dict) else run[key] for key in KEYS.values() if key in run]
    return "it gave too few results for a mean (--seconds makes a run longer)" if None in found else None


class Study:
    """What is known of a study so far.

    data: as results.json holds it.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    @classmethod
    def new(cls, options: StudyOptions, cells: Sequence[Cell], found: dict[str, Any]) -> "Study":
        """found: machine, models and video."""
        stored = {key: kept(value) if key in FILES else value for key, value in asdict(options).items()}
        stored["models"] = [kept(model) if Path(model).is_file() else model for model in options.models]
        begun = {"begun_on": date.today().isoformat(), "complete": False}
        head = {"format": FORMAT, "version": VERSION, **begun, "options": stored, **found}
        rows = [{"id": cell.id, **asdict(cell), "file": kept(cell.file)} for cell in cells]
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
        stored = self.data["options"]
        for key in FILES:
            stored[key] = _name(stored[key])
        stored["models"] = [_name(model) for model in stored["models"]]
        for cell in self.data["cells"]:
            cell["file"] = _name(cell["file"])

    @property
    def begun_on(self) -> str:
        """The day, as 2026-11-25."""
        return str(self.data.get("begun_on", "day not recorded"))  # by versions before November 2026

    @property
    def options(self) -> StudyOptions:
        return StudyOptions(
            **{key: there(value) if key in FILES else value for key, value in self.data["options"].items()}
        )

    @property
    def cells(self) -> list[Cell]:
        rows = [{key: row[key] for key in row if key != "id"} for row in self.data["cells"]]
        return [Cell(**{**row, "file": there(row["file"])}) for row in rows]

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
        """A cell's runs that gave figures."""
        return [run for run in self.data["runs"] if run["cell"] == cell.id and error_of(run) is None]

    def errors(self, cell: Cell) -> list[str]:
        """Why its other runs gave none."""
        return [why for run in self.data["runs"] if run["cell"] == cell.id and (why := error_of(run)) is not None]

    def write_csv(self, folder: Path) -> None:
        """A row a run. Raises DemoError."""
        cells = {cell["id"]: cell for cell in self.data["cells"]}
        text = io.StringIO()
        table = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        for run in self.data["runs"]:
            latency = {f"latency_{key}_ms": value for key, value in (run.get("latency_ms") or {}).items()}
            executed_on = {"executed_on": " ".join(run.get("executed_on") or [])}
            table.writerow(cells[run["cell"]] | latency | (run.get("conditions") or {}) | run | executed_on)
        write_whole(folder / "results.csv", text.getvalue().encode())
