"""results.json: every run of a study. docs/study-format.md says what each field means."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
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
FILES = ("input", "plugins", "original", "images", "annotations", "remote_ca")  # among the options
FIGURES = ("inference_fps", "application_fps", "latency_ms")  # of a run


def kept(path: str | None) -> str | None:
    """Of a whole path what tells nothing of the machine: from the project's folder on, elsewhere the name alone."""
    if not path or not Path(path).is_absolute():
        return path
    return Path(path).relative_to(PROJECT).as_posix() if Path(path).is_relative_to(PROJECT) else Path(path).name


def _as_text(data: dict[str, Any]) -> str:
    """JSON in which each cell, run and extra is a line."""
    fields = []
    for key, value in data.items():
        text = json.dumps(value, allow_nan=False)
        if isinstance(value, list) and value:
            text = "[\n " + ",\n ".join(json.dumps(row, allow_nan=False) for row in value) + "\n]"
        fields.append(f"{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def is_disturbed(run: dict[str, Any]) -> bool:
    """Whether other programs took more of the machine than a run can bear."""
    return bool((run.get("conditions") or {}).get("disturbed"))


def error_of(run: dict[str, Any]) -> str | None:
    """Why a run gave no figures; None if it gave them."""
    if "error" in run:
        return str(run["error"])
    found = [run[key]["mean"] if isinstance(run[key], dict) else run[key] for key in FIGURES if key in run]
    return "it gave too few results for a mean (--seconds makes a run longer)" if None in found else None


@dataclass
class Study:
    """What is known of a study so far. data: as results.json holds it."""

    data: dict[str, Any]

    @classmethod
    def new(cls, options: StudyOptions, cells: Sequence[Cell], found: dict[str, Any]) -> "Study":
        """found: machine, models and video."""
        begun = {"begun_on": date.today().isoformat(), "complete": False}
        head = {"format": FORMAT, "version": VERSION, **begun, "options": asdict(options), **found}
        rows = [{"id": cell.id, **asdict(cell)} for cell in cells]
        return cls({**head, "cells": rows, "runs": [], "extras": []})

    @classmethod
    def load(cls, path: Path) -> "Study":
        """Raises UsageError where the file holds no study, or one of another version."""
        path = path / FILE if path.is_dir() else path
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is no JSON"
            raise UsageError(f"Cannot read '{path}': {why}. Give the results.json of a study.") from error
        head = [data.get(key) for key in ("format", "version")] if isinstance(data, dict) else []
        if head != [FORMAT, VERSION]:
            raise UsageError(f"'{path}' is no study of version {VERSION}, but {head}. Give another, or run it anew.")
        return cls(data)

    def save(self, folder: Path) -> None:
        """Write results.json, whole. Raises DemoError."""
        write_whole(folder / FILE, _as_text(self.data).encode())

    def finish(self) -> None:
        """All is done. Of paths, `kept` is left: nobody needs more to read the study."""
        options = self.data["options"]
        options |= {key: kept(options.get(key)) for key in FILES} | {"models": list(map(kept, options["models"]))}
        for cell in self.data["cells"]:
            cell["file"] = kept(cell["file"])
        self.data["complete"] = True

    @property
    def options(self) -> StudyOptions:
        return StudyOptions(**self.data["options"])

    @property
    def cells(self) -> list[Cell]:
        return [Cell(**{key: value for key, value in row.items() if key != "id"}) for row in self.data["cells"]]

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
        return [run for run in self._entries(cell) if error_of(run) is None]

    def errors(self, cell: Cell) -> list[str]:
        """Why its other runs gave none."""
        return [why for run in self._entries(cell) if (why := error_of(run)) is not None]

    def _entries(self, cell: Cell) -> list[dict[str, Any]]:
        wanted = cell.id  # put together once, not for each run
        return [run for run in self.data["runs"] if run["cell"] == wanted]
