"""One job, in a process of its own: python -m human_pose.study.cell '<json>' prints its result as JSON.

The JSON holds the job's task, the cell and the wish (see plan.py). A failure is printed as {"error": ...}.
"""

import json
import os
import sys
from typing import Any

from ..console import show_messages
from ..errors import DemoError, first_line
from ..inference.estimator import must_not_be_torn_down
from ..measurement import throughput as measure
from ..measurement.cells import ORIGINALS, Cell, Wish
from . import accuracy, hetero, original

RUNS = {"openvino": measure.openvino_run, "benchmark_app": measure.benchmark_app_run}


def do(task: str, cell: Cell, wish: Wish, reference: str) -> dict[str, Any]:
    """A run, or what is found out once of a cell.

    reference: the file of the FP32 network that 'agreement', 'check' and the original compare with.
    """
    match task:
        case "run" if cell.kind in ORIGINALS:
            return original.run(cell, wish, reference)
        case "run":
            return RUNS[cell.kind](cell, wish)
        case "agreement":
            return accuracy.agreement(cell, wish, reference)
        case "ap":
            return accuracy.average_precision(cell, wish)
        case "check":
            return original.check(cell, wish, reference)
        case _:
            return hetero.explain(cell, wish)


def main(argument: str) -> int:
    show_messages()
    job = json.loads(argument)
    try:
        result = do(job["task"], Cell(**job["cell"]), Wish(**job["wish"]), job.get("reference", ""))
    except DemoError as error:
        result = {"error": str(error)}
    except Exception as error:  # whatever a device's driver may raise: it is this cell's result
        result = {"error": f"{type(error).__name__}: {first_line(error)}"}
    print("\n" + json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    exit_code = main(sys.argv[1])
    if must_not_be_torn_down():
        os._exit(exit_code)
    sys.exit(exit_code)
