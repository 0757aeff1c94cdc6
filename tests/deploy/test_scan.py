"""The scan of a demonstration: simulated, scored by the real command, at the right moment, and only once asked."""

from __future__ import annotations

import os
import threading

import pytest

from acquisition.clock import LiveClock
from acquisition.montage import load_montage
from acquisition.session import SessionFolder
from acquisition.simulator import Patient
from deploy.opening import Plan
from deploy.roles import bridge, scan
from deploy.roles.bridge import scans_of
from inference.fmri.stored import event_of
from inference.fmri.volume import open_scan
from tests.inference.fmri import scores, standin


@pytest.fixture
def session(scan_settings, scan_models) -> SessionFolder:
    """Return a demonstration's session."""
    plan = Plan("demo", "simulated", "demo-1", "demo-1", load_montage("amp16"), {"kind": "lsl"})
    return SessionFolder.create(scan_settings.data_dir, plan.to_info(scan_models))


@pytest.fixture
def quickly(monkeypatch):
    """Make the scan short and due at once, and leave this process its priority."""
    monkeypatch.setattr(scan, "DUE_S", 0.0)
    monkeypatch.setattr(scan, "ScanSpec", lambda: standin.ScanSpec(n_volumes=standin.N_VOLUMES))
    monkeypatch.setattr(os, "nice", lambda step: step)


def test_the_running_session_takes_the_scan(session, scan_settings, quickly):
    """Scored as of today, by the very command; the next demonstration begins without it."""
    shelf = scans_of(session.info, scan_settings)
    assert shelf.new() == []
    assert scan.run(session.info.session, 1, 1.2, scan_settings, threading.Event()) == 0
    [(kind, event)] = shelf.new()
    assert (kind, event["patient"], event["quality"]["slices"]) == ("fmri", "demo-1", 20)
    assert scans_of(session.info, scan_settings).new() == []


def test_each_demonstration_has_a_scan_of_its_own(tmp_path, quickly, monkeypatch):
    """The same patient on another day is another file, with the same volumes."""
    paths = [tmp_path / name for name in ("one_bold.nii.gz", "two_bold.nii.gz")]
    for seconds, path in enumerate(paths):
        monkeypatch.setattr(scan.time, "time", lambda seconds=seconds: 1.7e9 + seconds)
        scan.simulate(path, Patient.draw(1))
    one, two = map(open_scan, paths)
    assert one.sha256 != two.sha256 and one.origin == "synthetic"
    assert all((x == y).all() for x, y in zip(one.volumes(), two.volumes(), strict=True))


def test_told_to_end_it_scores_nothing(session, scan_settings, quickly, monkeypatch):
    """Before the moment, and while the command runs."""
    stop = threading.Event()
    stop.set()
    assert scan.run(session.info.session, 1, 0.0, scan_settings, stop) == 0
    assert not (scan_settings.data_dir / "patients").exists()
    monkeypatch.setattr(scan, "FLEXION", ("sleep", "60", "#"))
    monkeypatch.setattr(scan.subprocess, "Popen", lambda command, **rest: POPEN(command[:2], **rest))
    begun_s = LiveClock().monotonic_s()
    assert scan._score(scan_settings.data_dir, "demo-1", scan_settings, stop) == 0
    assert LiveClock().monotonic_s() - begun_s < 30


def test_the_next_life_of_a_session_keeps_the_day_that_it_took(scan_settings, scan_models, monkeypatch):
    """Its bridge hands what the folder holds to the shelf, where the day was corrected since."""
    monkeypatch.setattr("streaming.bridge.Bridge", lambda *given: given[-1])
    plan = Plan("live", "live", "P-01", "bed-1", load_montage("amp16"), {"kind": "lsl"})
    folder = SessionFolder.create(scan_settings.data_dir, plan.to_info(scan_models))
    took = event_of(scores.values(bundle_sha256=scan_models.fmri.sha256))
    folder.append_result(took)
    scores.put(scan_settings.data_dir, bundle_sha256=scan_models.fmri.sha256, scanned_on="2026-04-01")
    scans = bridge._bridge(SessionFolder.open(folder.path), load_montage("amp16"), None, scan_settings)
    assert scans.new() == [("fmri", took)]


POPEN = scan.subprocess.Popen
