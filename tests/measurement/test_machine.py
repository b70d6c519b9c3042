"""The watch for other programs, with psutil and without it."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from human_pose.measurement import machine
from human_pose.measurement.machine import Watch

on_linux = pytest.mark.skipif(not Path("/proc/stat").is_file(), reason="the system has no /proc/stat")


@pytest.fixture
def without_psutil(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)


@on_linux
def test_linux_tells_the_same_as_psutil() -> None:
    pytest.importorskip("psutil")
    before = machine._busy_on_linux_s()
    by_psutil = machine._busy_s()
    after = machine._busy_on_linux_s()
    assert before is not None
    assert by_psutil is not None
    assert after is not None
    assert before - 0.1 <= by_psutil <= after + 0.1


@on_linux
def test_without_psutil_other_programs_are_still_seen(without_psutil: None) -> None:
    found = Watch().conditions()
    assert found["other_cores"] is not None
    assert found["mhz"] is None
    assert found["temperature_c"] is None


def test_where_the_system_does_not_tell_nothing_counts_as_disturbed(
    without_psutil: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_busy_on_linux_s", lambda: None)
    found = Watch().conditions()
    assert found["other_cores"] is None
    assert found["disturbed"] is False


@pytest.mark.parametrize(("busy_s", "others", "is_disturbed"), [(4.0, 1.0, True), (2.05, 0.025, False)])
def test_what_others_do_is_all_work_without_ones_own(
    monkeypatch: pytest.MonkeyPatch, busy_s: float, others: float, is_disturbed: bool
) -> None:
    """Two seconds, in which this process works on one core."""
    now, own, busy = [100.0], [10.0], [50.0]
    monkeypatch.setattr(machine, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(machine, "_own_s", lambda: own[0])
    monkeypatch.setattr(machine, "_busy_s", lambda: busy[0])
    monkeypatch.setattr(machine, "cores", lambda: 2)
    watch = Watch()
    now[0], own[0], busy[0] = 102.0, 12.0, 50.0 + busy_s
    found = watch.conditions()
    assert (found["own_cores"], found["other_cores"], found["disturbed"]) == (1.0, others, is_disturbed)
