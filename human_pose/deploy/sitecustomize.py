"""Goes beside the folder's standard library; Python runs it at its start. runtime/python is what starts it."""

import os
import sys

_runtime = os.path.dirname(os.path.dirname(os.path.abspath(sys.executable)))  # noqa: PTH100, PTH120
sys.path.append(os.path.join(_runtime, "packages"))  # noqa: PTH118
sys.executable = os.path.join(_runtime, "python")  # noqa: PTH118  # for processes that the program starts
_before = os.environ.pop("HUMAN_POSE_LIBRARY_PATH", None)
if _before:
    os.environ["LD_LIBRARY_PATH"] = _before
elif _before is not None:  # the system's own programs, ffmpeg for example, must not take the folder's libraries
    del os.environ["LD_LIBRARY_PATH"]
