"""Conditioning: what is held, what a channel restarts at, and the filter against one-shot scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from acquisition.conditioning import ConditioningSpec, Filter, FilterSpec, Repair, design
from acquisition.errors import RateError
from acquisition.montage import Channel, Montage
from acquisition.quality import faults_of

NAN = np.nan


def one(values, n_bridged=0, repair=None, full_scale_uv=None):
    """Push one channel through a repair."""
    repair = repair or Repair(1, ConditioningSpec(), full_scale_uv)
    return repair.push(np.asarray(values, dtype=float)[:, None], n_bridged)


def causes(repaired):
    """Return the names of what was wrong with each sample."""
    return [faults_of(int(bits)) for bits in repaired.causes[:, 0]]


def rows(repaired):
    """Return the rows at which the filter starts."""
    return [row for row, _ in repaired.starts]


def emg(n_channels=1, rate_hz=1000.0):
    """Return a montage of muscles."""
    return Montage("m", rate_hz, tuple(Channel(f"M{index}", "emg") for index in range(n_channels)))


def test_bad_samples_are_held_at_the_last_good_value():
    """NaN, infinities and values far from the running mean are held, and it is said which."""
    repaired = one([1.0, NAN, np.inf, 2.0, 10_002.0, -np.inf, 1e300])
    assert repaired.held_uv.ravel().tolist() == [1, 1, 1, 2, 2, 2, 2]
    bad, far = ("repaired",), ("out_of_range",)
    assert causes(repaired) == [(), bad, bad, (), far, bad, far]
    assert rows(repaired) == [0]


def test_nothing_comes_out_before_the_first_good_value():
    """Until a channel's first good sample the input of its filter is 0 (and so is the output)."""
    repaired = one([NAN, NAN, 7.0])
    assert repaired.held_uv.ravel().tolist() == [0, 0, 7]
    assert rows(repaired) == [2]


@pytest.mark.parametrize(("n_bad", "starts"), [(20, [0]), (21, [0, 22])])
@pytest.mark.parametrize("sizes", [[1] * 60, [60], [13, 47]])
def test_channel_starts_anew_after_more_than_20_bad_samples(n_bad, starts, sizes):
    """A run of 20 is held and forgotten; after 21 that channel's filter starts at its next good value."""
    values = np.r_[1.0, [NAN] * n_bad, np.full(59 - n_bad, 3.0)]
    repair, found, at = Repair(1, ConditioningSpec()), [], 0
    for size in sizes:
        found += [at + row for row in rows(one(values[at : at + size], repair=repair))]
        at += size
    assert found == starts


def test_bridged_samples_lengthen_a_bad_run():
    """A hole between bad samples is part of the same run."""
    repair = Repair(1, ConditioningSpec())
    one([1.0] + [NAN] * 11, repair=repair)
    assert rows(one([5.0], n_bridged=10, repair=repair)) == [10]
    repair = Repair(1, ConditioningSpec())
    one([1.0], repair=repair)
    assert rows(one([5.0], n_bridged=20, repair=repair)) == []


def test_bridge_is_a_straight_line_between_held_values():
    """The line runs from the value held before to the one held after (law 4)."""
    repair = Repair(1, ConditioningSpec())
    one([4.0, NAN], repair=repair)
    repaired = one([10.0, 11.0], n_bridged=2, repair=repair)
    assert repaired.held_uv.ravel().tolist() == [6, 8, 10, 11]
    assert causes(repaired) == [("bridged",), ("bridged",), (), ()]
    assert one([NAN], n_bridged=3, repair=repair).held_uv.ravel().tolist() == [11] * 4


def test_bridge_before_the_first_good_value_stays_at_zero():
    """A channel that has not started is not drawn towards its first value."""
    repair = Repair(1, ConditioningSpec())
    one([NAN], repair=repair)
    repaired = one([300.0], n_bridged=3, repair=repair)
    assert repaired.held_uv.ravel().tolist() == [0, 0, 0, 300]
    assert rows(repaired) == [3]


def test_samples_at_the_rail_are_held():
    """Within 0.1 % of the full scale a sample is saturated, past it out of range."""
    repaired = one([40_000.0, 49_949.0, 49_951.0, 50_049.0, 50_051.0], full_scale_uv=50_000.0)
    assert repaired.held_uv.ravel().tolist() == [40_000, 49_949, 49_949, 49_949, 49_949]
    assert repaired.at_rail.ravel().tolist() == [False, False, True, True, False]
    assert causes(repaired) == [(), (), (), ("out_of_range",), ("out_of_range",)]


