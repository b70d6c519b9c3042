"""Find the file of a model by name and precision, or by path; download it if needed."""

import contextlib
import logging
import os
import re
from pathlib import Path

from ..errors import DemoError, UsageError
from ..folders import BUNDLED_MODELS, MODELS_FOLDER
from ..inference.float_twin import NOTE
from ..inference.model import ModelFile
from ..invocation import command
from .catalog import BUNDLED, CATALOG, DEFAULT_MODEL, ORIGINAL_MODEL, PRECISIONS, ZOO
from .download import download

log = logging.getLogger(__name__)

ZOO_VARIABLE = "HUMAN_POSE_ZOO"  # environment: address of a mirror of the Open Model Zoo's files
SUFFIXES = (".xml", ".onnx")
WANTED = "the .xml of a model that ov.save_model wrote, its .bin beside it, an .onnx file, or the folder of an exporter"
NAMELESS = ("end2end", "model", "openvino_model")  # what exporters call every network: its folder tells it from others
LONGEST_NAME = 100  # bytes of a model's name; it names a folder and two files

WHY_NO_INT8 = (  # of mobilenet-thin; the figures are from docs/quantization.md
    "quantized as it is, it finds 3 % of its keypoints again on a CPU without VNNI; to find 93 %, 48 layers must stay "
    "in float, and then it is hardly faster (docs/quantization.md). "
    f"Give -p FP16 or -m {DEFAULT_MODEL}, or quantize it for your own frames: "
    f"{command('models')} quantize {ORIGINAL_MODEL} --accuracy-control --calibration VIDEO"
)


class ModelUnavailableError(DemoError):
    """A catalog model that is not on disk and cannot be downloaded."""


def choose_model(
    name: str | None, precision: str | None, models_folder: Path = MODELS_FOLDER, allows_twin: bool = True
) -> ModelFile:
    """Find the file of `name`: a name in the catalog or in models_folder, or the path of an IR, .onnx file or folder.

    name: None for the default model. precision: one of catalog.PRECISIONS, or None: FP16-INT8 where the model comes
    with it or has nothing else, else FP16. If a model has only FP16-INT8 here and `allows_twin` is set, its FP32 and
    FP16 are the float twin. Logs one line when it uses another file than the one asked for. Raises UsageError or
    ModelUnavailableError.
    """
    if precision not in (None, *PRECISIONS):
        raise UsageError(f"There is no precision '{precision}'. Give {', '.join(PRECISIONS)}.")
    known = known_names(models_folder)
    if name is None or name in known:
        name = name or default_model(models_folder)
        return _named_model(name, precision or _default_precision(name, models_folder), models_folder, allows_twin)
    if name.endswith(SUFFIXES) or os.sep in name or "/" in name or Path(name).exists():
        return _model_at(Path(name), precision)
    raise UsageError(f"Unknown model '{name}'. Give {_names(known)}, or the path of a network: {WANTED}.")


def model_here(name: str, precision: str | None) -> ModelFile:
    """As choose_model, but what is not on this machine in this precision is refused: no download, no float twin."""
    if name not in known_names():
        return choose_model(name, precision)
    here = [precision for precision in PRECISIONS if _is_whole(model_file(MODELS_FOLDER, name, precision))]
    wanted = precision or _default_precision(name, MODELS_FOLDER)
    if precision is None and wanted not in here and here:
        wanted = here[0]
    if wanted not in here:
        offer = f"It is here in {', '.join(here)}" if here else "It is not here at all"
        raise UsageError(f"{name} is not here in {wanted}. {offer}: {command('models')} list shows every model.")
    return ModelFile(name, wanted, model_file(MODELS_FOLDER, name, wanted))


def default_model(models_folder: Path = MODELS_FOLDER) -> str:
    """DEFAULT_MODEL; in a folder of `human_pose.deploy` without it, the first model that it has."""
    bundled = _folders(BUNDLED_MODELS) if models_folder == MODELS_FOLDER else []
    return bundled[0] if bundled and DEFAULT_MODEL not in bundled else DEFAULT_MODEL


