"""Does a study's jobs one after the other, each in a process of its own, and keeps every result at once."""

import contextlib
import hashlib
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import openvino as ov

from ..console import ProgressLine, StopRequest, minutes, say
from ..errors import DemoError, UsageError
from ..inference.backend import VIRTUAL_DEVICES, members_of
from ..inference.backends import check_device
from ..inference.devices import is_emulated, is_stand_in, missing_devices, offered_devices, open_core
from ..inference.model import ModelFile
from ..inference.remote_address import is_remote
from ..measurement import machine
from ..measurement.cells import ORIGINALS, StudyOptions
from ..measurement.workload import NOT_GIVEN, first_frames, models_of
from .original import original_cells
from .plan import Job, accuracy_cells, in_matrix, layer_cells, matrix, schedule
from .results import Study, is_disturbed

HANGS_AFTER_S = 900.0  # besides the time of the measurements: a GPU may compile for minutes
SLOWEST_FRAME_S = 4.0
GIVEN_UP_AFTER = 2  # failed runs of a cell that none succeeded of
POLL_S = 0.25
PACKAGE_PARENT = Path(__file__).resolve().parents[2]  # so that the processes find the package that started them


def begin(options: StudyOptions) -> Study:
    """What is to be done, before anything is measured. Raises UsageError for what cannot work."""
    core = open_core(options.plugins)
    devices, missing = devices_of(core, options)
    options = replace(options, devices=devices)
    frame = first_frames(options.input)[0]
    models = models_of(options)
    there = [model for model in models if model.missing is None]
    if not there:
        reasons = [model.missing for model in models if model.missing != NOT_GIVEN]
        if not reasons:
            raise UsageError("No model can be measured: it has none of these precisions. Give others, or other files.")
        raise DemoError(f"No model can be measured: {reasons[0]}")
    cells = matrix(options, models)
    names = list(dict.fromkeys(model.name for model in models))
    cells += original_cells(options, names[0], names)
    if not options.quick:
        own_devices = [device for device in devices if not is_remote(device)]
        single = next((device for device in own_devices if device.split(":")[0] not in VIRTUAL_DEVICES), "CPU")
        compared = (there[0].name, single, "throughput")
        own = [cell for cell in in_matrix(cells) if (cell.model, cell.device, cell.hint) == compared]
        cells += [replace(cell, kind="benchmark_app") for cell in own]
    cells = [
        cell
        if is_remote(cell.device)
        else replace(cell, is_stand_in=is_stand_in(core, cell.device), is_emulated=is_emulated(core, cell.device))
        for cell in cells
    ]
    video = Path(options.input)
    found = {
        "machine": machine.identity(core),
        "missing_devices": missing,
        "models": [
            {**asdict(m), "file": Path(m.file).name or None, "weights_sha256": None if m.missing else _weights(m.file)}
            for m in models
        ],
        "video": {"name": video.name, "frame_size": list(frame.shape[1::-1]), "sha256": _sha256(video)},
    }
    return Study.new(options, cells, found)


def devices_of(core: ov.Core, options: StudyOptions) -> tuple[list[str], dict[str, str]]:
    """The devices to be measured, and those that cannot be, with the reason.

    Left to itself, it is all that the machine has; a CPU alone lacks what the study is about, and the report says so.
    Raises UsageError for what OpenVINO knows no device by, or where nothing is left.
    """
    lacking = missing_devices(core)
    wanted = options.devices
    if not wanted:
        joined = ["MULTI:GPU,CPU", "HETERO:GPU,CPU"] if len(core.available_devices) == 1 else []
        # AUTO is one of the others, or two of them while the slower one still compiles.
        there = [device for device in offered_devices(core) if not device.startswith("AUTO")]
        wanted = [*there, *lacking, *joined]
    missing: dict[str, str] = {}
    for device in wanted:
        for member in members_of(device):
            kind = member.partition(".")[0]  # 'GPU.1' -> 'GPU'
            if kind in lacking:
                missing.setdefault(device, f"there is no {kind}: {lacking[kind]}")
            else:
                check_device(core, member)
    there = [device for device in wanted if device not in missing]
    for device in there or wanted:
        check_device(core, device)
    servers_last = sorted(there, key=is_remote)  # the first device is the one that others are compared with
    return list(dict.fromkeys(servers_last)), missing


def _weights(file: str) -> str:
    return _sha256(ModelFile("", "", Path(file)).weights)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_same_machine(study: Study) -> None:
    """Raise UsageError where a study was begun on another machine, with other versions or files: no mixing of runs."""
    begun, now = study.data["machine"], machine.identity(open_core(study.options.plugins))
    changed = [key for key in now if now[key] != begun.get(key)]
    if _sha256(Path(study.options.input)) != study.data["video"]["sha256"]:
        changed.append("video")
    if {_weights(cell.file) for cell in in_matrix(study.cells)} - {m["weights_sha256"] for m in study.data["models"]}:
        changed.append("weights")
    if changed:
        raise UsageError(
            f"The study was begun on another machine, or with others of these: {', '.join(changed)}. Runs of both "
            "cannot be mixed. Begin one anew with another --output."
        )


