"""Scoring a recording in this process: tape, chain, engine, outcome (law 1: the very objects of the bedside).

No LSL, no Redis, no clock: the result is a pure function of the file, the montage and the bundles. A session folder
brings its own decisions; a foreign recording is decided once and its decisions are kept beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from acquisition.chain import Chain, drive
from acquisition.decisions import Decision
from acquisition.montage import Montage, load_montage
from acquisition.session import SessionFolder, SessionInfo
from acquisition.tape import Block, tape_of, tape_of_folder
from acquisition.windowing import Window
from deploy.opening import Models, Plan, absolute
from deploy.reading import AS_IT_IS, Reading, decided, told
from deploy.replaying import UNNAMED, check_patient, require
from deploy.settings import Settings
from deploy.summary import Counts, summarise
from inference.engines.engine import MAX_BATCH, Engine
from inference.outcome import outcome_of
from inference.scoring import score
from streaming.records import WindowRecord


@dataclass(frozen=True)
class Scored:
    """A recording on its way through the chain: who it is, its tape, and who is told of new decisions."""

    info: SessionInfo
    montage: Montage
    tape: Iterable[Decision | Block]
    keep: Callable[[Decision], None] | None = None


def score_file(
    path: Path,
    settings: Settings,
    models: Models,
    engine: Engine,
    *,
    patient: str | None = None,
    reading: Reading = AS_IT_IS,
    tell: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Return the result object of one recording.

    Parameters
    ----------
    path : Path
        A recording, or a session's folder.
    settings : Settings
        Montage, mains and unit of a foreign recording.
    models : Models
        The bundles to score with.
    engine : Engine
        Runs the model; open.
    patient : str, optional
        Pseudonym for a foreign recording.
    reading : Reading
        What the user says about a foreign recording.
    tell : callable
        Hears what the file left open and what could not be read, a sentence each.

    Raises
    ------
    RecordingError, MontageError, UnitError, RateError, BundleMismatch
        If it cannot be read or does not fit; names what and the remedy.
    """
    require(path)
    if path.is_dir():
        reading.refuse_folder(path)
        scored = _from_folder(path, models, patient)
    else:
        scored = _from_file(path, settings, models, patient, reading, tell)
    chain = Chain(scored.montage, scored.info.mains_hz, resampled_from_hz=scored.info.resampled_from_hz)
    records = _records(chain, scored, models)
    results = [result for batch in _batches(records) for result in score(engine, models.eeg_emg, batch)]
    outcome = outcome_of(results, models.eeg_emg, models.fusion, None, ended=True)
    counts = Counts(ledger=chain.ledger.to_json(), made=len(results), published=len(results))
    return summarise(scored.info, results, outcome, counts)


def _from_file(
    path: Path,
    settings: Settings,
    models: Models,
    patient: str | None,
    reading: Reading,
    tell: Callable[[str], None],
) -> Scored:
    session = settings.session
    montage = reading.counted(load_montage(session.montage))
    recording, binding = reading.open(path, montage, session.unit)
    for sentence in told(recording):
        tell(sentence)
    plan = Plan(
        mode="score",
        origin=recording.origin,
        patient=patient or UNNAMED,
        bed=None,
        montage=montage,
        source={"kind": "file", "path": absolute(path), "sha256": recording.sha256, **reading.in_source()},
        mains_hz=session.mains_hz,
        unit=session.unit,
        resampled_from_hz=recording.resampled_from_hz,
    )
    info = plan.to_info(models)
    decisions = decided(recording, montage, binding, session.mains_hz)
    if not decisions.kept:
        tell(f"{path}: its folder takes no file, so that its decisions are not kept beside it.")
    return Scored(info, montage, tape_of(recording, binding, decisions.decisions), decisions.add)


def _from_folder(path: Path, models: Models, patient: str | None) -> Scored:
    folder = SessionFolder.open(path)
    check_patient(folder.info, patient)
    montage = Montage.from_json(folder.info.montage)
    info = replace(folder.info, mode="score", bundles=models.to_json())
    return Scored(info, montage, tape_of_folder(folder))


def _records(chain: Chain, scored: Scored, models: Models) -> Iterator[WindowRecord]:
    for step in drive(chain, scored.tape, scored.keep):
        for window in step.windows:
            yield _record(window, scored, models)


def _record(window: Window, scored: Scored, models: Models) -> WindowRecord:
    montage = scored.montage
    # Nothing is published, so any term does, and there is no clock to stamp with.
    return WindowRecord(scored.info.session, 1, window, montage.name, montage.labels, models.eeg_emg.sha256, math.nan)


def _batches(records: Iterator[WindowRecord]) -> Iterator[list[WindowRecord]]:
    """Yield batches, so that a long recording is never in memory as windows."""
    while batch := list(islice(records, MAX_BATCH)):
        yield batch
