"""Hum of the other mains: named where the session's filters let it through, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition.chain import Chain
from acquisition.decisions import Decision
from acquisition.hum import CELLS, PATIENCE_CELLS, Hum
from acquisition.montage import load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.simulator import Patient, stream

LABELS = ("C3", "C4", "RF")
RATE_HZ = 1000.0


def traces(seconds: float, hz: float, *, hum_uv: float = 30.0, noise_uv: float = 10.0) -> np.ndarray:
    """Return noise in three channels, and hum in the second."""
    t_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    x_uv = np.random.default_rng(1).normal(0, noise_uv, (len(t_s), len(LABELS)))
    x_uv[:, 1] += hum_uv * np.sqrt(2) * np.sin(2 * np.pi * hz * t_s + 0.3)
    return x_uv.astype(np.float32)


def heard(x_uv: np.ndarray, mains_hz: float = 50.0) -> Hum:
    """Return what has listened to some traces."""
    hum = Hum(LABELS, RATE_HZ, mains_hz)
    hum.push(0, x_uv)
    return hum


@pytest.mark.parametrize(("mains_hz", "hz"), [(50.0, 60.0), (60.0, 50.0)])
def test_the_other_mains_is_named_with_its_channels_and_the_remedy(mains_hz: float, hz: float) -> None:
    """Either way round; told once, when it has lasted."""
    hum = heard(traces(7.0, hz), mains_hz)
    assert hum.channels == ("C4",) and hum.to_json() == {"hz": hz, "channels": ["C4"]}
    notice = hum.notice()
    assert notice is not None and notice["text"].startswith(f"Mains of {hz:g} Hz in C4: this session filters")
    assert f"start anew with mains {hz:g} Hz;" in notice["remedy"]
    assert hum.notice() is None and hum.channels == ("C4",)


def test_a_short_hum_is_shown_and_not_told() -> None:
    """A second is needed to see it, five to tell it."""
    assert heard(traces(0.9, 60.0)).to_json() is None
    hum = heard(traces((CELLS + PATIENCE_CELLS - 5) / 10, 60.0))
    assert hum.channels == ("C4",) and hum.notice() is None and hum.lasted == ()


def test_what_hummed_for_long_stays_known() -> None:
    """Of a recording it is told at the end, when the hum may be over."""
    hum = heard(np.concatenate([traces(8.0, 60.0), traces(8.0, 60.0, hum_uv=0.0)]))
    assert (hum.channels, hum.lasted) == ((), ("C4",))


@pytest.mark.parametrize("wrong", [{"hum_uv": 5.0}, {"hum_uv": 1.5, "noise_uv": 0.01}, {"hum_uv": 0.0}])
def test_what_is_weak_is_no_hum(wrong: dict[str, float]) -> None:
    """Less than half of the variance, less than two microvolts, or none."""
    assert heard(traces(8.0, 60.0, **wrong)).channels == ()


def test_a_gap_begins_anew_and_another_mains_has_no_other() -> None:
    """What hummed before a gap may have been the reason for it."""
    hum = heard(traces(8.0, 60.0))
    hum.push(9_000, traces(0.5, 60.0))
    assert hum.channels == () and hum.notice() is None
    assert heard(traces(8.0, 60.0), mains_hz=16.7).to_json() is None


@given(st.lists(st.integers(1, 700), min_size=1, max_size=30))
@settings(max_examples=25, deadline=None)
def test_chunks_change_nothing(sizes: list[int]) -> None:
    """The same channels hum, whatever the chunks."""
    x_uv, hum, at = traces(3.0, 60.0), Hum(LABELS, RATE_HZ, 50.0), 0
    for size in [*sizes, len(x_uv)]:
        hum.push(at, x_uv[at : at + size])
        at += len(x_uv[at : at + size])
    assert hum.channels == heard(x_uv).channels


@pytest.mark.parametrize(("room_hz", "humming"), [(50.0, False), (60.0, True)])
def test_a_patient_in_a_room_of_the_other_mains_is_found_behind_the_real_filters(room_hz: float, humming: bool) -> None:
    """Simulated EEG and EMG with the hum of the room through the chain of a 50 Hz session: quality sees none of it."""
    montage, n = load_montage("amp16"), 12_000
    chain, hum = Chain(montage, 50.0), Hum(montage.labels, montage.rate_hz, 50.0)
    chain.obey(Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"}))
    blocks = stream(Patient.draw(5, mains_hz=50.0), ParadigmPlan(), montage)
    x_uv = np.empty((0, montage.n_channels))
    while len(x_uv) < n:
        x_uv = np.concatenate([x_uv, next(blocks).samples.astype(float)])
    x_uv[:, 3] += 120.0 * np.sin(2 * np.pi * room_hz * np.arange(len(x_uv)) / montage.rate_hz)
    step = chain.push(x_uv)
    for part in step.traces:
        hum.push(part.first_sample, part.x_uv)
    assert hum.channels == (("C4",) if humming else ())
    late = step.cells[50:]
    assert bool(np.mean([cell.good[3] for cell in late]) > 0.9) is humming