def jobs_of(study: Study) -> list[Job]:
    """All jobs, those of the runs first."""
    options, cells, floats = study.options, study.cells, references(study)
    compared = [cell for cell in accuracy_cells(cells, options) if cell.precision != "FP32" and cell.model in floats]
    originals = [cell for cell in cells if cell.kind in ORIGINALS and cell.not_measured is None]
    wanted = {
        "ap": accuracy_cells(cells, options) if options.annotations is not None else [],
        "agreement": compared,
        "check": [cell for cell in originals if cell.model in floats],
        "layers": layer_cells(cells, options),
    }
    return schedule(cells, options) + [Job(task, cell) for task, those in wanted.items() for cell in those]


def references(study: Study) -> dict[str, str]:
    """Each model's file that stands for the network in f32: FP32's, or FP16's where there is no other."""
    own = [cell for cell in study.cells if cell.kind == "openvino" and cell.not_measured is None]
    return {cell.model: cell.file for precision in ("FP16", "FP32") for cell in own if cell.precision == precision}


def carry_on(study: Study, folder: Path) -> bool:
    """Do what is left to do, writing results.json after each job. Returns whether all of it is done."""
    is_done = work_off(jobs_of(study), study, folder) and work_off(repeats(study), study, folder)
    if is_done:
        study.finish()
        study.save(folder)
    return is_done


def repeats(study: Study) -> list[Job]:
    """The runs that other programs disturbed once more, in random order; what is disturbed again stays so."""
    options = study.options
    jobs = [
        Job("run", cell, options.runs + number)
        for cell in study.cells
        for number in range(sum(is_disturbed(run) for run in study.all_runs(cell) if run["round"] < options.runs))
        if not options.quick
    ]
    return random.Random(options.seed).sample(jobs, len(jobs))


def work_off(wanted: list[Job], study: Study, folder: Path) -> bool:
    """Do the jobs that are not done yet. Returns False where the user asked to stop."""
    jobs = [job for job in wanted if job.id not in study.done]
    floats = references(study)
    progress = ProgressLine(0)
    started_at = time.perf_counter()
    with StopRequest() as stop:
        for index, job in enumerate(jobs):
            left_s = (time.perf_counter() - started_at) / max(index, 1) * (len(jobs) - index)
            left = f", {minutes(left_s)} left" if index else ""
            progress.show(f"{index + 1} of {len(jobs)}{left}: {job.task} {job.cell.label()}")
            if job.task == "run" and len(study.errors(job.cell)) >= GIVEN_UP_AFTER and not study.all_runs(job.cell):
                continue
            result = do(job, study.options, stop, floats.get(job.cell.model, ""))
            if result is None:
                progress.clear()
                say("Stopped: the report is of what was done; --resume goes on.")
                return False
            if "error" in result:
                say(f"{job.task} of {job.cell.label()} failed: {result['error']}")
            study.add(job, result)
            study.save(folder)
    progress.clear()
    return True


def do(job: Job, options: StudyOptions, stop: StopRequest, reference: str = "") -> dict[str, Any] | None:
    """A job's result, {"error": ...} where its process failed or hung, None where the user asked to stop."""
    begins_at = time.monotonic() + (options.pause_s if job.task == "run" else 0)
    while not stop and (left_s := begins_at - time.monotonic()) > 0:
        time.sleep(min(POLL_S, left_s))
    if stop:
        return None
    content = {"task": job.task, "cell": asdict(job.cell), "options": asdict(options), "reference": reference}
    paths = os.pathsep.join(filter(None, (str(PACKAGE_PARENT), os.environ.get("PYTHONPATH"))))
    # A group of its own: Ctrl-C is for this program, which ends the process in order.
    process = subprocess.Popen(
        [sys.executable, "-m", "human_pose.study.cell", json.dumps(content)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, errors="replace",
        start_new_session=True, creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    allowed_s = HANGS_AFTER_S + 20 * options.seconds + SLOWEST_FRAME_S * (options.frames or 0)
    allowed_s = math.inf if job.task == "ap" else allowed_s  # as many images as there are
    result = {"error": f"no result within {allowed_s:.0f} s"}
    deadline = time.monotonic() + allowed_s
    try:
        while not stop and time.monotonic() < deadline:
            with contextlib.suppress(subprocess.TimeoutExpired):
                output, errors = process.communicate(timeout=POLL_S)
                result = result_of(process.returncode, output, errors)
                break
    finally:
        if process.poll() is None:
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)  # what it started, too
            process.kill()
            process.communicate()
    return None if stop else result  # the process may have been told to stop, too


def result_of(code: int, output: str, errors: str) -> dict[str, Any]:
    """The last line that a cell's process printed, or why there is none."""
    lines, said = output.strip().splitlines(), errors.strip().splitlines()
    if code == 0 and lines:
        with contextlib.suppress(ValueError):
            result: dict[str, Any] = json.loads(lines[-1])
            return result
    ended = f"its process was ended by signal {-code}" if code < 0 else f"its process ended with exit code {code}"
    return {"error": ended + (f": {said[-1]}" if said else "")}
