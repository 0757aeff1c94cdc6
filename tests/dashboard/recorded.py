"""A recorded session as the bridge leaves it: a simulated patient's folder, decided and scored without any of them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.chain import Chain, drive
from acquisition.decisions import Decision
from acquisition.formats.xdf_header import STRING, StreamHeader
from acquisition.montage import Montage, load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.session import SessionFolder
from acquisition.session_info import SessionInfo
from acquisition.simulator import Patient, render
from acquisition.tape import tape_of_folder
from acquisition.windowing import Window
from inference.bundle import SHIPPED, Bundle, FusionBundle
from streaming.records import ResultRecord, WindowRecord

SESSION = "01JDA0000000000000000000AB"
ENGINE = {"backend": "onnxruntime-cpu", "device": "cpu", "precision": "fp32", "degraded": False, "version": "1"}
#: LSL stamps begin somewhere.
FIRST_STAMP_S = 1234.5


def info(session: str = SESSION, **changes: Any) -> SessionInfo:
    """Return what is known of a session that is bound to the bundles that ship."""
    bundle, fusion = Bundle.load(SHIPPED / "lstm-bands"), FusionBundle.load(SHIPPED / "fusion-stack")
    known = {
        "session": session,
        "patient": "P-017",
        "bed": "B4",
        "mode": "live",
        "origin": "simulated",
        "created_utc": "2026-11-22T09:30:00+00:00",
        "montage": load_montage("amp16").to_json(),
        "mains_hz": 50.0,
        "rate_hz": 1000.0,
        "fingerprint": bundle.signal.fingerprint,
        "planned_s": 540.0,
        "paretic_side": "left",
        "bundles": {"eeg_emg": bundle.to_json(), "fmri": None, "fusion": fusion.to_json()},
    }
    return SessionInfo(**{**known, **changes})


def record(data: Path, seconds: float = 40.0, hole: tuple[int, int] = (0, 0), **changes: Any) -> SessionFolder:
    """Make the folder of a session: raw samples, markers, decisions, results, ledger, notes.

    Parameters
    ----------
    data : Path
        Of the sessions.
    seconds : float
        Of signal.
    hole : (int, int)
        First sample that was lost, and one past the last.
    """
    folder = SessionFolder.create(data, info(**changes))
    montage = Montage.from_json(folder.info.montage)
    _write(folder, montage, seconds, hole)
    chain = Chain(montage, folder.info.mains_hz)
    windows = [
        window for step in drive(chain, tape_of_folder(folder), folder.append_decision) for window in step.windows
    ]
    for window in windows:
        folder.append_result({**_result(folder, montage, window).to_json(), "latency_s": 0.3})
    folder.append_note({"text": "patient tired", "author": "AB", "utc": "2026-11-22T09:31:00+00:00"})
    counts = {"made": len(windows), "published": len(windows), "scored": len(windows)}
    counts |= {"not_scored": 0, "dead_lettered": 0, "unrecorded": 0}
    ended = {"ended": True, "reason": "planned", "ended_utc": "2026-11-22T09:39:00+00:00"}
    folder.write_ledger({**ended, "ledger": chain.ledger.to_json(), "windows": counts})
    folder.close()
    return folder


def _write(folder: SessionFolder, montage: Montage, seconds: float, hole: tuple[int, int]) -> None:
    made = render(Patient.draw(5, mains_hz=50.0), ParadigmPlan(), seconds, montage)
    n = montage.n_channels
    signal = StreamHeader("Amp", "EEG", "float32", montage.rate_hz, n, montage.labels, ("uV",) * n)
    part = folder.open_part([signal, StreamHeader("Cues", "Markers", STRING, 0.0, 1)])
    folder.append_decision(Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"}))
    first, stop = hole
    lost = Decision("lost", 1, 0, first, {"n": stop - first, "reason": "gap"})
    again = Decision("segment", 1, 0, first, {"segment": 1, "first_sample": stop, "reason": "gap"})
    marked = [_marker(montage, sample, text, hole) for sample, text in made.markers]
    after = [lost, again] if stop > first else []
    folder.append_decision(*sorted([*marked, *after], key=lambda decision: decision.at))
    kept = np.r_[0:first, stop : len(made.samples)]
    stamps = FIRST_STAMP_S + np.arange(len(made.samples)) / montage.rate_hz
    for block in np.array_split(kept, max(1, len(kept) // 500)):
        part.append(0, made.samples[block].astype(np.float32), stamps[block])
    part.close()
    folder.append_decision(Decision("end", 1, 0, len(kept), {"reason": "planned"}))


def _marker(montage: Montage, sample: int, text: str, hole: tuple[int, int]) -> Decision:
    at = sample if sample <= hole[0] else max(hole[0], sample - (hole[1] - hole[0]))
    return Decision("marker", 1, 0, at, {"text": text, "phase": montage.phase_of(text), "sample": sample})


def _result(folder: SessionFolder, montage: Montage, window: Window) -> ResultRecord:
    sha256 = folder.info.bundles["eeg_emg"]["sha256"]
    record = WindowRecord(folder.info.session, 1, window, montage.name, montage.labels, sha256, math.nan)
    facts = ResultRecord.unscored(record, "not_scored", "quality").to_json()
    if window.weight > 0:
        scored = {"state": "scored", "reason": None, "logit": 0.9 + 0.3 * math.sin(window.index), "engine": ENGINE}
        return ResultRecord.from_json({**facts, **scored})
    return ResultRecord.from_json(facts)
