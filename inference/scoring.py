"""Scoring: windows to results, one for each, whatever becomes of it (pure).

The scorer process and ``flexion score`` share this function, so that live, replayed and offline scores are the same
bits (law 1). A bundle that does not fit is refused with words and never adapted (law 6); a window whose quality
gives it no weight is not scored, and its result says which channels were at fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.bundle import SHORT, Bundle
from inference.engines.engine import Engine
from inference.errors import BundleMismatch
from inference.normalisation import MIN_CHANNEL_QUALITY, zscore
from inference.outcome import MISMATCH
from inference.stages import Watch
from streaming.records import ResultRecord, WindowRecord

#: Reasons of results without a score; words may follow after a colon.
QUALITY, NONFINITE_INPUT, NONFINITE_OUTPUT = "quality", "input_nonfinite", "engine_nonfinite"


def score(
    engine: Engine, bundle: Bundle, records: Sequence[WindowRecord], watch: Watch | None = None
) -> list[ResultRecord]:
    """Return the result of each window, in the order of ``records``.

    Parameters
    ----------
    engine : Engine
        Runs the model of ``bundle``.
    bundle : Bundle
        Of kind ``eeg_emg``.
    records : sequence of WindowRecord
        Of any sessions; none at all is fine.
    watch : Watch, optional
        Is told how long input, compute and output took; the results hold no time, so that the same windows give the
        same results.

    Returns
    -------
    list of ResultRecord
        ``scored``, or ``not_scored`` with the reason ``quality``, ``bundle_mismatch``, ``input_nonfinite`` or
        ``engine_nonfinite``.

    Raises
    ------
    EngineError
        If the engine fails; no window of the call has a result then.
    """
    reasons = [reason_against(bundle, record) for record in records]
    accepted = [record for record, reason in zip(records, reasons, strict=True) if reason is None]
    size, watch = engine.info.max_batch, watch or Watch()
    parts = [_run(engine, bundle, accepted[i : i + size], watch) for i in range(0, len(accepted), size)]
    results = iter([result for part in parts for result in part])
    return [
        next(results) if reason is None else ResultRecord.unscored(record, "not_scored", reason)
        for record, reason in zip(records, reasons, strict=True)
    ]


def reason_against(bundle: Bundle, record: WindowRecord) -> str | None:
    """Return why ``record`` gets no score, or None if the engine is to see it."""
    window = record.window
    if record.bundle_sha256 != bundle.sha256:
        bound = record.bundle_sha256[:SHORT]
        return f"{MISMATCH}: the session is bound to bundle {bound}, this scorer runs {bundle.words}"
    try:
        n_samples = window.x_uv.shape[0]
        bundle.check(record.labels, window.rate_hz, n_samples, window.fingerprint, window.mains_hz)
    except BundleMismatch as error:
        return f"{MISMATCH}: {error}"
    if window.weight <= 0.0:
        return _quality_words(record)
    if not np.isfinite(window.x_uv).all():
        return NONFINITE_INPUT
    return None


def _run(engine: Engine, bundle: Bundle, records: Sequence[WindowRecord], watch: Watch) -> list[ResultRecord]:
    with watch.timing("input"):
        x = np.stack([zscore(record.window.x_uv, record.window.channel_quality) for record in records])
    with watch.timing("compute"):
        outputs = engine.run({bundle.model.inputs[0].name: x})
    with watch.timing("output"):
        return [_result(engine, bundle, record, outputs, i) for i, record in enumerate(records)]


def _result(
    engine: Engine, bundle: Bundle, record: WindowRecord, outputs: Mapping[str, NDArray[np.float32]], i: int
) -> ResultRecord:
    logit = float(outputs["logit"][i])
    embedding: tuple[Any, ...] | None = None
    if "embedding" in outputs:
        embedding = tuple(float(value) for value in outputs["embedding"][i])
    fma = float(outputs["fma"][i]) if "fma" in outputs else None
    numbers = [logit, *(embedding or ()), *(() if fma is None else (fma,))]
    if not np.isfinite(numbers).all():
        result = ResultRecord.unscored(record, "not_scored", NONFINITE_OUTPUT)
        return replace(result, model=bundle.label, engine=engine.info.to_json())
    # A scored result is built from the unscored one, so that both carry the same facts of the window.
    facts = ResultRecord.unscored(record, "not_scored", "")
    return replace(
        facts,
        state="scored",
        reason=None,
        logit=logit,
        embedding=embedding,
        fma=fma,
        model=bundle.label,
        engine=engine.info.to_json(),
    )


def _quality_words(record: WindowRecord) -> str:
    """Return the reason with the channels at fault: ``quality: C3 flat mains, RF saturated``."""
    window = record.window
    faulty = [
        f"{label} {' '.join(faults)}"
        for label, faults, quality in zip(record.labels, window.faults, window.channel_quality, strict=True)
        if quality < MIN_CHANNEL_QUALITY
    ]
    return f"{QUALITY}: {', '.join(faulty)}" if faulty else QUALITY
