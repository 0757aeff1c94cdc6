"""Quality: cells, SQI and weights."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.quality import CELL_SAMPLES, CellJudge, QualitySpec, faults_of, sqi_of, weight_of

T_S = np.arange(CELL_SAMPLES) / 1000.0


def faults(raw, held=None, at_rail=None, mains_hz=50.0):
    """Return what a judge finds wrong with a cell of one channel."""
    raw = np.asarray(raw, dtype=float)[:, None]
    held = raw if held is None else np.asarray(held, dtype=float)[:, None]
    rail = np.zeros(raw.shape, bool) if at_rail is None else np.asarray(at_rail)[:, None]
    judge = CellJudge(1000.0, mains_hz, QualitySpec())
    cell = judge.judge(0, raw, held, np.zeros(raw.shape, np.uint8), rail)
    assert cell.good[0] == (cell.fault_bits[0] == 0)
    return cell.faults[0]


def test_noise_on_an_offset_is_good():
    """Offset does not matter, only what moves."""
    assert faults(np.random.default_rng(0).normal(scale=5, size=100) + 20_000) == ()


@pytest.mark.parametrize(("range_uv", "found"), [(0.09, ("flat",)), (0.11, ())])
def test_flat_is_a_range_below_a_tenth_of_a_microvolt(range_uv, found):
    """A cell is flat by its range."""
    assert faults(np.linspace(0, range_uv, 100)) == found


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
@pytest.mark.parametrize(("noise_uv", "found"), [(0.5, ("mains",)), (5.0, ())])
def test_mains_is_nine_tenths_of_the_variance(mains_hz, noise_uv, found):
    """Mains of 10 µV dominates noise of 0.5 µV, not noise of 5 µV."""
    noise = np.random.default_rng(1).normal(scale=noise_uv, size=100)
    assert faults(10 * np.sin(2 * np.pi * mains_hz * T_S + 0.3) + noise, mains_hz=mains_hz) == found


def test_other_frequencies_are_not_mains():
    """Alpha and mains' neighbour bins are signal."""
    assert faults(10 * np.sin(2 * np.pi * 40 * T_S)) == ()
    assert faults(10 * np.sin(2 * np.pi * 10 * T_S)) == ()


@pytest.mark.parametrize(("n_equal", "found"), [(5, "saturated"), (4, "repaired")])
def test_saturation_is_five_equal_samples_at_the_extreme(n_equal, found):
    """At the rail, equal samples saturate a cell; fewer were merely repaired."""
    raw = np.random.default_rng(0).normal(size=100)
    rail = np.zeros(100, bool)
    rail[10 : 10 + n_equal] = True
    raw[rail] = -50_000.0
    held = np.where(rail, 0.5, raw)
    assert faults(raw, held, rail) == (found,)


def test_names_of_faults():
    """Bits become names in a fixed order."""
    assert faults_of(0) == ()
    assert faults_of(0b110001) == ("flat", "bridged", "mains")


def test_sqi_is_the_worse_kind():
    """The mean of each kind, then the least; a kind that is absent does not count."""
    assert sqi_of([1.0, 1.0, 0.2, 0.4], ["eeg", "eeg", "emg", "emg"]) == pytest.approx(0.3)
    assert sqi_of([0.5, 1.0], ["eeg", "eeg"]) == 0.75


@pytest.mark.parametrize(("sqi", "weight"), [(0.0, 0.0), (0.149, 0.0), (0.15, 0.3), (0.4, 0.8), (0.5, 1.0), (1.0, 1.0)])
def test_weight_of_sqi(sqi, weight):
    """Nothing below 0.15, in proportion below 0.5, then whole."""
    assert weight_of(sqi) == pytest.approx(weight)
