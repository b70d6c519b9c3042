"""Pose estimation of many people with OpenVINO, on every device of a machine: a library, and the parts of the demo.

from human_pose import PoseEstimator

estimator = PoseEstimator("human-pose-estimation-0001", device="CPU")
for frame, poses in estimator.run("gym.mp4"):
    print(frame.index, [pose["right_wrist"] for pose in poses])
"""

import logging
import os
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import PoseEstimator
    from .errors import DemoError, UsageError
    from .inference.remote_address import RemoteSettings
    from .poses.draw import draw
    from .poses.pose import Keypoint, Pose

__version__ = "1.0.0"
__all__ = ["DemoError", "Keypoint", "Pose", "PoseEstimator", "RemoteSettings", "UsageError", "__version__", "draw"]

STARTED_AT = time.perf_counter()  # when the program started, as early as it can be read

# At every import, OpenVINO's Python package reports its use to its makers over the network. Nobody who runs a demo
# expects that. OpenVINO works without the package that sends the report, so this line blocks its import.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # this package reports errors itself

logging.getLogger(__name__).addHandler(logging.NullHandler())

_MODULES = {
    "PoseEstimator": "api", "DemoError": "errors", "UsageError": "errors", "draw": "poses.draw",
    "Keypoint": "poses.pose", "Pose": "poses.pose", "RemoteSettings": "inference.remote_address",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name on first use: `import human_pose.poses` must not load OpenVINO."""
    if name not in _MODULES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
