"""Does a study's jobs one after the other, each in a process of its own, and keeps every result at once."""

import hashlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..devices import VIRTUAL_DEVICES, DeviceCycle, open_core
from ..errors import DemoError
from ..terminal import ProgressLine, StopRequest, minutes, say
from . import machine
from .material import first_frames, models_of
from .original import original_cells
from .plan import ORIGINALS, Cell, Job, Model, Wish, matrix, schedule
from .results import ROOT, Study

HANGS_AFTER_S = 900.0  # besides the time of the measurements: a GPU may compile for minutes
GIVEN_UP_AFTER = 2  # failed runs of a cell that none succeeded of
POLL_S = 0.25


def begin(wish: Wish) -> Study:
    """What is to be done, before anything is measured. Raises UsageError for what cannot work."""
    core = open_core(wish.plugins)
    start = wish.devices[0] if wish.devices else "CPU"
    devices = DeviceCycle(core, start, wish.devices or None).devices
    wish = replace(wish, devices=devices)
    frame = first_frames(wish.input)[0]
    models = models_of(wish)
    there = [model for model in models if model.missing is None]
    if not there:
        raise DemoError(f"No model can be measured: {models[0].missing}")
    cells = matrix(wish, models)
    names = list(dict.fromkeys(model.name for model in models))
    cells += original_cells(wish, names[0], names)
    if importlib.util.find_spec("openvino.tools") and importlib.util.find_spec("openvino.tools.benchmark"):
        single = next((device for device in devices if device.split(":")[0] not in VIRTUAL_DEVICES), "CPU")
        cells.append(Cell("benchmark_app", there[0].name, there[0].precision, there[0].file, single))
    video = Path(wish.input)
    found = {
        "machine": machine.identity(core),
        "models": [_model(model) for model in models],
        "video": {"name": video.name, "frame_size": list(frame.shape[1::-1]), "sha256": _sha256(video)},
    }
    return Study.new(wish, cells, found)


def _model(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "precision": model.precision,
        "file": Path(model.file).name if model.file else None,
        "weights_sha256": None if model.missing else _sha256(Path(model.file).with_suffix(".bin")),
        "missing": model.missing,
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def jobs_of(study: Study) -> list[tuple[Job, str]]:
    """All jobs with the FP32 file that each compares with, those of the runs first."""
    wish, cells = study.wish, study.cells
    jobs = [(job, "") for job in schedule(cells, wish)]
    own = [cell for cell in cells if cell.kind == "openvino" and cell.not_measured is None]
    floats = {cell.model: cell.file for precision in ("FP16", "FP32") for cell in own if cell.precision == precision}
    for cell in accuracy_cells(cells, wish):
        if wish.annotations is not None:
            jobs.append((Job("ap", cell), ""))
        if cell.precision != "FP32" and cell.model in floats:
            jobs.append((Job("agreement", cell), floats[cell.model]))
    originals = [cell for cell in cells if cell.kind in ORIGINALS and cell.not_measured is None]
    jobs += [(Job("check", cell), floats[cell.model]) for cell in originals if cell.model in floats]
    return jobs + [(Job("layers", cell), "") for cell in layer_cells(cells, wish)]


def accuracy_cells(cells: Sequence[Cell], wish: Wish) -> list[Cell]:
    """One for each precision of each model, all on the first device and with the first hint."""
    return [
        cell
        for cell in cells
        if cell.kind == "openvino" and cell.not_measured is None and cell.requests is None
        and cell.device == wish.devices[0] and cell.hint == wish.hints[0] and cell.affinity == "auto"
    ]  # fmt: skip


def layer_cells(cells: Sequence[Cell], wish: Wish) -> list[Cell]:
    """One for each device and affinity, at the first precision there is; MULTI and AUTO have no layers of their own."""
    own = [cell for cell in cells if cell.kind == "openvino" and cell.not_measured is None and cell.requests is None]
    first = [cell for cell in own if (cell.model, cell.precision) == (own[0].model, own[0].precision)]
    return [cell for cell in first if cell.hint == wish.hints[0] and cell.device.split(":")[0] not in ("MULTI", "AUTO")]


def carry_on(study: Study, folder: Path) -> bool:
    """Do what is left to do, writing results.json after each job. Returns whether all of it is done."""
    jobs = [(job, reference) for job, reference in jobs_of(study) if job.id not in study.done]
    progress = ProgressLine(0)
    started_at = time.perf_counter()
    with StopRequest() as stop:
        for number, (job, reference) in enumerate(jobs):
            left = ""
            if number:
                left_s = (time.perf_counter() - started_at) / number * (len(jobs) - number)
                left = f", {minutes(left_s)} left"
            progress.show(f"{number + 1} of {len(jobs)}{left}: {job.task} {job.cell.id}")
            if job.task == "run" and not study.runs(job.cell) and len(study.errors(job.cell)) >= GIVEN_UP_AFTER:
                continue
            result = do(job, study.wish, stop, reference)
            if result is None:
                progress.clear()
                say("Stopped: the report is of what was done; --resume goes on.")
                return False
            if "error" in result:
                say(f"{job.task} of {job.cell.id} failed: {result['error']}")
            study.add(job, result)
            study.save(folder)
    progress.clear()
    study.data["complete"] = True
    study.save(folder)
    return True


def do(job: Job, wish: Wish, stop: StopRequest, reference: str = "") -> dict[str, Any] | None:
    """A job's result, {"error": ...} where its process failed or hung, None where the user asked to stop."""
    if job.task == "run" and not _sleep(wish.pause_s, stop):
        return None
    content = {"task": job.task, "cell": asdict(job.cell), "wish": asdict(wish), "reference": reference}
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    # A group of its own: Ctrl-C is for this program, which ends the process in order.
    process = subprocess.Popen(
        [sys.executable, "-m", "human_pose.study.cell", json.dumps(content)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, errors="replace",
        start_new_session=True, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    allowed_s = HANGS_AFTER_S + 20 * wish.seconds
    deadline = time.monotonic() + allowed_s
    try:
        while not stop and time.monotonic() < deadline:
            try:
                output, errors = process.communicate(timeout=POLL_S)
            except subprocess.TimeoutExpired:
                continue
            return result_of(process.returncode, output, errors)
        return None if stop else {"error": f"no result within {allowed_s:.0f} s"}
    finally:
        if process.poll() is None:
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)  # what it started, too
            process.kill()
            process.communicate()


def result_of(code: int, output: str, errors: str) -> dict[str, Any]:
    """The last line that a cell's process printed, or why there is none."""
    lines = output.strip().splitlines()
    if code == 0 and lines:
        try:
            result: dict[str, Any] = json.loads(lines[-1])
            return result
        except ValueError:
            pass
    said = errors.strip().splitlines()
    ended = f"its process was ended by signal {-code}" if code < 0 else f"its process ended with exit code {code}"
    return {"error": ended + (f": {said[-1]}" if said else "")}


def _sleep(seconds: float, stop: StopRequest) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stop:
        time.sleep(min(POLL_S, max(0.0, until - time.monotonic())))
    return not stop