def known_names(models_folder: Path = MODELS_FOLDER) -> list[str]:
    """The names that stand for models: in the catalog, bundled, or in models_folder. They come before paths."""
    bundled = _folders(BUNDLED_MODELS) if models_folder == MODELS_FOLDER else []
    return list(dict.fromkeys([*CATALOG, *bundled, *_folders(models_folder)]))


def models_here(models_folder: Path = MODELS_FOLDER) -> list[str]:
    """The names of the models that can be used without a download."""
    return [
        name
        for name in known_names(models_folder)
        if any(_is_whole(model_file(models_folder, name, precision)) for precision in PRECISIONS)
    ]


def executable_precisions(name: str, models_folder: Path = MODELS_FOLDER) -> list[str]:
    """The precisions in which a model can be executed, FP16-INT8 first; name: as choose_model takes it.

    In float, a quantized file is executed as its float twin, and a file of the other float precision in this one.
    """
    if name in known_names(models_folder):
        has_int8 = name in CATALOG and BUNDLED.get(name) == "FP16-INT8"
        has_int8 |= _is_whole(model_file(models_folder, name, "FP16-INT8"))
    else:
        has_int8 = _model_at(Path(name), None).precision == "FP16-INT8"
    return ["FP16-INT8"] * has_int8 + ["FP16", "FP32"]


def check_new_name(name: str) -> None:
    """Raise UsageError where `name` is not a valid folder name, or belongs to the catalog."""
    if not re.fullmatch(r"\w[\w.-]*", name) or len(name.encode()) > LONGEST_NAME:
        raise UsageError(
            f"'{name[:LONGEST_NAME]}' is not a name for a model. "
            f"Give --name letters, digits and dashes, {LONGEST_NAME} at most."
        )
    if name in CATALOG:
        raise UsageError(f"{name} is a model of the catalog, which is not replaced. Give another --name: {name}-own.")


def _default_precision(name: str, models_folder: Path) -> str:
    """INT8 if it is by the model's makers, else FP16; an INT8 model made here only if there is nothing else."""
    has_int8, has_fp16, has_fp32 = (
        _is_whole(model_file(models_folder, name, p)) for p in ("FP16-INT8", "FP16", "FP32")
    )
    is_makers = BUNDLED.get(name) == "FP16-INT8"
    if has_fp16 or has_fp32:
        return "FP16-INT8" if has_int8 and is_makers else "FP16"
    return "FP16-INT8" if has_int8 or is_makers else "FP16"


def _named_model(name: str, precision: str, models_folder: Path, allows_twin: bool) -> ModelFile:
    """The IR of a model in `precision`. If it is not on disk, it is downloaded, or its float twin is used."""
    own = model_file(models_folder, name, precision)
    remote = CATALOG.get(name, {}).get(precision)
    unavailable: DemoError | None = None
    if not _is_whole(own) and remote is not None:
        try:
            download(remote, os.environ.get(ZOO_VARIABLE, ZOO), own.parent)
        except DemoError as error:
            unavailable = error
            with contextlib.suppress(OSError):
                own.parent.parent.rmdir()  # only if it is empty
    if _is_whole(own):
        return ModelFile(name, precision, own)
    if precision != "FP16-INT8":
        reason = f"{name} has no {precision} file here" + (f" ({str(unavailable).rstrip('.')})" if unavailable else "")
        other = "FP16" if precision == "FP32" else "FP32"
        if _is_whole(model_file(models_folder, name, other)):
            log.info(f"{reason}: executing its {other} file in {precision}.")
            return ModelFile(name, precision, model_file(models_folder, name, other))
        if allows_twin and _is_whole(model_file(models_folder, name, "FP16-INT8")):
            log.info(f"{reason}: executing the {NOTE} in {precision}.")
            return ModelFile(name, precision, model_file(models_folder, name, "FP16-INT8"), NOTE)
    if unavailable is not None:
        raise ModelUnavailableError(f"{name} {precision} is not on this machine. {unavailable}") from unavailable
    if BUNDLED.get(name) == precision:
        raise UsageError(
            f"The {precision} file of {name}, which comes with the project, is gone. Restore '{own.parent}' from it."
        )
    if (name, precision) == (ORIGINAL_MODEL, "FP16-INT8"):
        raise UsageError(f"{name} has no {precision}: {WHY_NO_INT8}")
    here = [folder for folder in _folders(models_folder / name) if _is_whole(model_file(models_folder, name, folder))]
    raise UsageError(
        f"{name} has no {precision}. It is in '{models_folder / name}' as: {', '.join(here) or 'nothing'}."
    )


