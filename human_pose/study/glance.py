"""A study at a glance: the few figures that a passer-by reads; the conclusions say how sure they are."""

from typing import NamedTuple

from .figures import figures
from .findings import against_fp32, against_original, best, measured, originals
from .plan import FRAMEWORKS, accuracy_cells
from .results import Study


class Tile(NamedTuple):
    """figure: large, with its unit; what: what it is of."""

    figure: str
    what: str


def glance(study: Study) -> list[Tile]:
    """Each model's best throughput and latency, what its fastest precision gives, and OpenVINO over the original."""
    tiles = []
    for model in dict.fromkeys(cell.model for cell in measured(study)):
        cells = [cell for cell in measured(study) if cell.model == model]
        for key, unit, what in (("application_fps", "FPS", "whole application"), ("latency_ms", "ms", "a request")):
            found = best(study, cells, key)
            if found is not None:
                mean = figures(study.values(found.cell, key)).mean
                tiles.append(Tile(f"{mean:.1f} {unit}", f"{model}, {what}: {found.cell.label(False)}"))
        precisions = [
            (ratios["application_fps"], cell) for cell, _, ratios in against_fp32(study) if cell.model == model
        ]
        shown = [(one, cell) for one, cell in precisions if one.is_shown and one.value > 1]
        if shown:
            one, cell = max(shown, key=lambda pair: pair[0].value)
            what = f"{model}, whole application: {cell.precision} over FP32 on {cell.where}"
            tiles.append(Tile(f"{one.value:.2f}x", what))
    for original in originals(study):
        for cell in accuracy_cells(study.cells, study.wish):
            is_same = (cell.model, cell.precision) == (original.model, original.precision)
            if is_same and study.runs(cell) and study.runs(original):
                one = against_original(study, cell, original)["application_fps"]
                if one.is_shown:
                    framework = FRAMEWORKS[original.kind]
                    what = f"{cell.model}, whole application: {cell.label(False)}, over {framework}"
                    tiles.append(Tile(f"{one.value:.2f}x", what))
    return tiles
