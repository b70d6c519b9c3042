"""List the models of the catalog and of the models folder, with their sizes and results of quantization."""

import json
from dataclasses import dataclass
from pathlib import Path

from ..errors import printable
from ..folders import BUNDLED_MODELS, MODELS_FOLDER
from ..inference.float_twin import NOTE as TWIN
from ..inference.metadata import licence_of
from ..inference.model import ModelFile
from ..invocation import IS_DEPLOYED, IS_INSTALLED
from .catalog import BUNDLED, CATALOG, LICENCE, PRECISIONS
from .resolve import known_names, model_file

MB = 1e6


@dataclass(frozen=True)
class Entry:
    """A model in one precision: its state (on disk or not), its size in bytes, a note, and its licence.

    licence: as its makers state it; '' where they do not.
    """

    name: str
    precision: str
    state: str
    size: int
    note: str = ""
    licence: str = ""


def entries(models_folder: Path = MODELS_FOLDER) -> list[Entry]:
    """All models: those of the catalog first, then the others in the folder."""
    found: list[Entry] = []
    places = [models_folder] if models_folder != MODELS_FOLDER else [MODELS_FOLDER, BUNDLED_MODELS]
    for name in known_names(models_folder):
        folders = {path.name for place in places for path in (place / name).glob("[!.]*") if path.is_dir()}
        offered = {*CATALOG.get(name, {}), None if IS_DEPLOYED else BUNDLED.get(name)}
        known = [precision for precision in PRECISIONS if precision in folders | offered]
        found += [_entry(name, precision, models_folder) for precision in known]
    return found


def _entry(name: str, precision: str, models_folder: Path) -> Entry:
    xml = model_file(models_folder, name, precision)
    files = [xml, xml.with_suffix(".bin")] if xml.suffix == ".xml" else [xml]
    remote = CATALOG.get(name, {}).get(precision)
    result = xml.with_suffix(".json")
    if all(file.is_file() for file in files):
        is_inside = BUNDLED.get(name) == precision or (IS_INSTALLED and xml.is_relative_to(BUNDLED_MODELS))
        state = "bundled" if is_inside else "on disk"
        note = _quantization_note(result) if result.is_file() else ""
        size = sum(file.stat().st_size for file in files)
        return Entry(name, precision, state, size, note, licence_text(ModelFile(name, precision, xml)))
    if remote is not None:
        note = f"until then: {TWIN}" if BUNDLED.get(name) == "FP16-INT8" else ""
        return Entry(name, precision, "to be downloaded", sum(file.size for file in remote), note, LICENCE)
    present = sum(file.stat().st_size for file in files if file.is_file())
    return Entry(name, precision, "incomplete", present, f"needs {xml.name} and {xml.stem}.bin")


def licence_text(model: ModelFile) -> str:
    """The licence as a model's makers state it; '' where they do not."""
    return LICENCE if model.name in CATALOG else printable(licence_of(model.path) or "")


def _quantization_note(path: Path) -> str:
    """A short note from the JSON file that `quantize` writes beside a model."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        pck = facts["agreement"]
        torso = pck["within_torso"]
        share = pck["within_pixels"] if torso is None else torso
        return f"{share:.1%} of the float model's keypoints found again on {facts['frames_of']} ({path.name})"
    except (OSError, ValueError, KeyError, TypeError):
        return f"{path.name} cannot be read"


def as_table(rows: list[Entry]) -> str:
    """The models as a table, one line each."""
    cells = [("model", "precision", "state", "MB", "licence", "")]
    cells += [
        (row.name, row.precision, row.state, f"{row.size / MB:.1f}", row.licence or "not stated", row.note)
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    return "\n".join(
        f"{name:{widths[0]}}  {precision:{widths[1]}}  {state:{widths[2]}}  {size:>{widths[3]}}  "
        f"{licence:{widths[4]}}  {note}".rstrip()
        for name, precision, state, size, licence, note in cells
    )
