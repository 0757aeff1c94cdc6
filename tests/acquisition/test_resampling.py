"""Recordings at another rate: each stretch by itself, decisions carried over, everything accounted for (laws 3, 4)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from acquisition.chain import Chain, drive
from acquisition.errors import RateError
from acquisition.montage import load_montage
from acquisition.recording import Marker, Recording
from acquisition.resampling import resample, resampled
from acquisition.tape import decide, open_decisions, tape_of

MONTAGE = load_montage("amp16")
START_S = 1_222_364.75


def recording(index, rate_hz=256.0, markers=()):
    """A sine of 10 Hz in every channel at these places of the grid."""
    samples = np.sin(2 * np.pi * 10 * index / rate_hz)[:, None] * np.linspace(1, 2, 16)
    stamps = START_S + index / rate_hz
    return Recording(
        Path("a.xdf"), "ab" * 32, "xdf", MONTAGE.labels, ("uV",) * 16, rate_hz, samples, stamps, tuple(markers)
    )  # fmt: skip


def made_of(source):
    """The recording at the montage's rate."""
    return resample(source, MONTAGE, MONTAGE.bind(source.labels, source.units))


def brief(decisions):
    """Kind, place and numbers of each decision."""
    return [(d.kind, d.at, d.data.get("n", d.data.get("first_sample", d.data.get("sample")))) for d in decisions]


def test_a_recording_at_the_montages_rate_is_left_alone():
    """Nothing is resampled that need not be."""
    source = recording(np.arange(100), 1000.0)
    assert made_of(source) is source


@pytest.mark.parametrize("rate_hz", [250.0, 256.0, 500.0, 512.0, 1024.0, 2000.0, 2048.0])
def test_a_sine_stays_a_sine(rate_hz):
    """Amplitude and time are kept: away from the ends the same sine at 1000 Hz."""
    made = made_of(recording(np.arange(int(4 * rate_hz)), rate_hz))
    assert made.rate_hz == 1000.0 and made.resampled_from_hz == rate_hz and len(made.stamps) == 4000
    np.testing.assert_allclose(made.stamps, START_S + np.arange(4000) / 1000, rtol=0, atol=1e-9)
    expected = np.sin(2 * np.pi * 10 * np.arange(4000) / 1000)
    np.testing.assert_allclose(made.samples[500:-500, 0], expected[500:-500], atol=0.01)


def test_one_stretch_is_resample_poly_itself():
    """The very numbers of scipy's filter on the whole stretch, in float64."""
    source = recording(np.arange(1000))
    expected = resample_poly(source.samples, 125, 32, axis=0, padtype="line")
    np.testing.assert_array_equal(made_of(source).samples, expected)


def test_holes_and_markers_are_carried_over():
    """Each hole has its length on the new grid, and one that is too long there opens a segment (law 4)."""
    index = np.arange(3000)
    for before, missing in ((1000, 6), (1500, 18), (2000, 100)):
        index[before:] += missing
    markers = [Marker(START_S + 2.0, "flexion"), Marker(START_S + 8.1, "rest")]
    decisions = made_of(recording(index, markers=markers)).decided
    kinds = [d.kind for d in decisions]
    assert kinds == ["segment", "marker", "lost", "segment", "lost", "segment", "marker", "lost", "segment", "end"]
    assert [d.data["sample"] for d in decisions if d.kind == "marker"] == [2000, 8102]
    lost = [d.data["n"] for d in decisions if d.kind == "lost"]
    np.testing.assert_allclose(lost, [6 * 3.90625, 18 * 3.90625, 100 * 3.90625], atol=2)
    firsts = [d.data["first_sample"] for d in decisions if d.kind == "segment"]
    np.testing.assert_allclose(firsts[1:], [1006 * 3.90625, 1524 * 3.90625, 2124 * 3.90625], atol=1)


def test_a_short_hole_is_bridged_on_the_new_grid():
    """A counter shows a hole of 3 samples at 256 Hz; the ends of the stretches round to 11 at 1000 Hz (law 3)."""
    index = np.arange(2000)
    index[1000:] += 3
    source = recording(index)
    counted = replace(
        source, samples=np.column_stack([source.samples, index]), labels=(*source.labels, "n"), units=("uV",) * 17
    )
    montage = replace(MONTAGE, counter="n")
    made = resample(counted, montage, montage.bind(counted.labels, counted.units))
    assert brief(made.decided) == [("segment", 0, 0), ("bridged", 3907, 11), ("end", 7814, None)]


