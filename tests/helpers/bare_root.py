"""A folder seen from a system in which nothing is installed: a root made by debootstrap, entered by chroot.

What runs there has no network, finds its root and the folder read-only, and reaches the screen outside through the
socket of its display.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

TOOLS = ("unshare", "mount", "chroot")
PATIENCE_S = 120
NOBODY = 65534

# The mounts are in a namespace of this process alone, and end with it. Arguments: root, folder, the place where the
# folder is seen, user, then variables, "--" and the command.
ENTER = """
set -euo pipefail
root=$1 folder=$2 place=$3 user=$4
shift 4
variables=()
while [ "$1" != -- ]; do variables+=("$1"); shift; done
shift
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
for empty in dev opt root run tmp; do mount -t tmpfs -o mode=0755 tmpfs "$root/$empty"; done
chmod 1777 "$root/tmp"
chmod 700 "$root/root"
mkdir -m 1777 "$root/dev/shm"
for device in null zero random urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/tmp/.X11-unix"
[ ! -d /tmp/.X11-unix ] || mount --bind /tmp/.X11-unix "$root/tmp/.X11-unix"
mkdir -p "$root$place"
mount --bind "$folder" "$root$place"
mount -o remount,bind,ro "$root$place"
cd /
exec chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin LANG=C.UTF-8 "${variables[@]}" \
    setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
"""


def missing_to_enter() -> str:
    """What is missing here to enter a root, for a test that skips; empty if nothing is."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"{' and '.join(missing)} not installed: sudo apt-get install -y util-linux coreutils"
    if os.geteuid() != 0:
        return "to enter a root takes root rights: sudo"
    tried = subprocess.run(["unshare", "-m", "-n", "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"no namespaces can be made here: {tried.stderr.strip()}"


def programs_of(root: Path) -> set[str]:
    """The names of all programs in the usual places of a root."""
    places = ("bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin")
    return {file.name for place in places if (root / place).is_dir() for file in (root / place).iterdir()}


class BareRoot:
    """A root made by debootstrap, and how to run a program of a folder in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def command(
        self,
        folder: Path,
        *words: object,
        place: str = "/opt/folder",
        user: int = 0,
        variables: Mapping[str, str] | None = None,
    ) -> list[str]:
        """The command that runs `words` in the root; the first is a path within the folder, which is seen at `place`.

        variables: the environment beside PATH and LANG; without it, HOME alone, which is empty at the start.
        """
        chosen = {"HOME": "/root"} if variables is None else variables
        given = [f"{name}={value}" for name, value in chosen.items()]
        program, *arguments = map(str, words)
        enter = ["unshare", "--mount", "--net", "--propagation", "private", "bash", "-c", ENTER, "bash"]
        return [
            *enter, str(self.root), str(folder), place, str(user), *given, "--",
            f"{place}/{program}", *arguments,
        ]  # fmt: skip

    def run(
        self,
        folder: Path,
        *words: object,
        place: str = "/opt/folder",
        user: int = 0,
        variables: Mapping[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Run it to its end, without a screen."""
        return subprocess.run(
            self.command(folder, *words, place=place, user=user, variables=variables),
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE_S,
            check=False,
        )