def test_real_step_of_the_offset_is_believed_after_a_second():
    """The running mean follows a step, so that a channel is not lost for good."""
    repaired = one(np.r_[np.zeros(1_000), np.full(2_000, 300_000.0)])
    assert causes(repaired)[1_000] == ("out_of_range",)
    assert causes(repaired)[2_000] == ()
    assert rows(repaired) == [0, 2_000]


def test_one_absurd_value_does_not_move_the_mean():
    """A value beyond 1 V is out of range by itself and costs no sample after it."""
    repaired = one([0.0] * 50 + [1e300] + [0.0] * 149)
    assert sum(bool(cause) for cause in causes(repaired)) == 1


def test_start_rings_not_on_an_offset():
    """Zi * x0: an offset of 300 µV comes out as nothing from the very first sample."""
    x = np.full((2_000, 1), 300.0)
    out = Filter(emg(), 50.0, ConditioningSpec()).push(Repair(1, ConditioningSpec()).push(x))
    assert np.abs(out).max() < 1e-6


@given(st.lists(st.integers(1, 400), min_size=1, max_size=20), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_filter_is_one_shot_scipy_for_every_chunking(sizes, seed):
    """However the samples arrive, the bits are those of sosfilt over the whole (law 1)."""
    x = np.random.default_rng(seed).normal(size=(sum(sizes), 3)) * 50 + 300
    sos = design(1000.0, 50.0, FilterSpec())
    whole, _ = signal.sosfilt(sos, x, axis=0, zi=signal.sosfilt_zi(sos)[:, :, None] * x[0])
    repair, filters = Repair(3, ConditioningSpec()), Filter(emg(3), 50.0, ConditioningSpec())
    out = [filters.push(repair.push(chunk)) for chunk in np.split(x, np.cumsum(sizes)[:-1])]
    assert np.concatenate(out).tobytes() == whole.tobytes()


def test_restart_in_the_middle_of_a_chunk_is_scipy_from_there():
    """A channel that starts anew has the bits of a filter begun at that sample; its neighbour goes on."""
    x = np.random.default_rng(0).normal(size=(500, 2))
    x[100:150, 0] = NAN
    out = Filter(emg(2), 50.0, ConditioningSpec()).push(Repair(2, ConditioningSpec()).push(x))
    sos = design(1000.0, 50.0, FilterSpec())
    zi = signal.sosfilt_zi(sos)
    assert out[150:, 0].tobytes() == signal.sosfilt(sos, x[150:, 0], zi=zi * x[150, 0])[0].tobytes()
    assert out[:, 1].tobytes() == signal.sosfilt(sos, x[:, 1], zi=zi * x[0, 1])[0].tobytes()


def test_kinds_may_be_filtered_differently():
    """Each kind has its own filter, whatever the order of the channels."""
    montage = Montage("m", 1000.0, (Channel("A", "emg"), Channel("B", "eeg"), Channel("C", "emg")))
    spec = ConditioningSpec(emg=FilterSpec(low_hz=20.0, high_hz=200.0))
    x = np.random.default_rng(0).normal(size=(300, 3))
    out = Filter(montage, 60.0, spec).push(Repair(3, spec).push(x))
    for column, own in ((0, spec.emg), (1, spec.eeg), (2, spec.emg)):
        sos = design(1000.0, 60.0, own)
        whole, _ = signal.sosfilt(sos, x[:, column], zi=signal.sosfilt_zi(sos) * x[0, column])
        assert out[:, column].tobytes() == whole.tobytes()


@pytest.mark.parametrize(("hz", "passes"), [(10.0, True), (100.0, False), (50.0, False), (0.05, False), (75.0, True)])
def test_filter_passes_the_band_and_stops_mains(hz, passes):
    """0.5 to 150 Hz pass; mains, its second harmonic and drift do not."""
    gain = np.abs(signal.sosfreqz(design(1000.0, 50.0, FilterSpec()), worN=[hz], fs=1000.0)[1][0])
    assert gain > 0.9 if passes else gain < 0.05


@pytest.mark.parametrize("rate_hz", [250.0, 300.0])
def test_rate_too_low_for_the_filters_is_refused(rate_hz):
    """A rate that cannot carry the band is refused with both numbers (law 10)."""
    with pytest.raises(
        RateError, match=rf"rate of {rate_hz:g} Hz cannot carry 150 Hz; expected more than 300 Hz.*resample"
    ):
        Filter(emg(rate_hz=rate_hz), 50.0, ConditioningSpec())
