import os
import sys

import human_pose  # noqa: F401  before openvino, which it keeps from telling its makers of every test

# Containers often set it. Then each of the hundred processes that tests start compiles the project's modules anew, and
# each of pytest's own the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
