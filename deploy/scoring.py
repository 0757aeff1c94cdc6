"""Scoring a recording in this process: tape, chain, engine, outcome (law 1: the very objects of the bedside).

No LSL, no Redis, no clock: the result is a pure function of the file, the montage, the bundles and the scores of the
patient's scans. A session folder brings its own decisions; a foreign recording is decided once and its decisions are
kept beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from acquisition.chain import Chain, drive
from acquisition.decisions import Decision
from acquisition.hum import Hum
from acquisition.montage import Montage, load_montage
from acquisition.reading import AS_IT_IS, Reading, decided, told
from acquisition.session import SessionFolder, SessionInfo
from acquisition.tape import Block, tape_of_folder
from acquisition.windowing import Window
from deploy.opening import Models, Plan
from deploy.reading import refuse_folder
from deploy.recorded import WHOLE, Between, Recorded, open_recorded, recorded_of
from deploy.replaying import plan_of_file, plan_of_folder, require
from deploy.settings import Settings
from deploy.summary import Counts, noted, summarise
from inference.engines.engine import MAX_BATCH, Engine
from inference.errors import FmriRefused
from inference.fmri.shelf import Shelf
from inference.fmri_event import FmriEvent, choose, judge
from inference.outcome import outcome_of
from inference.scoring import score
from streaming.records import WindowRecord
from streaming.scans import is_scan


class Watcher(Protocol):
    """Who is told how far the scoring of a recording is."""

    def begins(self, n_samples: int, rate_hz: float) -> None:
        """Hear how many samples there are."""

    def reaches(self, n_samples: int, n_windows: int) -> None:
        """Hear how many samples were taken, and how many windows they made."""


class Nobody:
    """A watcher that does not look."""

    def begins(self, n_samples: int, rate_hz: float) -> None:
        """Do nothing."""

    def reaches(self, n_samples: int, n_windows: int) -> None:
        """Do nothing."""


#: Nobody is told.
NOBODY = Nobody()


@dataclass(frozen=True)
class Scored:
    """A recording on its way through the chain: who it is, its tape, who is told of new decisions, scans it held."""

    info: SessionInfo
    montage: Montage
    n_samples: int
    tape: Iterable[Decision | Block]
    keep: Callable[[Decision], None] | None = None
    scans: tuple[Mapping[str, Any], ...] = ()


def score_file(
    path: Path,
    settings: Settings,
    models: Models,
    engine: Engine,
    *,
    patient: str | None = None,
    reading: Reading = AS_IT_IS,
    wanted: Between = WHOLE,
    tell: Callable[[str], None] = print,
    watcher: Watcher = NOBODY,
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
    wanted : Between
        Which part of it: scored as a session of its own, which says of what it is a part.
    tell : callable
        Hears what the file left open and what could not be read, a sentence each.
    watcher : Watcher
        Is told how far it is.

    Raises
    ------
    RecordingError, MontageError, UnitError, RateError, BundleMismatch
        If it cannot be read or does not fit; names what and the remedy.
    """
    require(path)
    if path.is_dir():
        refuse_folder(reading, path)
        scored = _from_folder(path, models, patient, wanted)
    else:
        scored = _from_file(path, settings, models, patient, reading, wanted, tell)
    chain = Chain(scored.montage, scored.info.mains_hz, resampled_from_hz=scored.info.resampled_from_hz)
    hum = Hum(scored.montage.labels, scored.montage.rate_hz, scored.info.mains_hz)
    watcher.begins(scored.n_samples, scored.info.rate_hz)
    records = _records(chain, scored, models, watcher, hum)
    results = [result for batch in _batches(records) for result in score(engine, models.eeg_emg, batch)]
    fmri = _scan(scored, settings, models, tell)
    outcome = outcome_of(results, models.eeg_emg, models.fusion, fmri, ended=True, fmri_bundle=models.fmri)
    counts = Counts(ledger=chain.ledger.to_json(), made=len(results), published=len(results))
    result = summarise(scored.info, results, noted(outcome, fmri, scored.info), counts)
    if not hum.lasted:
        return result
    tell(_humming(path, hum))
    return {**result, "other_mains": {"hz": hum.hz, "channels": list(hum.lasted)}}


