"""How a server's model takes a frame and gives its outputs, found by comparing its metadata with the local model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..decoders.decoder import Outputs
from ..errors import UsageError
from .input_size import Preprocessing, network_input_size
from .preprocess import as_floats

JPEG_QUALITY = 95
FLOATS = {"FP32": np.float32, "FP16": np.float16}
Encode = Callable[[np.ndarray], np.ndarray]  # from an input image (1, h, w, 3) uint8 BGR to what is sent


@dataclass(frozen=True)
class TensorInfo:
    """An input or output, as the server describes it. datatype: the protocol's name, 'FP32'; -1 in shape: any size."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.datatype} {list(self.shape)}"


@dataclass(frozen=True)
class Signature:
    """What to send to a model, and what it answers.

    input_name, datatype, encodings: how an input image may be sent; where there are several, only a comparison of the
    outputs tells which is right. fixed_size: width and height of the input, None where they are open. outputs: the
    server's name for each of the decoder's outputs.
    """

    input_name: str
    datatype: str
    encodings: Mapping[str, Encode]
    fixed_size: tuple[int, int] | None
    outputs: Mapping[str, str]

    def size_for(self, frame_size: tuple[int, int], size: int, preprocessing: Preprocessing) -> tuple[int, int]:
        """Width and height of the input for a frame (width, height); size: the side that --size names."""
        return self.fixed_size or network_input_size(frame_size, size, preprocessing)


def signature_of(
    inputs: Sequence[TensorInfo],
    outputs: Sequence[TensorInfo],
    wanted: Mapping[str, Sequence[int]],
    preprocessing: Preprocessing,
    sends_jpeg: bool = False,
) -> Signature:
    """Fit a server's model to the local one.

    wanted: the shape of each output of the local model, with its batch axis; -1 where it is open. Raises UsageError
    where the two do not fit.
    """
    if len(inputs) != 1:
        raise UsageError(f"its model takes {_listed(inputs)}, not one picture")
    image = inputs[0]
    is_encoded = image.datatype == "BYTES"
    layout = "" if is_encoded else _layout(image)
    fixed_size = None
    if layout:
        width, height = image.shape[layout.index("W")], image.shape[layout.index("H")]
        fixed_size = (width, height) if min(width, height) > 0 else None
    encodings: Mapping[str, Encode]
    if is_encoded or sends_jpeg:
        datatype, encodings = "BYTES", {"JPEG": _as_jpeg}
    else:
        datatype, encodings = image.datatype, _encodings(image, layout, preprocessing)
    return Signature(image.name, datatype, encodings, fixed_size, _outputs(outputs, wanted, fixed_size is None))


def _layout(image: TensorInfo) -> str:
    shape = image.shape
    if image.datatype in ("UINT8", *FLOATS) and len(shape) == 4 and shape[0] in (-1, 1):
        if shape[3] == 3:
            return "NHWC"
        if shape[1] == 3:
            return "NCHW"
    raise UsageError(f"its model takes {image}, which is no picture of 3 colours in UINT8, FP32 or FP16")


def _encodings(image: TensorInfo, layout: str, preprocessing: Preprocessing) -> dict[str, Encode]:
    """The ways to send a picture, by name. Whether a model has its preprocessing inside cannot be read from it."""

    def laid_out(values: np.ndarray) -> np.ndarray:
        kind = FLOATS.get(image.datatype, np.uint8)
        return np.ascontiguousarray(values if layout == "NHWC" else values.transpose(0, 3, 1, 2), kind)

    ways: dict[str, Encode] = {"BGR": laid_out}
    if preprocessing.is_rgb:
        ways["RGB"] = lambda picture: laid_out(picture[..., ::-1])
    is_plain = not any(preprocessing.mean) and preprocessing.scale == (1.0, 1.0, 1.0)
    if image.datatype in FLOATS and not is_plain:
        ways["preprocessed"] = lambda picture: laid_out(as_floats(picture, preprocessing))
    return ways


def _as_jpeg(picture: np.ndarray) -> np.ndarray:
    _, encoded = cv2.imencode(".jpg", picture[0], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return np.array([encoded.tobytes()], object)


def _outputs(found: Sequence[TensorInfo], wanted: Mapping[str, Sequence[int]], is_open: bool) -> dict[str, str]:
    """The server's name of each wanted output: the same name, or the only output of its shape."""
    names: dict[str, str] = {}
    for name, shape in wanted.items():
        fits = [one for one in found if one.datatype in FLOATS and _fits(one.shape, shape)]
        same = [one for one in fits if one.name == name]
        if len(same or fits) != 1:
            raise UsageError(
                f"its model gives {_listed(found)}, where this model's decoder reads {name} {list(shape)}: serve the "
                "same network"
            )
        names[name] = (same or fits)[0].name
    return names


def _fits(shape: Sequence[int], wanted: Sequence[int]) -> bool:
    return len(shape) == len(wanted) and all(
        -1 in pair or pair[0] == pair[1] for pair in zip(shape, wanted, strict=True)
    )


def _listed(tensors: Sequence[TensorInfo]) -> str:
    return ", ".join(map(str, tensors)) or "nothing"


def checked(outputs: Outputs, expected: Mapping[str, tuple[int, ...]]) -> Outputs:
    """The outputs, if each has the shape that the local model gives. Raises RuntimeError.

    expected: by name, without the batch axis; -1 where it is open.
    """
    for name, shape in expected.items():
        if not _fits(outputs[name].shape, shape):
            raise RuntimeError(f"the server gives {name} {list(outputs[name].shape)} instead of {list(shape)}")
    return outputs
