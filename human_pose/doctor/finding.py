"""What a check finds, and what checks share. What is said of drivers is from their makers' documentation."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .facts import Facts

OK, NOTE, MISSING, PROBLEM = "ok", "note", "missing", "problem"


@dataclass(frozen=True)
class Finding:
    """state: OK; NOTE, worth knowing; MISSING, a device that is not here; PROBLEM.

    remedy: what mends it, '' if nothing does; stops_demo: the demo cannot run at all.
    """

    topic: str
    state: str
    text: str
    remedy: str = ""
    stops_demo: bool = False


Check = Callable[[Facts], Iterator[Finding]]


def install(facts: Facts, debian: str, fedora: str) -> str:
    """The command that installs packages, by their names at Debian and Ubuntu, and at Fedora."""
    known = set(facts.distribution)
    sudo = "" if facts.user == "root" else "sudo "
    if known & {"fedora", "rhel", "centos"}:
        return f"{sudo}dnf install -y {fedora}"
    if known & {"debian", "ubuntu"} or not known:
        return f"{sudo}apt-get install -y {debian}"
    return f"install {debian.replace('--reinstall ', '')} (so they are called at Debian) with your package manager"


def numbers(version: str) -> tuple[int, ...]:
    """'6.8.0-57-generic' -> (6, 8, 0)."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()
