"""The accuracy of a candidate where it is known: AP over 200 images of COCO, as docs/accuracy.md has it."""

from collections.abc import Collection

from ..zoo.catalog import DEFAULT_MODEL, ORIGINAL_MODEL

# (model, executed in, size): AP in percent. Executed in: INT8, with floats beside it; f32 (f16 is near it); bf16.
KNOWN_AP = {
    (DEFAULT_MODEL, "INT8", 256): 43.7,
    (DEFAULT_MODEL, "INT8", 368): 53.8,
    (DEFAULT_MODEL, "INT8", 512): 54.8,
    (DEFAULT_MODEL, "f32", 256): 43.7,
    (DEFAULT_MODEL, "f32", 368): 54.0,
    (DEFAULT_MODEL, "f32", 512): 54.8,
    (DEFAULT_MODEL, "bf16", 256): 43.5,
    (DEFAULT_MODEL, "bf16", 368): 53.8,
    (ORIGINAL_MODEL, "f32", 256): 28.6,
    (ORIGINAL_MODEL, "f32", 368): 36.6,
    (ORIGINAL_MODEL, "f32", 512): 40.3,
    (ORIGINAL_MODEL, "bf16", 256): 28.1,
    (ORIGINAL_MODEL, "bf16", 368): 36.1,
}


def known_ap(model: str, types: Collection[str], size: int) -> float | None:
    """AP, 0 to 1, of a model of the catalog; None where it was not measured.

    types: in which it executes, such as {'INT8', 'f32'}. f16 is taken for f32: it keeps more of a value than bf16.
    """
    kind = "INT8" if "INT8" in types else "bf16" if "bf16" in types else "f32"
    ap = KNOWN_AP.get((model, kind, size))
    return None if ap is None else ap / 100


def known_sizes(model: str) -> list[int]:
    """The sizes of a model's input of which AP is known."""
    return sorted({size for name, _, size in KNOWN_AP if name == model})