def model_file(models_folder: Path, name: str, precision: str) -> Path:
    """The path of a model's .xml, which need not exist: in the models folder, or the bundled file, perhaps .onnx."""
    xml = models_folder / name / precision / f"{name}.xml"
    if models_folder == MODELS_FOLDER and not xml.is_file():
        place = BUNDLED_MODELS / name / precision
        bundled = [place / f"{name}{suffix}" for suffix in SUFFIXES]
        found = [path for path in bundled if path.is_file()]
        if found or BUNDLED.get(name) == precision:
            return [*found, bundled[0]][0]
    return xml


def _folders(parent: Path) -> list[str]:
    if not parent.is_dir():
        return []
    return sorted(path.name for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))


def _is_whole(path: Path) -> bool:
    return path.is_file() and (path.suffix != ".xml" or path.with_suffix(".bin").is_file())


def _model_at(given: Path, precision: str | None) -> ModelFile:
    """The IR or ONNX file at a path that the user gave, or in a folder that an exporter wrote."""
    path = _in_folder(given) if given.is_dir() else given
    if path.suffix not in SUFFIXES:
        raise UsageError(f"'{path}' is not an IR. Give {WANTED}.")
    if not path.is_file():
        raise UsageError(f"Cannot open '{path}': no such file. Give {WANTED}, or {_names(list(CATALOG))}.")
    if path.suffix == ".xml":
        if not path.with_suffix(".bin").is_file():
            raise UsageError(f"'{path}' lacks its weights: put '{path.with_suffix('.bin').name}' beside it.")
        content = path.read_bytes()
        if b"<net" not in content:
            raise UsageError(f"'{path}' is not an IR. Give {WANTED}.")
        is_quantized = b"FakeQuantize" in content
    else:
        is_quantized = b"QuantizeLinear" in path.read_bytes()
    name = given.absolute().name if given.is_dir() and path.stem in NAMELESS else path.stem
    if is_quantized and precision not in (None, "FP16-INT8"):
        log.info(f"'{path}' is quantized: executing the {NOTE} in {precision}.")
        return ModelFile(name, precision, path, NOTE)
    if not is_quantized and precision == "FP16-INT8":
        raise UsageError(f"'{path}' is not quantized. Give the quantized IR, or -p FP16 or FP32.")
    return ModelFile(name, "FP16-INT8" if is_quantized else precision or "FP16", path)


def _in_folder(folder: Path) -> Path:
    """The network in a folder. An IR is taken before the ONNX file of the same name that it was made of."""
    found = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())
    names = {path.stem for path in found}
    if not found:
        raise UsageError(f"There is no network in the folder '{folder}'. Give one that holds an .xml or an .onnx file.")
    if len(names) > 1:
        listed = ", ".join(path.name for path in found)
        raise UsageError(f"There is more than one network in the folder '{folder}': {listed}. Give the path of one.")
    return next((path for path in found if path.suffix == ".xml"), found[0])


def _names(names: list[str]) -> str:
    return " or ".join(f"'{name}'" for name in names)
