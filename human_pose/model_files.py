"""From a model's name and precision, or a path, to its file on disk; downloaded if need be."""

import contextlib
import os
from pathlib import Path

from .catalog import BUNDLED_MODEL, CATALOG, DEFAULT_MODEL, ZOO
from .download import download
from .errors import DemoError, UsageError
from .network import ModelFile
from .terminal import say

MODELS_FOLDER = Path(__file__).resolve().parent.parent / "models"
ZOO_VARIABLE = "HUMAN_POSE_ZOO"  # environment: address of a mirror of the Open Model Zoo's files

WHY_NO_INT8 = (  # of the bundled model; the figures are docs/quantization.md's
    "quantized as it is, it finds 3 % of its keypoints again; with the 48 layers in float that it takes to find 93 %, "
    "little of the speed is left (docs/quantization.md). "
    f"Give -p FP16 or -m {DEFAULT_MODEL}, or make one that is measured on your own frames: "
    f"python -m human_pose.models quantize {BUNDLED_MODEL} --accuracy-control --calibration VIDEO"
)


class ModelUnavailableError(DemoError):
    """A catalog model that is not on disk and cannot be downloaded."""


def choose_model(name: str | None, precision: str | None, models_folder: Path = MODELS_FOLDER) -> ModelFile:
    """Find the IR of `name`: a name in the catalog or in models_folder, or the path of an .xml.

    name: None for the default model, or the bundled one where that cannot be downloaded.
    precision: one of catalog.PRECISIONS, or None for FP16 (for a path: FP16-INT8 if the IR is quantized, else FP16).
    Says in one line when something other than asked for is used. Raises UsageError or ModelUnavailableError.
    """
    if name is None:
        try:
            return _catalog_model(DEFAULT_MODEL, precision or "FP16", models_folder)
        except ModelUnavailableError as error:
            if precision == "FP16-INT8":
                raise ModelUnavailableError(f"{error} The bundled {BUNDLED_MODEL} has no FP16-INT8.") from error
            say(f"{error} Running the bundled {BUNDLED_MODEL} instead.")
            return _catalog_model(BUNDLED_MODEL, precision or "FP16", models_folder)
    known = list(dict.fromkeys([*CATALOG, *_folders(models_folder)]))
    if name in known:
        return _catalog_model(name, precision or "FP16", models_folder)
    if name.endswith(".xml") or os.sep in name or "/" in name or Path(name).exists():
        return _model_at(Path(name), precision)
    raise UsageError(f"Unknown model '{name}'. Give {_names(known)}, or the path of an IR's .xml.")


def _catalog_model(name: str, precision: str, models_folder: Path) -> ModelFile:
    """The IR of a catalog model in `precision`; downloaded if it is not on disk."""
    own = models_folder / name / precision / f"{name}.xml"
    remote = CATALOG.get(name, {}).get(precision)
    unavailable: DemoError | None = None
    if not _is_whole(own) and remote is not None:
        try:
            download(remote, os.environ.get(ZOO_VARIABLE, ZOO), own.parent)
        except DemoError as error:
            unavailable = error
            with contextlib.suppress(OSError):
                own.parent.parent.rmdir()  # if it is empty
    if _is_whole(own):
        return ModelFile(name, precision, own)
    if precision in ("FP32", "FP16"):
        twin = "FP16" if precision == "FP32" else "FP32"
        other = models_folder / name / twin / f"{name}.xml"
        if _is_whole(other):
            say(f"{name} has no {precision} file here: executing its {twin} file in {precision}.")
            return ModelFile(name, precision, other)
    if unavailable is not None:
        raise ModelUnavailableError(f"{name} {precision} is not on this machine. {unavailable}") from unavailable
    if (name, precision) == (BUNDLED_MODEL, "FP16-INT8"):
        raise UsageError(f"{name} has no {precision}: {WHY_NO_INT8}")
    here = [folder for folder in _folders(models_folder / name) if _is_whole(models_folder / name / folder / own.name)]
    raise UsageError(
        f"{name} has no {precision}. It is in '{models_folder / name}' as: {', '.join(here) or 'nothing'}."
    )


def _folders(parent: Path) -> list[str]:
    if not parent.is_dir():
        return []
    return sorted(path.name for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))


def _is_whole(xml: Path) -> bool:
    return xml.is_file() and xml.with_suffix(".bin").is_file()


def _model_at(xml: Path, precision: str | None) -> ModelFile:
    """The IR at a path that the user gave."""
    if xml.suffix != ".xml":
        raise UsageError(f"'{xml}' is no IR. Give the .xml of a model that ov.save_model wrote, its .bin beside it.")
    if not xml.is_file():
        raise UsageError(
            f"Cannot open '{xml}': no such file. Give the path of an IR's .xml, or {_names(list(CATALOG))}."
        )
    if not xml.with_suffix(".bin").is_file():
        raise UsageError(f"'{xml}' lacks its weights: put '{xml.with_suffix('.bin').name}' beside it.")
    text = xml.read_text(encoding="utf-8", errors="replace")
    if "<net" not in text:
        raise UsageError(f"'{xml}' is no IR. Give the .xml of a model that ov.save_model wrote, its .bin beside it.")
    is_quantized = "FakeQuantize" in text
    if is_quantized and precision not in (None, "FP16-INT8"):
        raise UsageError(f"'{xml}' is quantized and cannot run in {precision}. Leave -p out, or give a float IR.")
    if not is_quantized and precision == "FP16-INT8":
        raise UsageError(f"'{xml}' is not quantized. Give the quantized IR, or -p FP16 or FP32.")
    return ModelFile(xml.stem, "FP16-INT8" if is_quantized else precision or "FP16", xml)


def _names(names: list[str]) -> str:
    return " or ".join(f"'{name}'" for name in names)
