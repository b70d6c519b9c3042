"""What exporters write about a network: inside an IR or ONNX file, or in a file beside it.

Read, the first that says something first: `NAME.pose.json`, by the user; `pipeline.json`, by MMDeploy; `model_info` in
the file, by OpenVINO's Model API and Ultralytics; `metadata.yaml` or `framework` in the file, by Ultralytics. Nothing
of it must be there.
"""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openvino as ov

from ..errors import UsageError
from .metadata_formats import Metadata, of_mmdeploy, of_model_api, of_ultralytics, of_user
from .yaml_subset import read_yaml

OWN_SUFFIX = ".pose.json"  # NAME.json is what `models quantize` writes
ULTRALYTICS_FILE = "metadata.yaml"
MMDEPLOY_FILE = "pipeline.json"
LICENCE_BYTES = 100_000  # at an IR's end, where its metadata is


def sidecars(path: Path) -> list[Path]:
    """The files beside a network that are read."""
    names = (path.stem + OWN_SUFFIX, MMDEPLOY_FILE, ULTRALYTICS_FILE)
    return [file for name in names if (file := path.with_name(name)).is_file()]


def copy_sidecars(source: Path, target: Path) -> None:
    """Copy the files beside a network to another file of it. Raises OSError."""
    for file in sidecars(source):
        own = target.stem + OWN_SUFFIX
        shutil.copy(file, target.with_name(own if file.name.endswith(OWN_SUFFIX) else file.name))


def read_metadata(model: ov.Model, path: Path) -> Metadata:
    """What the graph and the files beside its file say. Raises UsageError where the user's own file is wrong."""
    found = Metadata()
    for file in sidecars(path):
        if file.name.endswith(OWN_SUFFIX):
            found = found.or_else(of_user(_json(file), file))
        elif file.name == MMDEPLOY_FILE:
            found = found.or_else(of_mmdeploy(_json(file)))
    inside = _tree(model.get_rt_info())
    found = found.or_else(of_model_api(inside.get("model_info", {})))
    beside = path.with_name(ULTRALYTICS_FILE)
    if beside.is_file():
        found = found.or_else(of_ultralytics(read_yaml(_text(beside))))
    return found.or_else(of_ultralytics(inside.get("framework", {})))


def licence_of(path: Path) -> str | None:
    """The licence that a file states, without reading its graph; None where it states none."""
    beside = path.with_name(ULTRALYTICS_FILE)
    own = path.with_name(path.stem + OWN_SUFFIX)
    if own.is_file() and isinstance(stated := _json_or_nothing(own).get("licence"), str):
        return stated
    if beside.is_file() and isinstance(stated := read_yaml(_text(beside)).get("license"), str):
        return stated
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LICENCE_BYTES))
            end = file.read().decode(errors="replace")
    except OSError:
        return None
    inside = re.search(r'<license value="([^"<]+)"', end)
    return inside.group(1) if inside else None


def _tree(info: Any) -> Any:
    """OpenVINO's rt_info as plain texts and dictionaries."""
    if isinstance(info, Mapping) or type(info).__name__ == "RTMap":
        return {name: _tree(info[name]) for name in info}
    return getattr(info, "value", info)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"Cannot read '{path}': {error.strerror}.") from error


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"'{path}' is not JSON: {error}.") from error


def _json_or_nothing(path: Path) -> dict[str, Any]:
    try:
        values = _json(path)
    except UsageError:
        return {}
    return values if isinstance(values, dict) else {}
