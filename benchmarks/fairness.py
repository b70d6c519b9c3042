"""Check that a device's figures do not depend on the devices before and after it: one CPU, two names, both orders.

python -m benchmarks.fairness [--model NAME_OR_XML] [--runs 5] [--seconds 5]

On a machine with only a CPU, AUTO runs on that CPU. A tour visits both and compiles without the cache; the two orders
take turns. Printed are the FPS of AUTO divided by the FPS of the CPU, and the same for latency: 1 is fair.
"""

import argparse

from benchmarks.common import BUNDLED, machine, model_options, run_demo, spread

ORDERS = (("CPU", "AUTO"), ("AUTO", "CPU"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=BUNDLED)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="on each device")
    options = parser.parse_args()
    fps: dict[tuple[str, str], list[float]] = {order: [] for order in ORDERS}
    latency: dict[tuple[str, str], list[float]] = {order: [] for order in ORDERS}
    switching: dict[tuple[str, str], list[float]] = {order: [] for order in ORDERS}
    for _ in range(options.runs):
        for order in ORDERS:
            report = run_demo(
                *model_options(options.model), "--no-cache", "--tour", options.seconds, "--devices", *order
            )
            device = {row["device"]: row for row in report["devices"]}
            fps[order].append(device["AUTO"]["fps"]["mean"] / device["CPU"]["fps"]["mean"])
            latency[order].append(device["AUTO"]["latency_ms"]["mean"] / device["CPU"]["latency_ms"]["mean"])
            switching[order].append(sum(row["while_switching"] for row in report["devices"]))
    print(f"{machine()}; {options.model}")
    print(f"{options.runs} tours in each order, {options.seconds:g} s on each device: median (min to max)")
    print(f"{'order':12}{'AUTO / CPU, FPS':>26}{'AUTO / CPU, latency':>26}{'results while switching':>26}")
    for order in ORDERS:
        print(
            f"{' '.join(order):12}{spread(fps[order], 2):>26}{spread(latency[order], 2):>26}"
            f"{spread(switching[order], 0):>26}"
        )


if __name__ == "__main__":
    main()
