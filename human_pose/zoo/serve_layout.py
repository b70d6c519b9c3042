"""Write a model as OpenVINO Model Server and Triton serve it: one folder for both, for any number of models.

FOLDER/config.json              for OpenVINO Model Server; its paths are relative, so FOLDER may be mounted anywhere
FOLDER/NAME/config.pbtxt        for Triton
FOLDER/NAME/1/model.xml, .bin   version 1 of the network

The graph is the uniform one that the demo itself runs: the preprocessing is inside, a picture comes as bytes, and the
outputs have the names that the decoder reads. So the client has nothing to convert, and sends a quarter of the bytes
that a float input takes.
"""

import contextlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import openvino as ov

from ..errors import DemoError, UsageError, printable
from ..files import check_parent, is_utf8, new_partial, write_whole
from ..inference.model import ModelFile, PoseModel, load_model
from .resolve import LONGEST_NAME

VERSION = "1"
CONFIG = "config.json"  # OpenVINO Model Server's
TRITON_CONFIG = "config.pbtxt"
TYPES = {"u8": "UINT8", "f32": "FP32"}  # of a uniform model's input and outputs
TRITON_INSTANCES = 4  # requests that Triton runs at the same time


@dataclass(frozen=True)
class ServedModel:
    """What to serve, and how.

    name: as the clients call it; None: the model's own. frame_size: width and height of the frames that the input is
    made for; None leaves the input open. size: of a fixed input, the side that --size names; None: the network's own.
    replaces: whether another model of that name is replaced.
    """

    file: ModelFile
    name: str | None = None
    frame_size: tuple[int, int] | None = None
    size: int | None = None
    replaces: bool = False


def serve_layout(folder: Path, wanted: ServedModel) -> tuple[Path, str]:
    """Add a model to a folder, which is made if need be. Returns the model's folder in it, and its inputs and outputs.

    The same model again changes nothing. Raises UsageError or DemoError; then the folder holds what it held before.
    """
    name = wanted.name or wanted.file.name
    _check_name(name)
    _check_folder(folder)
    config = _merged(folder / CONFIG, name, wanted.replaces)
    network = load_model(ov.Core(), wanted.file)
    if wanted.frame_size is None:
        network.reshape_any()
    else:
        network.reshape(*network.size_for(wanted.frame_size, wanted.size))
    network.model.set_friendly_name(name)
    is_new = not folder.exists()
    try:
        folder.mkdir(exist_ok=True)
        _add(folder, name, network, config, wanted.replaces)
    except BaseException as error:
        if is_new:
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            raise _cannot_write(folder, error.strerror or str(error)) from error
        raise
    return folder / name, _described(network.model)


def _check_name(name: str) -> None:
    if not re.fullmatch(r"\w[\w.-]*", name) or len(name.encode()) > LONGEST_NAME:
        raise UsageError(
            f"'{name[:LONGEST_NAME]}' is not a name in an address grpc://host:port/NAME. "
            f"Give --name letters, digits and dashes, {LONGEST_NAME} at most."
        )


def _check_folder(folder: Path) -> None:
    if not is_utf8(folder.absolute()):
        raise UsageError(f"OpenVINO cannot write to '{folder}', whose name is not UTF-8. Give another folder.")
    if folder.is_dir():
        check_parent(folder / CONFIG)
    elif folder.exists():
        raise UsageError(f"'{folder}' is a file. Give a folder, which is made if it is not there.")
    else:
        check_parent(folder)


def _merged(path: Path, name: str, replaces: bool) -> bytes:
    """OpenVINO Model Server's configuration with the model added; what else it holds stays. Raises UsageError."""
    config: Any = {"model_config_list": []}
    try:
        if path.exists():
            config = json.loads(path.read_bytes())
        models = config["model_config_list"]
        found = {entry["config"]["name"]: entry["config"]["base_path"] for entry in models}
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"'{path}' is not a configuration of OpenVINO Model Server. Move it away, or give another folder."
        ) from error
    except OSError as error:
        raise UsageError(f"Cannot read '{path}': {error.strerror}. Give another folder.") from error
    if name in found and PurePath(str(found[name])).name == name:  # with settings of the user's own, perhaps
        return path.read_bytes()
    if name in found and not replaces:
        raise UsageError(
            f"'{path}' has another {name}, in '{printable(str(found[name]))}'. "
            "Give --force to replace it, or another --name."
        )
    models[:] = [entry for entry in models if entry["config"]["name"] != name]
    models.append({"config": {"name": name, "base_path": name}})
    return (json.dumps(config, indent=2) + "\n").encode()


