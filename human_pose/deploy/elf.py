"""Read what a Linux binary asks of others: the libraries by name, and the newest glibc among its symbols."""

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = b"\x7fELF\x02\x01"  # 64 bit, little endian
X86_64 = 62
DYNAMIC, VERSIONS_NEEDED = 6, 0x6FFFFFFE  # types of sections
LIBRARY_NEEDED = 1  # a tag of the dynamic section

Version = tuple[int, ...]


@dataclass(frozen=True)
class Binary:
    """needed: the names of the libraries that it links to. glibc: the version of glibc that it asks for, (2, 28)."""

    needed: tuple[str, ...]
    glibc: Version


def read_binary(path: Path) -> Binary | None:
    """None where the file is no binary for x86-64. Raises OSError."""
    with path.open("rb") as file:
        header = file.read(64)
        if not header.startswith(MAGIC) or struct.unpack_from("<H", header, 18)[0] != X86_64:
            return None
        sections = _sections(file, header)
        needed: list[str] = []
        glibc: Version = ()
        for kind, offset, size, link in sections:
            if kind not in (DYNAMIC, VERSIONS_NEEDED):
                continue
            content, names = _read(file, offset, size), _read(file, *sections[link][1:3])
            if kind == DYNAMIC:
                needed = [
                    _name(names, value) for tag, value in struct.iter_unpack("<qQ", content) if tag == LIBRARY_NEEDED
                ]
            else:
                glibc = max([glibc, *map(_glibc, _versions(content, names))])
        return Binary(tuple(needed), glibc)


def _sections(file: BinaryIO, header: bytes) -> list[tuple[int, int, int, int]]:
    """Of each section: type, offset and size in bytes, and the number of the section that holds its names."""
    (start,) = struct.unpack_from("<Q", header, 40)
    size, count = struct.unpack_from("<HH", header, 58)
    table = _read(file, start, size * count)
    found = [struct.unpack_from("<IIQQQQII", table, size * number) for number in range(count)]
    return [(kind, offset, length, link) for _, kind, _, _, offset, length, link, _ in found]


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _name(names: bytes, offset: int) -> str:
    return names[offset : names.index(b"\0", offset)].decode()


def _versions(content: bytes, names: bytes) -> list[str]:
    """'GLIBC_2.28', 'GLIBCXX_3.4.21', ...: a list of libraries, each with a list of versions."""
    found = []
    library = 0
    while True:
        _, count, _, first, following = struct.unpack_from("<HHIII", content, library)
        version = library + first
        for _ in range(count):
            _, _, _, name, step = struct.unpack_from("<IHHII", content, version)
            found.append(_name(names, name))
            version += step
        if not following:
            return found
        library += following


def _glibc(version: str) -> Version:
    found = re.fullmatch(r"GLIBC_([\d.]+)", version)
    return tuple(map(int, found[1].split("."))) if found else ()
