"""What the formats of exporters say about a network, and the user's own JSON, as one `Metadata`."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import UsageError

OWN_KEYS = ("keypoints", "limbs", "colours", "mean", "scale", "padding", "step", "keeps_aspect", "centred", "licence")


@dataclass(frozen=True)
class Metadata:
    """What is known about a network; None or empty where nothing says it.

    task: what it does, 'pose'. keypoint_count, keypoint_values: the keypoints of a person, and the values of each (2 or
    3). classes: the number of kinds of objects. is_rgb, mean, scale, padding, step, keeps_aspect, is_centred: see
    Preprocessing.
    size: the longer side of the input that it was exported with. licence: as the exporter words it.
    """

    task: str | None = None
    keypoint_count: int | None = None
    keypoint_values: int | None = None
    keypoints: tuple[str, ...] | None = None
    limbs: tuple[tuple[str, str], ...] | None = None
    classes: int | None = None
    is_rgb: bool | None = None
    mean: tuple[float, float, float] | None = None
    scale: tuple[float, float, float] | None = None
    padding: int | None = None
    step: int | None = None
    size: int | None = None
    keeps_aspect: bool | None = None
    is_centred: bool | None = None
    licence: str | None = None

    @property
    def says_colours(self) -> bool:
        """Whether it says how the network takes its picture."""
        return self.is_rgb is not None

    def or_else(self, other: "Metadata") -> "Metadata":
        """The same, and where it says nothing, what the other says."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return Metadata(**{name: getattr(other, name) if value is None else value for name, value in own.items()})


def of_ultralytics(values: Mapping[str, Any]) -> Metadata:
    """From the metadata that Ultralytics' exporter writes; all values may be texts."""
    values = {name: _literal(value) for name, value in values.items()}
    names, shape, size = values.get("names"), values.get("kpt_shape"), values.get("imgsz")
    count, length = (
        shape
        if isinstance(shape, list | tuple) and len(shape) == 2 and all(type(number) is int for number in shape)
        else (None, None)
    )
    of_classes = values.get("kpt_names")
    words = next(iter(of_classes.values()), None) if isinstance(of_classes, dict) else of_classes
    task, licence, stride = values.get("task"), values.get("license"), values.get("stride")
    is_its = "task" in values and "stride" in values
    sizes = [side for side in (size if isinstance(size, list | tuple) else [size]) if type(side) is int and side > 0]
    return Metadata(
        task=task if isinstance(task, str) else None,
        keypoint_count=count,
        keypoint_values=length,
        keypoints=tuple(map(str, words)) if isinstance(words, list | tuple) and words else None,
        classes=len(names) if isinstance(names, dict | list) and names else None,
        is_rgb=True if is_its else None,
        mean=(0.0, 0.0, 0.0) if is_its else None,
        scale=(255.0, 255.0, 255.0) if is_its else None,
        padding=114 if is_its else None,
        step=stride if type(stride) is int and stride > 0 else None,
        size=max(sizes, default=None),
        licence=licence if isinstance(licence, str) else None,
    )


def of_model_api(values: Mapping[str, Any]) -> Metadata:
    """From `model_info` of OpenVINO's Model API: colours and values in the words of the Model Optimizer."""
    wanted = {name: str(value) for name, value in values.items() if not isinstance(value, Mapping)}
    says = any(name in wanted for name in ("reverse_input_channels", "scale_values", "mean_values"))
    resize = wanted.get("resize_type")
    padding = _numbers(wanted.get("pad_value"))
    return Metadata(
        is_rgb=wanted.get("reverse_input_channels", "NO").upper() in ("YES", "TRUE", "1") if says else None,
        mean=(_three(wanted.get("mean_values")) or (0.0, 0.0, 0.0)) if says else None,
        scale=(_three(wanted.get("scale_values")) or (1.0, 1.0, 1.0)) if says else None,
        padding=round(padding[0]) if padding and 0 <= padding[0] <= 255 else None,
        keeps_aspect=None if resize is None else resize != "standard",
        is_centred=None if resize is None else resize == "fit_to_window_letterbox",
    )