def _add(folder: Path, name: str, network: PoseModel, config: bytes, replaces: bool) -> None:
    """Write the model beside its place and move it there as a whole, and then the configuration."""
    place, written, old = folder / name, new_partial(folder / name), new_partial(folder / name)
    try:
        _write(written, name, network)
        if _is_same(written, place):
            write_whole(folder / CONFIG, config)
            return
        if place.exists():
            _check_replaceable(place, replaces)
            place.rename(old)
        try:
            written.rename(place)
            write_whole(folder / CONFIG, config)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            if old.exists():
                old.rename(place)
            raise
    finally:
        for leftover in (written, old):
            shutil.rmtree(leftover, ignore_errors=True)


def _write(folder: Path, name: str, network: PoseModel) -> None:
    """Write config.pbtxt and the network. Every user may read them: a server is often another one."""
    xml = folder / VERSION / "model.xml"
    xml.parent.mkdir(parents=True)
    (folder / TRITON_CONFIG).write_text(_triton_config(name, network.model), encoding="utf-8")
    try:
        ov.save_model(network.model, xml, compress_to_fp16=network.file.precision != "FP32")
        ov.Core().read_model(xml)  # what a full disk cut off is found here at the latest
    except RuntimeError as error:
        raise _cannot_write(folder.parent, "the disk did not take the network's files") from error


def _is_same(written: Path, place: Path) -> bool:
    """Whether a model's folder holds the same network. An .xml differs from run to run by the names of its layers."""
    try:
        ov.Core().read_model(place / VERSION / "model.xml")
        return all(
            (written / file).read_bytes() == (place / file).read_bytes()
            for file in (TRITON_CONFIG, f"{VERSION}/model.bin")
        )
    except (OSError, RuntimeError):  # RuntimeError: it is not whole
        return False


def _check_replaceable(place: Path, replaces: bool) -> None:
    if not replaces:
        raise UsageError(f"'{place}' holds another model. Give --force to replace it, or another --name.")
    others = sorted({path.name for path in place.iterdir()} - {VERSION, TRITON_CONFIG}) if place.is_dir() else [""]
    if others:  # a further version, say, which this command did not write
        raise UsageError(
            f"'{place / others[0]}' was not written by this command. Move it away, or give another --name."
        )


def _cannot_write(folder: Path, reason: str) -> DemoError:
    return DemoError(f"Cannot write to '{folder}': {reason}. Make room, or give another folder.")


def _tensors(ports: list[ov.Output]) -> list[tuple[str, str, list[int]]]:
    """Of each port: its name, its type as the protocol names it, and its shape with -1 for what is open."""
    return [
        (
            port.get_any_name(),
            TYPES[port.get_element_type().get_type_name()],
            [side.get_length() if side.is_static else -1 for side in port.partial_shape],
        )
        for port in ports
    ]


def _described(model: ov.Model) -> str:
    inputs, outputs = (
        ", ".join(f"{name} {kind} {shape}" for name, kind, shape in _tensors(ports))
        for ports in (model.inputs, model.outputs)
    )
    return f"{inputs} -> {outputs}"


def _triton_config(name: str, model: ov.Model) -> str:
    """Triton's configuration of the model. The shapes have their batch axis, of 1, so max_batch_size is 0."""
    lines = [f"name: {json.dumps(name)}", 'backend: "openvino"', "max_batch_size: 0"]
    for field, ports in (("input", model.inputs), ("output", model.outputs)):
        for tensor, kind, shape in _tensors(ports):
            dims = ", ".join(map(str, shape))
            lines.append(f"{field} [ {{ name: {json.dumps(tensor)} data_type: TYPE_{kind} dims: [ {dims} ] }} ]")
    lines.append(f"instance_group [ {{ count: {TRITON_INSTANCES} kind: KIND_CPU }} ]")
    lines.append('parameters: { key: "PERFORMANCE_HINT" value: { string_value: "THROUGHPUT" } }')
    return "\n".join(lines) + "\n"
