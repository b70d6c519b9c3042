"""Convert a pose network of another framework (a TensorFlow graph, ONNX, ...) to an IR in `models/`."""

import tempfile
from pathlib import Path

import openvino as ov

from ..console import hide_library_lines
from ..errors import DemoError, UsageError, first_line
from ..folders import MODELS_FOLDER
from ..inference.metadata import copy_sidecars
from ..inference.model import ModelFile, load_model


def convert(source: Path, name: str, precision: str, models_folder: Path = MODELS_FOLDER) -> Path:
    """Write `source` as models_folder/name/precision/name.xml and .bin; returns the .xml's path.

    precision: FP32, or FP16, which stores the weights in half the space. Raises UsageError that says what is missing
    where the demo cannot run the network.
    """
    if not source.exists():
        raise UsageError(f"Cannot open '{source}': no such file. Give a model that OpenVINO reads.")
    try:
        is_ir = source.suffix == ".xml"  # ov.convert_model does not read IRs
        with hide_library_lines():
            model = ov.Core().read_model(source) if is_ir else ov.convert_model(source)
    except Exception as error:  # each frontend raises its own types
        raise UsageError(f"Cannot convert '{source}': {first_line(error)}") from error
    if any(node.get_type_name() == "FakeQuantize" for node in model.get_ops()):
        raise UsageError(f"'{source}' is quantized and cannot become {precision}. Give the float model it was made of.")
    model.set_friendly_name(name)
    xml = models_folder / name / precision / f"{name}.xml"
    try:
        models_folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".convert-", dir=models_folder) as folder:
            written = Path(folder) / xml.name
            ov.save_model(model, written, compress_to_fp16=precision == "FP16")
            copy_sidecars(source, written)
            try:
                load_model(ov.Core(), ModelFile(name, precision, written))
            except UsageError as error:  # its text names the temporary file
                raise UsageError(str(error).replace(str(written), str(source))) from error
            xml.parent.mkdir(parents=True, exist_ok=True)
            for path in sorted(Path(folder).iterdir(), key=lambda path: path.suffix == ".xml"):  # that last
                path.replace(xml.parent / path.name)
    except OSError as error:
        raise DemoError(f"Cannot write to '{xml.parent}': {error.strerror or error}.") from error
    return xml
