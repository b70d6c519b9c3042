"""Load a network as a uniform model: it takes frames as they are, and has the decoder for its outputs."""

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

import openvino as ov

from ..decoders.decoder import Decoder
from ..errors import UsageError, first_line, printable
from . import one_stage_outputs, openpose_outputs
from .family import image_input
from .float_twin import NOTE, is_quantized, make_float_twin
from .input_size import LARGEST_SIZE, WIDEST_ASPECT, Preprocessing, network_input_size
from .metadata import read_metadata
from .preprocess import fixed_input_size, named_side, take_frames

# The families of networks; each finds its outputs in a graph, and knows its decoder and its preprocessing.
FAMILIES = (openpose_outputs, one_stage_outputs)


@dataclass(frozen=True)
class ModelFile:
    """An IR or an ONNX file on disk, and the precision in which to execute it.

    note: shown beside the name: 'float twin of FP16-INT8' where a quantized file is executed in float, else ''.
    """

    name: str
    precision: str
    path: Path
    note: str = ""

    @property
    def title(self) -> str:
        """'human-pose-estimation-0001 FP16 (float twin of FP16-INT8)'."""
        return f"{self.name} {self.precision}" + (f" ({self.note})" if self.note else "")

    @property
    def weights(self) -> Path:
        """The file that holds the weights."""
        return self.path.with_suffix(".bin") if self.path.suffix == ".xml" else self.path


@dataclass(frozen=True)
class PoseModel:
    """A pose network in a uniform shape.

    model: input `image` u8 (1, height, width, 3) BGR 0..255, and outputs with the names that the decoder reads; this
    does not depend on the file's layout. own_size: of the file's own input, the side that --size names. decoder: turns
    the outputs into poses. preprocessing: how frames are fitted into the input. licence: as the network's makers state
    it in the file or beside it; None where they do not.
    """

    file: ModelFile
    model: ov.Model
    own_size: int
    decoder: Decoder
    preprocessing: Preprocessing
    licence: str | None = None

    @property
    def input_size(self) -> tuple[int, int] | None:
        """Width and height of the input; None where they are open."""
        return fixed_input_size(self.model)

    @property
    def size(self) -> int:
        """Of the input as it is now, the side that --size names."""
        return named_side(self.model, self.preprocessing)

    def size_for(self, frame_size: tuple[int, int], size: int | None = None) -> tuple[int, int]:
        """Width and height of the input for frames of `frame_size` (width, height).

        size: the side that --size names; None: the network's own. Raises UsageError where the network does not take it.
        """
        return network_input_size(frame_size, self.checked_size(size), self.preprocessing)

    def reshape(self, width: int, height: int) -> None:
        """Set the input's size, both sides whole steps. Raises UsageError if the network does not support it."""
        self._reshape(width, height)

    def reshape_open(self, size: int | None = None) -> None:
        """Accept frames of many shapes; size: as in size_for. A network of a fixed size keeps that for all of them."""
        size = self.checked_size(size)
        if self.preprocessing.fixed_size is not None:
            self._reshape(*self.preprocessing.fixed_size)
        elif not self.preprocessing.keeps_aspect:
            self._reshape(size, size)
        else:
            sides = ov.Dimension(*self.preprocessing.open_sides(size))
            self._reshape(sides, sides)

    def reshape_any(self) -> None:
        """Accept an input of every size, without bounds. A network of a fixed size keeps that for all frames."""
        if self.preprocessing.fixed_size is not None:
            self._reshape(*self.preprocessing.fixed_size)
        else:
            self._reshape(ov.Dimension(), ov.Dimension())

    def checked_size(self, size: int | None) -> int:
        """The size that was asked for, or the network's own. Raises UsageError where the network does not take it."""
        if size is None:
            return self.own_size
        if self.preprocessing.fixed_size is not None and size != self.own_size:
            raise UsageError(
                f"'{self.file.path}' takes no other size than its own. Leave --size out, or give {self.own_size}."
            )
        if size % self.preprocessing.step:
            near = self.preprocessing.whole_steps(size)
            raise UsageError(
                f"'{self.file.path}' takes sizes in steps of {self.preprocessing.step} pixels. Give --size {near}, say."
            )
        return size

    def _reshape(self, width: int | ov.Dimension, height: int | ov.Dimension) -> None:
        try:
            self.model.reshape({"image": [1, height, width, 3]})
        except RuntimeError as error:
            wanted = f"{width}x{height}" if isinstance(width, int) else "many sizes"
            raise UsageError(
                f"'{self.file.path}' takes no input of {wanted}: {first_line(error)}. It must "
                "be a fully convolutional network, or the frame and --size must suit its own size."
            ) from error

    def sha256(self) -> str:
        """The SHA-256 of the weights, which identifies the model in a report. A float twin has its quantized file's."""
        return hashlib.sha256(self.file.weights.read_bytes()).hexdigest()


def load_model(core: ov.Core, file: ModelFile) -> PoseModel:
    """Read a file and make it uniform. Raises UsageError if it cannot be read or is not a pose network."""
    try:
        model = core.read_model(file.path)
    except RuntimeError as error:
        raise UsageError(_cannot_read(file, error)) from error
    return make_uniform(model, file)


def make_uniform(model: ov.Model, file: ModelFile) -> PoseModel:
    """Make the graph of a file uniform, partly in place. Raises UsageError if it belongs to no known family."""
    image = image_input(model)
    if image is None:
        raise UsageError(_not_a_pose_network(file, model))
    if file.precision != "FP16-INT8" and is_quantized(model):
        try:
            make_float_twin(model)
        except UsageError as error:
            raise UsageError(f"'{file.path}' cannot run in {file.precision}: {error}. Leave -p out.") from error
        file = replace(file, note=NOTE)
    sides = [side.get_length() for side in image.sides if side.is_static]
    if max(sides, default=0) > WIDEST_ASPECT * LARGEST_SIZE or min(sides, default=0) > LARGEST_SIZE:
        found = "x".join(map(str, reversed(sides)))
        raise UsageError(  # OpenVINO itself ends in a segmentation fault
            f"The input of '{file.path}' is too large: {found}. "
            f"Give a model whose input is {LARGEST_SIZE}x{LARGEST_SIZE} at most, or open."
        )
    metadata = read_metadata(model, file.path)
    fits = (family.fit(model, image, file.path, metadata) for family in FAMILIES)
    fitted = next(filter(None, fits), None)
    if fitted is None:
        raise UsageError(_not_a_pose_network(file, model))
    model = take_frames(fitted.model, image.layout, fitted.preprocessing)
    return PoseModel(
        file, model, fitted.preprocessing.named(sides), fitted.decoder, fitted.preprocessing, metadata.licence
    )


def _cannot_read(file: ModelFile, error: RuntimeError) -> str:
    kind = "an ONNX network" if file.path.suffix == ".onnx" else "an OpenVINO IR"
    elsewhere = re.search(r"externally stored data in file \(([^,)]+)", str(error))
    if elsewhere:
        return (
            f"Cannot read '{file.path}': its weights are in '{printable(elsewhere.group(1))}', which is not there "
            "or does not fit. Put that file beside it."
        )
    return f"Cannot read '{file.path}' as {kind}: {first_line(error)}"


def _not_a_pose_network(file: ModelFile, model: ov.Model) -> str:
    found = [f"{kind} {port.partial_shape}" for kind in ("input", "output") for port in getattr(model, kind + "s")]
    return (
        f"'{file.path}' is not a network of this kind. Expected: one image input with 3 channels, and "
        f"as outputs, {' or '.join(family.EXPECTED for family in FAMILIES)}. Found: {', '.join(found)}."
    )