def of_mmdeploy(values: Any) -> Metadata:
    """From the transforms in MMDeploy's pipeline.json, wherever in it they are."""
    found = Metadata()
    for transform in _objects(values):
        if "mean" in transform and "std" in transform:
            mean, scale = _three(transform["mean"]), _three(transform["std"])
            found = found.or_else(Metadata(is_rgb=bool(transform.get("to_rgb", False)), mean=mean, scale=scale))
        if "pad_val" in transform:
            value = transform["pad_val"]
            numbers = _numbers(value.get("img") if isinstance(value, dict) else value)
            padding = round(numbers[0]) if numbers and 0 <= numbers[0] <= 255 else None
            found = found.or_else(Metadata(padding=padding))
        if "keep_ratio" in transform:
            found = found.or_else(Metadata(keeps_aspect=bool(transform["keep_ratio"])))
    return found


def of_user(values: Any, path: Path) -> Metadata:
    """From the user's own JSON. Raises UsageError that says what is wrong in it; path: its file."""
    if not isinstance(values, dict) or not set(values) <= set(OWN_KEYS):
        raise UsageError(f"'{path}' must hold a JSON object with no other keys than {', '.join(OWN_KEYS)}.")
    names, limbs = values.get("keypoints"), values.get("limbs")
    if names is not None and not (
        isinstance(names, list) and names and all(isinstance(n, str) for n in names) and len({*names}) == len(names)
    ):
        raise UsageError(f"'keypoints' in '{path}' must be a list of different names.")
    if limbs is not None and not (
        isinstance(limbs, list)
        and all(isinstance(limb, list) and len(limb) == 2 and {*limb} <= {*(names or ())} for limb in limbs)
    ):
        raise UsageError(f"'limbs' in '{path}' must be a list of pairs of names that are in 'keypoints'.")
    colours, mean, scale = values.get("colours"), _three(values.get("mean")), _three(values.get("scale"))
    padding, step, licence = (values.get(name) for name in ("padding", "step", "licence"))
    keeps, centred = values.get("keeps_aspect"), values.get("centred")
    for key, is_right, wanted in (
        ("colours", colours in (None, "RGB", "BGR"), "RGB or BGR"),
        ("mean", "mean" not in values or mean is not None, "a number or three"),
        ("scale", "scale" not in values or (scale is not None and all(scale)), "a number or three, none of them 0"),
        ("padding", padding is None or (type(padding) is int and 0 <= padding <= 255), "0 to 255"),
        ("step", step is None or (type(step) is int and 1 <= step <= 256), "1 to 256 pixels"),
        ("keeps_aspect", keeps is None or isinstance(keeps, bool), "true or false"),
        ("centred", centred is None or isinstance(centred, bool), "true or false"),
        ("licence", licence is None or isinstance(licence, str), "a text"),
    ):
        if not is_right:
            raise UsageError(f"'{key}' in '{path}' must be {wanted}.")
    return Metadata(
        keypoints=tuple(names) if names else None,
        limbs=tuple((limb[0], limb[1]) for limb in limbs) if limbs is not None else None,
        is_rgb=None if colours is None else colours == "RGB",
        mean=mean, scale=scale, padding=padding, step=step, keeps_aspect=keeps, is_centred=centred, licence=licence,
    )  # fmt: skip


def _objects(values: Any) -> Iterator[dict[str, Any]]:
    """Every object in JSON, the outer ones first."""
    if isinstance(values, dict):
        yield values
    for value in values.values() if isinstance(values, dict) else values if isinstance(values, list) else ():
        yield from _objects(value)


def _literal(value: Any) -> Any:
    """A value that is written as Python writes it, '[17, 3]'; else the text itself."""
    if isinstance(value, str):
        try:
            return ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return value
    return value


def _numbers(value: Any) -> list[float]:
    """The numbers of a list, of a single number, or of a text such as '[255.0]' or '123.7 116.3 103.5'."""
    if isinstance(value, str):
        value = re.findall(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?", value)
    values = value if isinstance(value, list | tuple) else [value]
    try:
        return [float(number) for number in values if not isinstance(number, bool)]
    except (TypeError, ValueError):
        return []


def _three(value: Any) -> tuple[float, float, float] | None:
    """One number for all colours, or three; None where it is neither."""
    numbers = _numbers(value)
    if len(numbers) == 1:
        numbers *= 3
    return (numbers[0], numbers[1], numbers[2]) if len(numbers) == 3 else None