def _humming(path: Path, hum: Hum) -> str:
    """Return what people are told of a recording that has mains of the other frequency, and what to do about it."""
    anew = f"start sessions there with mains {hum.hz:g} Hz" if path.is_dir() else f"score it with --mains {hum.hz:g}"
    remedy = f"If the mains there has {hum.hz:g} Hz, {anew}; else something else sent it."
    return f"{path.name}: {hum.words(hum.lasted)} {remedy}"


def _from_file(
    path: Path,
    settings: Settings,
    models: Models,
    patient: str | None,
    reading: Reading,
    wanted: Between,
    tell: Callable[[str], None],
) -> Scored:
    montage = reading.counted(load_montage(settings.session.montage))
    recording, binding = reading.open(path, montage, settings.session.unit)
    for sentence in told(recording):
        tell(sentence)
    decisions = decided(recording, montage, binding, settings.session.mains_hz)
    if not decisions.kept:
        tell(f"{path}: its folder takes no file, so that its decisions are not kept beside it.")
    plan = plan_of_file(recording, settings, montage, reading, patient)
    recorded = recorded_of(path, [recording], decisions.decisions)
    if wanted != WHOLE:
        return _part(plan, recorded.between(wanted), models)
    info = replace(plan, mode="score", replay_of=None).to_info(models)
    return Scored(info, montage, recorded.n_samples, recorded.tape(binding), decisions.add)


def _from_folder(path: Path, models: Models, patient: str | None, wanted: Between) -> Scored:
    folder = SessionFolder.open(path)
    plan = plan_of_folder(folder, patient)
    scans = tuple(filter(is_scan, folder.results()))
    if wanted != WHOLE:
        return replace(_part(plan, open_recorded(path, plan.montage, plan.unit, wanted=wanted), models), scans=scans)
    info = replace(folder.info, mode="score", bundles=models.to_json())
    n_samples = sum(len(part.stamps) for part in folder.parts())
    return Scored(info, plan.montage, n_samples, tape_of_folder(folder), scans=scans)


def _part(plan: Plan, recorded: Recorded, models: Models) -> Scored:
    """Return a part of a recording as a session of its own: what is decided in it holds for it alone."""
    info = replace(plan, mode="score", excerpt=recorded.excerpt).to_info(models)
    binding = plan.montage.bind(recorded.parts[0].labels, recorded.parts[0].units, unit=plan.unit)
    return Scored(info, plan.montage, recorded.n_samples, recorded.tape(binding))


def _scan(
    scored: Scored, settings: Settings, models: Models, tell: Callable[[str], None]
) -> FmriEvent | FmriRefused | None:
    """Return the scan's score that counts, and tell what is refused or cannot be read."""
    shelf = Shelf(settings.data_dir, scored.info.patient, models.fmri.sha256 if models.fmri else None, scored.scans)
    events = shelf.new()
    for kind, data in events:
        if kind == "notice":
            tell(str(data["text"]))
    scans = [*scored.scans, *(data for kind, data in events if kind == "fmri")]
    whose = scored.info.patient, models.fmri
    for text in dict.fromkeys(error.message for error in judge(scans, *whose)[1]):
        tell(text)
    return choose(scans, *whose)


def _records(chain: Chain, scored: Scored, models: Models, watcher: Watcher, hum: Hum) -> Iterator[WindowRecord]:
    """Yield the windows, and tell the watcher after each block of the tape; what hums is measured beside them."""
    n_samples = n_windows = 0
    for step in drive(chain, scored.tape, scored.keep):
        for traces in step.traces:
            hum.push(traces.first_sample, traces.x_uv)
        for window in step.windows:
            yield _record(window, scored, models)
        n_samples, n_windows = n_samples + step.n_taken, n_windows + len(step.windows)
        watcher.reaches(n_samples, n_windows)


def _record(window: Window, scored: Scored, models: Models) -> WindowRecord:
    montage = scored.montage
    # Nothing is published, so any term does, and there is no clock to stamp with.
    return WindowRecord(scored.info.session, 1, window, montage.name, montage.labels, models.eeg_emg.sha256, math.nan)


def _batches(records: Iterator[WindowRecord]) -> Iterator[list[WindowRecord]]:
    """Yield batches, so that a long recording is never in memory as windows."""
    while batch := list(islice(records, MAX_BATCH)):
        yield batch
