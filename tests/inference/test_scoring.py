"""Scoring: windows to results, pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.engines.engine import Engine, EngineInfo
from inference.engines.parity import Parity
from inference.errors import EngineError
from inference.normalisation import zscore
from inference.scoring import score
from tests.inference import tiny


class FixedEngine:
    """An engine that answers what it was told to, and remembers its batches."""

    info = EngineInfo("fixed", "cpu", "fp32", False, "0", batch_invariant=True, max_batch=3)

    def __init__(self, **outputs: float) -> None:
        self.outputs = outputs
        self.batches: list[int] = []

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[np.float32]]:
        """Return the same numbers for each window."""
        n = len(inputs["x"])
        self.batches.append(n)
        shapes = {"logit": (n,), "embedding": (n, 2), "fma": (n,)}
        return {name: np.full(shapes[name], value, np.float32) for name, value in self.outputs.items()}

    def warmup(self) -> None: ...

    def selfcheck(self) -> Iterator[Parity]:
        """Find nothing wrong."""
        yield Parity(True, True, self.info.max_batch, 0.0, ())

    def close(self) -> None: ...


def test_a_result_says_where_it_comes_from(bundle: Bundle, engine: Engine) -> None:
    """Session, window, sample range, quality, hashes, engine: law 6, field by field."""
    record = tiny.record(bundle, 7, weight=0.5, sqi=0.25, flags=("bridged",), calibration="c" * 64)
    [result] = score(engine, bundle, [record])
    z = zscore(record.window.x_uv, record.window.channel_quality)[np.newaxis]
    outputs = engine.run({"x": z})
    assert result == replace(
        tiny.result(bundle, 7, float(outputs["logit"][0])),
        embedding=tuple(map(float, outputs["embedding"][0])),
        sqi=0.25,
        weight=0.5,
        flags=("bridged",),
        phases=(("flexion", 0, tiny.N_SAMPLES),),
        calibration="c" * 64,
        engine=engine.info.to_json(),
        stamp_s=107.0,
        model="tiny 1.0.0",
    )
    assert result.engine == {
        "backend": "onnxruntime-cpu",
        "device": "cpu",
        "precision": "fp32",
        "degraded": False,
        "version": engine.info.version,
    }


def test_scores_do_not_depend_on_the_batch(bundle: Bundle, engine: Engine) -> None:
    """Alone, in order, or reversed among unscored ones: the same bits (law 1)."""
    records = [tiny.record(bundle, i, weight=0.0 if i % 5 == 4 else 1.0) for i in range(40)]
    alone = [score(engine, bundle, [record])[0] for record in records]
    assert score(engine, bundle, records) == alone
    assert score(engine, bundle, records[::-1])[::-1] == alone
    assert score(engine, bundle, []) == []


def test_points_of_a_model_that_expects_them_travel_along(bundle: Bundle) -> None:
    """A model without them leaves no such key in the result; points that are not finite are an engine's fault."""
    [plain] = score(FixedEngine(logit=0.5, embedding=0.0), bundle, [tiny.record(bundle)])
    [result] = score(FixedEngine(logit=0.5, embedding=0.0, fma=21.5), bundle, [tiny.record(bundle)])
    [broken] = score(FixedEngine(logit=0.5, embedding=0.0, fma=np.inf), bundle, [tiny.record(bundle)])
    assert plain.fma is None and "fma" not in plain.to_json()
    assert (result.fma, result.to_json()["fma"]) == (21.5, 21.5)
    assert (broken.state, broken.reason, broken.fma) == ("not_scored", "engine_nonfinite", None)


def test_batches_are_no_larger_than_the_engine_takes(bundle: Bundle) -> None:
    """An engine whose batches change bits says 1; windows without weight never reach it."""
    engine = FixedEngine(logit=0.5, embedding=0.0)
    score(engine, bundle, [tiny.record(bundle, i, weight=float(i != 2)) for i in range(8)])
    assert engine.batches == [3, 3, 1]


