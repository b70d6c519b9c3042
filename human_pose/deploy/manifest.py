"""The manifest: what the folder is, and a line for each file with its size and SHA-256."""

import hashlib
import json
from pathlib import Path
from typing import Any

from ..errors import UsageError

MANIFEST = "manifest.json"


def sha256(path: Path) -> str:
    """The checksum of a file, in hexadecimal digits."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            found.update(piece)
    return found.hexdigest()


def manifest_of(folder: Path, facts: dict[str, Any]) -> bytes:
    """Of all files in a folder. Raises OSError, UsageError."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    lines = {}
    for name, path in files.items():
        if not name.isprintable() or any(sign in name for sign in '"\\'):
            raise UsageError(f"The name of '{name!r}' has signs that a manifest cannot hold. Rename it.")
        checksum = sha256(path)
        size = path.stat().st_size
        # The start script compares the lines, without the checksum, with what `find` and `sort` tell of the folder.
        lines[f'{name}": {size}, '.encode()] = f'  "{name}": {{"size": {size}, "sha256": "{checksum}"}}'
    head = json.dumps(facts, indent=1, ensure_ascii=False).rstrip("\n}")
    listed = ",\n".join(lines[key] for key in sorted(lines))
    return f'{head},\n "files": {{\n{listed}\n }}\n}}\n'.encode()
