"""Small cohorts of made-up patients: noise with a mains line, in files as recorders write them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from acquisition.chain import ChainSpec
from acquisition.decisions import Decision
from acquisition.formats.xdf_header import StreamHeader
from acquisition.identity import new_session_id
from acquisition.montage import load_montage
from acquisition.parts import PartWriter
from acquisition.session import SessionFolder, SessionInfo
from training.cohort.participants import Participant, write_participants

MONTAGE = load_montage("amp16")
#: Long enough for a window: 4 s of settling and 10 s.
SECONDS = 16


def noise(seed, seconds=SECONDS, mains_hz=50.0, mains_uv=6.0):
    """Return samples in µV, shape (n, 16), float32: white noise of 10 µV and a line."""
    t_s = np.arange(round(seconds * 1000)) / 1000
    samples = np.random.default_rng(seed).normal(0, 10, (len(t_s), 16))
    return (samples + mains_uv * np.sin(2 * np.pi * mains_hz * t_s)[:, None]).astype(np.float32)


def write_xdf(path, samples, labels=MONTAGE.labels, units="uV", rate_hz=1000.0, origin="recorded", skip=0):
    """Write samples as XDF; `skip` of them, from the fifth second on, never arrived."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = StreamHeader("Amp", "EEG", "float32", rate_hz, len(labels), labels, (units,) * len(labels), origin=origin)
    stamps = 77.0 + np.arange(len(samples)) / rate_hz
    kept = np.r_[0:5000, 5000 + skip : len(samples)]
    with PartWriter.create(path, [header]) as writer:
        for block in np.array_split(kept, 16):
            writer.append(0, samples[block], stamps[block])
    return path


def eeg_path(folder, patient, suffix=".xdf"):
    """Return where a patient's recording lies."""
    return folder / f"sub-{patient}" / "eeg" / f"sub-{patient}_task-flexext_eeg{suffix}"


def plain(n_each=5, **changes):
    """Return patients of both outcomes, as the paper would have included them, all with EEG."""
    about = {"age": 60.0, "days_since_onset": 20.0, "strength_grade": 3.0, "site": "A"} | changes
    return [Participant(f"{n:02}", True, fma_3mo=30.0 if n % 2 else 5.0, **about) for n in range(2 * n_each)]


def write_cohort(folder, participants, mains_hz=50.0, **own):
    """Write a cohort whose every patient with EEG has a recording of his own; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_participants(folder / "participants.tsv", participants)
    (folder / "dataset_description.json").write_text(json.dumps({"Name": "Ward 3", "Flexion": own}))
    (folder / "eeg.json").write_text(json.dumps({"PowerLineFrequency": mains_hz}))
    for seed, one in enumerate(participants):
        if one.has_eeg:
            write_xdf(eeg_path(folder, one.id), noise(seed, mains_hz=mains_hz))
    return folder


def session_of(data, patient="P-017", samples=None, ledger=None, **changes):
    """Write a session of the ward that has ended; its ledger balances unless another is given."""
    plain = SessionInfo(
        session=new_session_id(),
        patient=patient,
        mode="live",
        origin="live",
        created_utc="2026-11-22T10:00:00Z",
        montage=MONTAGE.to_json(),
        mains_hz=50.0,
        rate_hz=1000.0,
        fingerprint=ChainSpec().fingerprint,
    )
    folder = SessionFolder.create(data, SessionInfo(**{**vars(plain), **changes}))
    samples = noise(7) if samples is None else samples
    header = StreamHeader("Amp16", "EEG", "float32", 1000.0, 16, MONTAGE.labels, ("uV",) * 16, MONTAGE.kinds)
    with folder.open_part([header, StreamHeader("Cues", "Markers", "string", 0.0, 1)]) as writer:
        folder.append_decision(Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"}))
        writer.append(0, samples, 50.0 + np.arange(len(samples)) / 1000)
        folder.append_decision(Decision("end", 1, 0, len(samples), {"reason": "user"}))
    folder.write_ledger({"ended": True, "complete": True, "ledger": {"balanced": True}} if ledger is None else ledger)
    folder.close()
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
