"""The rooms of the pose demo; `human_pose_est.py` shows how they work together."""

import os
import sys
import time

STARTED_AT = time.perf_counter()  # of the program, as nearly as it can tell

# OpenVINO's Python package tells its makers over the network that it is used, at every import. Nobody who runs a demo
# expects that; without the package that does it, OpenVINO works all the same.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # what goes wrong is said by the rooms, in one line
