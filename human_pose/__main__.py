"""One command for all programs: `human-pose` is the demo, `human-pose study` the study, and so on.

`python -m human_pose` is the same command.
"""

import importlib
import sys

DEMO = "human_pose_est"
PROGRAMS = {  # the module of each; its `program` reads sys.argv
    "batch": "human_pose.batch.__main__",
    "deploy": "human_pose.deploy.__main__",
    "doctor": "human_pose.doctor.__main__",
    "evaluate": "human_pose.evaluate",
    "models": "human_pose.models",
    "study": "human_pose.study.__main__",
    "tune": "human_pose.tune.__main__",
}


def program() -> None:
    """The console command: the demo, or the program that the first argument names."""
    module = PROGRAMS.get(sys.argv[1], DEMO) if len(sys.argv) > 1 else DEMO
    if module != DEMO:
        del sys.argv[1]
    importlib.import_module(module).program()


if __name__ == "__main__":
    program()
