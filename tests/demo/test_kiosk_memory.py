"""Threads of a kiosk share two heaps."""

import subprocess
import sys
from pathlib import Path

import pytest

ARENAS_OF_EIGHT_THREADS = """
import ctypes, re, sys, threading
from human_pose.demo.kiosk_memory import limit_arenas
if sys.argv[1] == "limited":
    limit_arenas()
C = ctypes.CDLL(None)
C.malloc.restype, C.malloc.argtypes, C.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
together = threading.Barrier(8)
def work():
    block = C.malloc(100000)
    together.wait()
    C.free(block)
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
C.fopen.restype, C.fclose.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
C.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
file = C.fopen(sys.argv[2].encode(), b"w")
C.malloc_info(0, file)
C.fclose(file)
print(len(re.findall("<heap nr", open(sys.argv[2]).read())))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="heaps of threads are glibc's")
def test_threads_share_two_heaps_only_where_it_is_asked_for(tmp_path: Path) -> None:
    heaps = {}
    for how in ("limited", "free"):
        done = subprocess.run(
            [sys.executable, "-c", ARENAS_OF_EIGHT_THREADS, how, str(tmp_path / how)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        heaps[how] = int(done.stdout)
    assert heaps["free"] > 4
    assert heaps["limited"] <= 2
