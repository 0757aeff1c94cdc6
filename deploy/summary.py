"""Summary: the result object (``flexion.result/1``) of a session, from what its folder holds and nothing else (law 2).

The same function serves a session that ran at a bed, a replay, and a recording that was scored in this process.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import median
from typing import Any

from acquisition.ledger import Ledger
from acquisition.session import SessionFolder, SessionInfo
from inference.bundle import Bundle, FusionBundle
from inference.calibration import sigmoid
from inference.errors import FmriRefused
from inference.fmri_event import FmriEvent, choose, notice_of
from inference.outcome import Outcome, outcome_of, repeated
from streaming.records import ResultRecord
from streaming.scans import is_scan

#: Name and version of the object.
SCHEMA = "flexion.result/1"
#: The counts of a session that was cut off before any count was written: none, and so not balanced.
NOTHING_COUNTED = {**Ledger(rejected={"duplicate": 0, "backward": 0}).to_json(), "balanced": False}


@dataclass(frozen=True)
class Counts:
    """What a session counted.

    Attributes
    ----------
    ledger : mapping
        The ledger's object.
    made, published, unrecorded : int
        Windows that were made, that a scorer was offered, that were made while nothing was recorded.
    recorded : bool
        Whether everything is in the folder.
    latency_s : mapping or None
        p50, p99 and max from a window's last sample to its result; None where nothing was live.
    alignment : mapping or None
        How well two streams were aligned, as the bridge wrote it; None where there was one alone.
    """

    ledger: Mapping[str, Any]
    made: int
    published: int
    unrecorded: int = 0
    recorded: bool = True
    latency_s: Mapping[str, float] | None = None
    alignment: Mapping[str, Any] | None = None


def summarise(info: SessionInfo, results: Iterable[ResultRecord], outcome: Outcome, counts: Counts) -> dict[str, Any]:
    """Return the result object of one session.

    Parameters
    ----------
    info : SessionInfo
        Who, where, which bundles.
    results : iterable of ResultRecord
        In any order; the first of an index counts.
    outcome : Outcome
        Of the same results.
    counts : Counts
        The ledger, the windows and the latencies.
    """
    by_index = _first_of_each(results)
    fates = Counter(result.state for result in by_index)
    return {
        "schema": SCHEMA,
        "mode": info.mode,
        "patient": info.patient,
        "bed": info.bed,
        "session": info.session,
        "replay_of": info.replay_of,
        **_of_it(info),
        "origin": info.origin,
        "recorded": counts.recorded,
        "bundles": {kind: info.bundles.get(kind) for kind in ("eeg_emg", "fmri", "fusion")},
        "engines": _engines(by_index),
        "outcome": (repeated(outcome) if info.repeats else outcome).to_json(),
        "windows": {
            "made": counts.made,
            "published": counts.published,
            **{state: fates[state] for state in ("scored", "not_scored", "dead_lettered")},
            "unrecorded": counts.unrecorded,
        },
        "ledger": dict(counts.ledger),
        "latency_s": dict(counts.latency_s) if counts.latency_s else None,
        **({"alignment": dict(counts.alignment)} if counts.alignment else {}),
        "scores": [_score(result) for result in by_index],
    }


def _of_it(info: SessionInfo) -> dict[str, Any]:
    """Return how much of its recording a session is, where it is not all of it, once."""
    excerpt = {} if info.excerpt is None else {"excerpt": dict(info.excerpt)}
    return excerpt if info.rounds == 1 else {**excerpt, "rounds": info.rounds}


def together(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one object for one session, or the object that holds several."""
    return results[0] if len(results) == 1 else {"schema": SCHEMA, "sessions": list(results)}


def _first_of_each(results: Iterable[ResultRecord]) -> list[ResultRecord]:
    first: dict[int, ResultRecord] = {}
    for result in results:
        first.setdefault(result.index, result)
    return [first[index] for index in sorted(first)]


def _engines(results: Iterable[ResultRecord]) -> list[dict[str, Any]]:
    keys = ("backend", "device", "precision", "degraded")
    scored = (result.engine for result in results if result.engine is not None)
    windows = Counter(tuple(engine[key] for key in keys) for engine in scored)
    return [{**dict(zip(keys, engine, strict=True)), "windows": n} for engine, n in sorted(windows.items())]


def _score(result: ResultRecord) -> dict[str, Any]:
    return {
        "index": result.index,
        "segment": result.segment,
        "first_sample": result.first_sample,
        "sqi": result.sqi,
        "weight": result.weight,
        "state": result.state,
        "reason": result.reason,
        "phases": [list(phase) for phase in result.phases],
        "logit": result.logit,
        "p": None if result.logit is None else sigmoid(result.logit),
    }


def summarise_folder(
    folder: SessionFolder, bundle: Bundle | None, fusion: FusionBundle | None, fmri_bundle: Bundle | None = None
) -> dict[str, Any]:
    """Return the result object of a session's folder, whether it has ended or not.

    Parameters
    ----------
    folder : SessionFolder
        The session.
    bundle, fusion, fmri_bundle : Bundle, FusionBundle or None
        Those that the session is bound to, by hash.
    """
    all_lines = folder.results()
    lines = [line for line in all_lines if "index" in line]
    results = [ResultRecord.from_json(line) for line in lines]
    written = folder.ledger() or {}
    windows = written.get("windows") or {}
    unrecorded = int(windows.get("unrecorded", 0))
    counts = Counts(
        ledger=written.get("ledger") or NOTHING_COUNTED,
        made=int(windows.get("made", len(results))),
        published=int(windows.get("published", len(results))),
        unrecorded=unrecorded,
        recorded=not unrecorded,
        latency_s=latencies(line.get("latency_s") for line in lines),
        alignment=written.get("alignment"),
    )
    fmri = choose([line for line in all_lines if is_scan(line)], folder.info.patient, fmri_bundle)
    outcome = outcome_of(results, bundle, fusion, fmri, bool(written.get("ended")), fmri_bundle=fmri_bundle)
    return summarise(folder.info, results, noted(outcome, fmri, folder.info), counts)


def noted(outcome: Outcome, fmri: FmriEvent | FmriRefused | None, info: SessionInfo) -> Outcome:
    """Return the outcome with what people are told of a scan that is far from the session."""
    notice = notice_of(fmri, date.fromisoformat(info.created_utc[:10])) if isinstance(fmri, FmriEvent) else None
    if notice is None:
        return outcome
    return replace(outcome, reasons=(*outcome.reasons, f"{notice['text']} {notice['remedy']}"))


def latencies(seconds: Iterable[float | None]) -> dict[str, float] | None:
    """Return the median, the 99th percentile (nearest rank) and the largest; None where nothing was live."""
    known = sorted(value for value in seconds if value is not None)
    if not known:
        return None
    return {"p50": median(known), "p99": known[math.ceil(0.99 * len(known)) - 1], "max": known[-1]}