def test_a_window_without_weight_names_the_channels_at_fault(bundle: Bundle, engine: Engine) -> None:
    """`quality`, with the faults of the channels that were bad in words."""
    record = tiny.record(
        bundle,
        weight=0.0,
        sqi=0.1,
        channel_quality=(0.0, 1.0, 0.2, 0.1),
        faults=(("flat", "mains"), ("bridged",), ("repaired",), ("saturated",)),
    )
    [result] = score(engine, bundle, [record])
    assert (result.state, result.logit, result.engine) == ("not_scored", None, None)
    assert result.reason == "quality: C3 flat mains, CP1 repaired, RF saturated"
    assert score(engine, bundle, [tiny.record(bundle, weight=0.0)])[0].reason == "quality"


def test_a_window_of_another_bundle_is_refused(bundle: Bundle, fmri_bundle: Bundle, engine: Engine) -> None:
    """The scorer runs one bundle; a session that is bound to another gets words, no number."""
    [result] = score(engine, bundle, [tiny.record(fmri_bundle)])
    bound = fmri_bundle.sha256[:12]
    assert result.state == "not_scored"
    assert result.reason == f"bundle_mismatch: the session is bound to bundle {bound}, this scorer runs {bundle.words}"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fingerprint": "e" * 64}, "conditioning: the stream has eeeeeeeeeeee"),
        ({"rate_hz": 512.0}, "rate in Hz: the stream has 512"),
        ({"mains_hz": 16.7}, "mains in Hz: the stream has 16.7"),
        ({"x_uv": tiny.samples(0)[:100], "weight": 0.0}, "window in samples: the stream has 100"),
    ],
)
def test_a_window_that_does_not_fit_is_refused(
    bundle: Bundle, engine: Engine, changes: dict[str, Any], words: str
) -> None:
    """Another fingerprint, rate, mains or length; said before its quality is looked at."""
    [result] = score(engine, bundle, [tiny.record(bundle, **changes)])
    assert result.state == "not_scored" and result.reason and result.reason.startswith(f"bundle_mismatch: {words}")


def test_a_window_with_other_channels_is_refused(bundle: Bundle, engine: Engine) -> None:
    """Labels decide, in their order."""
    record = replace(tiny.record(bundle), labels=("C4", "C3", "CP1", "RF"))
    [result] = score(engine, bundle, [record])
    assert result.reason and "channels: the stream has C4, C3, CP1, RF" in result.reason


def test_a_window_that_is_not_finite_is_not_scored(bundle: Bundle, engine: Engine) -> None:
    """It cannot leave our conditioning; should it come from elsewhere, it takes nobody with it."""
    x_uv = tiny.samples(0).copy()
    x_uv[3, 1] = np.nan
    results = score(engine, bundle, [tiny.record(bundle, 0), tiny.record(bundle, 1, x_uv=x_uv), tiny.record(bundle, 2)])
    assert [result.state for result in results] == ["scored", "not_scored", "scored"]
    assert results[1].reason == "input_nonfinite"


@pytest.mark.parametrize(("logit", "embedding"), [(np.nan, 0.0), (np.inf, 0.0), (0.0, np.nan)])
def test_an_answer_that_is_not_finite_is_not_a_score(bundle: Bundle, logit: float, embedding: float) -> None:
    """The engine is named, so that it can be found."""
    [result] = score(FixedEngine(logit=logit, embedding=embedding), bundle, [tiny.record(bundle)])
    assert (result.state, result.reason, result.logit) == ("not_scored", "engine_nonfinite", None)
    assert result.engine and result.engine["backend"] == "fixed"


def test_an_engine_that_fails_gives_no_result(bundle: Bundle, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller decides what to do with the windows of the call."""

    def fail(inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[np.float32]]:
        raise EngineError("no memory")

    monkeypatch.setattr(engine, "run", fail)
    with pytest.raises(EngineError, match="no memory"):
        score(engine, bundle, [tiny.record(bundle)])