def test_repeated_samples_are_left_out_and_told():
    """What the grid does not take is not resampled; how much it was is said."""
    source = recording(np.insert(np.arange(2000), 1000, [998, 999]))
    made = made_of(source)
    assert len(made.stamps) == 7813
    assert made.problems == ("2 samples were rejected before resampling (repeated or out of order).",)


def test_a_clock_reset_opens_a_segment_on_the_new_grid_too():
    """Each clock's stretch is resampled by itself, 0 lost."""
    source = recording(np.arange(2000))
    stamps = np.concatenate([source.stamps[:1000], source.stamps[1000:] - 500])
    made = made_of(replace(source, stamps=stamps))
    assert [d.kind for d in made.decided] == ["segment", "clock_reset", "segment", "end"]
    assert made.decided[2].data["first_sample"] == made.decided[2].at == 3907
    assert made.stamps[3907] == stamps[1000]


def test_a_hole_that_rounds_away_is_none():
    """One missing sample at 2000 Hz is half a sample at 1000 Hz."""
    index = np.arange(4000)
    index[1999:] += 1
    source = recording(index, 2000.0)
    counted = replace(
        source, samples=np.column_stack([source.samples, index]), labels=(*source.labels, "n"), units=("uV",) * 17
    )
    montage = replace(MONTAGE, counter="n")
    made = resample(counted, montage, montage.bind(counted.labels, counted.units))
    assert [d.kind for d in made.decided] == ["segment", "end"]


def test_missing_values_stay_missing():
    """A NaN is not spread by the filter, and is missing in the result where it was."""
    samples = np.ones((100, 2))
    samples[40, 0] = np.nan
    samples[0, 1] = np.inf
    made = resampled(samples, Fraction(4))
    assert np.flatnonzero(np.isnan(made[:, 0])).tolist() == [160, 161, 162, 163]
    assert np.flatnonzero(np.isnan(made[:, 1])).tolist() == [0, 1, 2, 3]
    assert resampled(samples[:0], Fraction(4)).shape == (0, 2)


@pytest.mark.parametrize("rate_hz", [999.9, 333.3333, 7.77])
def test_rates_without_a_simple_ratio_are_refused(rate_hz):
    """A filter of a million taps is nobody's wish."""
    with pytest.raises(RateError, match=rf"a\.xdf is at {rate_hz:g} Hz, no simple ratio to 1000 Hz"):
        made_of(recording(np.arange(100), rate_hz))


def test_its_decisions_are_kept_beside_it(tmp_path):
    """They are those taken at its own rate, not decided anew on made-up stamps."""
    made = replace(made_of(recording(np.arange(1000))), path=tmp_path / "a.xdf")
    binding = MONTAGE.bind(made.labels, made.units)
    assert open_decisions(made, MONTAGE, binding).decisions == list(made.decided)
    assert open_decisions(made, MONTAGE, binding).decisions == list(made.decided)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_every_resampled_recording_balances(data):
    """Holes, repeats and clock jumps at any rate: the chain takes what comes out, and the ledger balances (law 3)."""
    rate_hz = data.draw(st.sampled_from([250.0, 256.0, 500.0, 2000.0]))
    index = np.arange(data.draw(st.integers(1, 3000)))
    for _ in range(data.draw(st.integers(0, 4))):
        index[data.draw(st.integers(0, len(index) - 1)) :] += data.draw(st.sampled_from([1, 7, 20, 21, 5000]))
    source = recording(index, rate_hz, [Marker(START_S + 0.5, "rest")])
    if data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(index) - 1))
        source = replace(
            source, samples=np.insert(source.samples, place, 0, 0), stamps=np.insert(source.stamps, place, START_S - 9)
        )
    made = made_of(source)
    chain = Chain(MONTAGE, resampled_from_hz=made.resampled_from_hz)
    binding = MONTAGE.bind(made.labels, made.units)
    for step in drive(chain, tape_of(made, binding, decide(made, MONTAGE, binding))):
        assert all("resampled" in window.flags for window in step.windows)
    ledger = chain.ledger.to_json()
    assert ledger["balanced"] and ledger["received"] == len(made.stamps) and ledger["pending"] == 0
