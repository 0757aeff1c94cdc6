"""Oracle: engines held against float64, on windows as patients and electrodes make them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.engines.engine import Engine
from inference.engines.oracle import Held, check, exact_run, hold
from inference.engines.ort import OrtEngine
from inference.engines.parity import PROVING_SET, golden_window
from inference.errors import BundleMismatch, EngineAbsent, EngineUnavailable
from tests.inference import tiny

#: Largest difference of float32 from float64 that is no more than rounding, on the tiny bundles.
ROUNDING = 2e-6


def window(name: str) -> NDArray[np.float32]:
    """Return the proving window of that name, as long as a real one."""
    seed = dict(PROVING_SET)[name]
    return golden_window(name, seed, (10_000, 4))


def test_a_real_like_window_swells_and_has_bursts() -> None:
    """A rhythm of 10 Hz whose height wanders, under noise that is loud in every second half second."""
    x = window("rhythm")
    power = np.abs(np.fft.rfft(x[:, 0])) ** 2
    assert power[99:102].sum() > power[300:4000].mean() * 50
    assert x[500:1000].std() > x[:500].std() and 0.7 < x.std() < 1.5


def test_a_flat_window_has_silent_channels_beside_live_ones() -> None:
    """As the z-score leaves electrodes that are off."""
    x = window("flat")
    assert not x[:, 1::2].any() and 0.9 < x[:, ::2].std() < 1.1


def test_a_saturated_window_sits_at_its_rails() -> None:
    """And nowhere between."""
    assert set(np.unique(window("saturated"))) == {-1.0, 1.0}


@pytest.mark.parametrize("name", ["rhythm", "flat", "saturated"])
def test_proving_windows_are_finite_and_fit_any_tensor(name: str) -> None:
    """Slices have three axes; the windows are made for them too."""
    assert np.isfinite(golden_window(name, 1, (3, 16, 16))).all()


@pytest.mark.parametrize("which", ["bundle", "long_memory"])
def test_onnx_runtime_is_the_model_within_rounding(which: str, request: pytest.FixtureRequest) -> None:
    """On every window of the set; a long memory adds up what is rounded."""
    pytest.importorskip("torch")
    bundle: Bundle = request.getfixturevalue(which)
    engine = OrtEngine(bundle)
    held = hold(engine.run, exact_run(bundle), bundle)
    assert [(one.window, one.seed) for one in held] == list(PROVING_SET)
    assert max(one.difference for one in held) < ROUNDING
    check(bundle, engine.info.backend, held)


def test_a_long_memory_is_what_makes_an_impulse_at_the_start_count(bundle: Bundle, long_memory: Bundle) -> None:
    """Otherwise the bundle would prove nothing about memory: what it forgets, no engine can get wrong."""

    def felt(model: Bundle) -> float:
        run, silence = OrtEngine(model).run, np.zeros((1, tiny.N_SAMPLES, 4), np.float32)
        impulse = golden_window("impulse-first", 0, (tiny.N_SAMPLES, 4))[np.newaxis]
        return abs(float(run({"x": impulse})["logit"][0] - run({"x": silence})["logit"][0]))

    assert felt(long_memory) > 2 * felt(bundle)


@pytest.mark.parametrize("logit", [0.5001, float("nan")])
def test_an_engine_that_is_another_model_is_refused(bundle: Bundle, engine: Engine, logit: float) -> None:
    """With the worst window and both logits; a logit that is no number is the worst of all."""
    held = [Held("noise", 0, 0.5, 0.5), Held("flat", 6, logit + 0.1, 0.5), Held("hold", 3, 0.5, 0.5001)]
    with pytest.raises(
        EngineUnavailable, match=r"is not the model tiny .*golden window flat 6 .*float64 0\.5; 0\.0001"
    ):
        check(bundle, engine.info.backend, held)


def test_a_bundle_of_scans_has_no_oracle(fmri_bundle: Bundle) -> None:
    """Its network is torch's own where it was trained."""
    with pytest.raises(BundleMismatch, match="scores no stream"):
        exact_run(fmri_bundle)


def test_without_torch_it_is_said_what_to_install(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bedside has neither torch nor onnx."""
    monkeypatch.setitem(sys.modules, "inference.engines.torch_engine", None)
    with pytest.raises(EngineAbsent, match=r"nothing here to hold tiny .* against.*Install flexion\[training\]"):
        exact_run(bundle)
