"""The demo, which ends with exit code HANGS where a device gives no result for a while, instead of going on.

The emulation itself may hang: OpenVINO and Intel's OpenCL runtime share one TBB on two cores, and now and then all of
their threads wait for it while a network is loaded and a kernel is to run (2 of 17 tours; a debugger shows it).
"""

import os
import sys
from pathlib import Path

HANGS = 75
HANGS_AFTER_S = 30.0

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import human_pose_est
    from human_pose.inference import estimator
    from human_pose.inference.configuration import Configuration

    estimator.HANGS_AFTER_S = HANGS_AFTER_S
    fail = estimator.Estimator._fail

    def end_or_fail(self: estimator.Estimator, configuration: Configuration, reason: str) -> None:
        if reason.startswith("no result within"):
            os._exit(HANGS)
        fail(self, configuration, reason)

    estimator.Estimator._fail = end_or_fail  # type: ignore[method-assign]
    human_pose_est.program()
