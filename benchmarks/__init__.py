"""What backs the figures that the README claims. `python -m benchmarks` runs all of them."""
