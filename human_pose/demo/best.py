"""The best configuration of this machine, as `python -m human_pose.tune --apply` keeps it."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import openvino as ov

from ..errors import DemoError, UsageError
from ..files import write_whole
from ..folders import cache_folder
from ..inference.configuration import Configuration
from ..inference.devices import full_name
from ..inference.settings import HINTS
from ..invocation import command
from ..zoo.catalog import DEFAULT_MODEL, PRECISIONS
from ..zoo.resolve import choose_model, known_names

BEST = "best"  # the word for it: -d best
FORMAT, VERSION = "human-pose-tuned", 1
FILE = "tuned.json"


@dataclass(frozen=True)
class Best:
    """What was measured to be best, and for what.

    model: a name, or a whole path. requests, streams, threads: None leaves them to the program. goal: what it was tuned
    for. tuned_on: the day. devices: as `machine_of` describes the machine. openvino: its version. sha256: of the
    network's weights.
    """

    goal: str
    tuned_on: str
    device: str
    model: str
    precision: str
    hint: str
    size: int
    requests: int | None
    streams: int | None
    threads: int | None
    devices: dict[str, str]
    openvino: str
    sha256: str

    @property
    def configuration(self) -> Configuration:
        return Configuration(self.device, self.model, self.precision, self.hint, self.size, BEST)

    @property
    def note(self) -> str:
        """What the panel says."""
        return f"best of this machine for {self.goal}, tuned {self.tuned_on}"


def machine_of(core: ov.Core) -> dict[str, str]:
    """The devices of this machine with their full names; the CPU's has the number of cores that can be used."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    names = {name: full_name(core, name) or name for name in core.available_devices}
    return {name: f"{full} (cores: {cores})" if name == "CPU" else full for name, full in names.items()}


def weights_sha256(model: str, precision: str) -> str:
    """The SHA-256 of a network's weights. Raises UsageError or DemoError where it is not here."""
    return hashlib.sha256(choose_model(model, precision).weights.read_bytes()).hexdigest()


def whole_name(model: str) -> str:
    """A model's name, or the whole path of its file, so that it is found from any folder."""
    return model if model in known_names() else str(Path(model).resolve())


def model_option(model: str) -> str:
    """' -m mobilenet-thin'; '' for the default model."""
    return "" if model == DEFAULT_MODEL else f" -m {model}"


def new_best(
    core: ov.Core, goal: str, configuration: Configuration, requests: int | None, streams: int | None,
    threads: int | None,
) -> Best:  # fmt: skip
    """The choice for this machine, of today."""
    c = configuration
    return Best(
        goal, date.today().isoformat(), c.device, whole_name(c.model), c.precision, c.hint, c.size, requests, streams,
        threads, machine_of(core), ov.get_version(), weights_sha256(c.model, c.precision),
    )  # fmt: skip


def keep_best(best: Best) -> Path:
    """Write it to the user's folder, in place of an older one of the same model. Returns the file. Raises DemoError."""
    path = _file()
    if path is None:
        raise DemoError(
            "The choice cannot be kept: your cache folder cannot be written. Set XDG_CACHE_HOME to another."
        )
    choices = _read(path) | {best.model: asdict(best)}
    content = {"format": FORMAT, "version": VERSION, "choices": choices}
    write_whole(path, (json.dumps(content, indent=2) + "\n").encode())
    return path


def load_best(core: ov.Core, model: str) -> Best:
    """The choice for a model. Raises UsageError, with the command to run, where there is none, or it is void here."""
    name = whole_name(model)
    tuning = f"{command('tune')} --apply{model_option(model)}"
    path = _file()
    kept = None if path is None else _read(path).get(name)
    if kept is None:
        raise UsageError(f"Nothing was tuned for {model} on this machine. Run: {tuning}")
    try:
        best = replace(_checked(Best(**kept)), model=model)
        differs = _difference(core, best)
    except (TypeError, DemoError, OSError) as error:
        why = str(error) if isinstance(error, DemoError) else "the file that holds it is damaged."
        raise UsageError(f"What was tuned for {model} cannot be used: {why} Run: {tuning}") from error
    if differs:
        raise UsageError(f"What was tuned for {model} on {best.tuned_on} is void: {differs}. Run: {tuning}")
    return best


def _difference(core: ov.Core, best: Best) -> str:
    """What is different now from when it was tuned; '' for nothing."""
    here = machine_of(core)
    if here != best.devices:
        then, now = (", ".join(f"{name} {full}" for name, full in one.items()) for one in (best.devices, here))
        return f"the machine then had {then}, and now has {now}"
    if ov.get_version() != best.openvino:
        return f"OpenVINO was {best.openvino}, and is {ov.get_version()}"
    if weights_sha256(best.model, best.precision) != best.sha256:
        return "the network's file is another one now"
    return ""


def _checked(best: Best) -> Best:
    """The same. Raises TypeError where a field is not what it should be, as in a file that was edited."""
    numbers = (best.requests, best.streams, best.threads)
    texts = (best.goal, best.tuned_on, best.device, best.model, best.precision, best.hint, best.openvino, best.sha256)
    if not all(isinstance(text, str) for text in texts) or not isinstance(best.devices, dict):
        raise TypeError("a text is none")
    if not all(number is None or (type(number) is int and number > 0) for number in numbers):
        raise TypeError("a number is none")
    if type(best.size) is not int or best.precision not in PRECISIONS or best.hint not in HINTS:
        raise TypeError("a choice is none")
    return best


def _file() -> Path | None:
    folder = cache_folder()
    return None if folder is None else folder / FILE


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """The choices in a file by model; none where it is not there, or of another version."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict) or [content.get(key) for key in ("format", "version")] != [FORMAT, VERSION]:
        return {}
    choices = content.get("choices")
    return choices if isinstance(choices, dict) else {}
