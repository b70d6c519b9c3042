"""Poses of many people by OpenVINO, on every device of a machine: the parts of the demo, and a library.

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
    from .poses.draw import draw
    from .poses.pose import Keypoint, Pose

__version__ = "1.0.0"
__all__ = ["DemoError", "Keypoint", "Pose", "PoseEstimator", "UsageError", "__version__", "draw"]

STARTED_AT = time.perf_counter()  # of the program, as nearly as it can tell

# OpenVINO's Python package tells its makers over the network that it is used, at every import. Nobody who runs a demo
# expects that; without the package that does it, OpenVINO works all the same.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # what goes wrong is an error or a message of this package

logging.getLogger(__name__).addHandler(logging.NullHandler())

_WHERE = {
    "PoseEstimator": "api", "DemoError": "errors", "UsageError": "errors", "draw": "poses.draw",
    "Keypoint": "poses.pose", "Pose": "poses.pose",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for: `import human_pose.poses` must not load OpenVINO."""
    if name not in _WHERE:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
