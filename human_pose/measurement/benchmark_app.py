"""Inference alone, as OpenVINO's own benchmark_app measures it."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import openvino as ov

from ..errors import DemoError


def throughput(model: ov.Model, execution: str, device: str, hint: str, seconds: float) -> float:
    """FPS of a network of a fixed size. Raises DemoError where the tool tells none.

    execution: the type of compiled.execution_type; seconds: whole ones, 1 at least, are what the tool knows.
    """
    with tempfile.TemporaryDirectory() as folder:
        xml = Path(folder) / "network.xml"
        ov.save_model(model, xml, compress_to_fp16=False)
        tool = "import sys; from openvino.tools.benchmark.main import main; sys.exit(main())"
        command = [sys.executable, "-c", tool, "-m", str(xml), "-d", device, "-hint", hint]
        command += ["-t", str(max(1, round(seconds))), "-infer_precision", execution]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"Throughput:\s+([\d.]+) FPS", done.stdout)
    if found is None:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise DemoError(f"benchmark_app told no throughput: {lines[-1] if lines else 'nothing at all'}")
    return float(found[1])
