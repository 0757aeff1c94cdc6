"""The filter against what others say: closed forms, scipy over the whole, and values that neurodsp has published."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import signal

from acquisition.conditioning import ConditioningSpec, Filter, Repair
from acquisition.montage import Channel, Montage

from .filter_theory import NOTHING, RATE_HZ, SHOWN_HZ, measured, ours, table, theory, theory_delay_s

PAGE = Path(__file__).parents[2] / "docs" / "signal.md"
#: Neurodsp's own filter, as the folder's description states it.
FIR = signal.firwin(231, [13, 30], pass_zero=False, fs=RATE_HZ)
#: Seconds after which a window may begin.
SETTLED_S = 4.0
#: How fast the slowest pole forgets how a filter was started, per s: that of the Butterworth high-pass at 0.5 Hz.
FORGETS_PER_S = 2 * np.pi * 0.5 * np.sqrt(0.5)


@pytest.fixture(scope="module")
def raw(shared_data):
    """Return 10 s of human motor cortex at 1000 Hz, in µV."""
    return np.load(shared_data / "ref-neurodsp-1000" / "sample_data_1.npy")


@pytest.fixture(scope="module")
def published(shared_data):
    """Return the same between 13 and 30 Hz as neurodsp published it; NaN where its filter has no whole input."""
    return np.load(shared_data / "ref-neurodsp-1000" / "sample_data_1_filt.npy")


def one_shot(x_uv, mains_hz):
    """Return what scipy's own designs make of a whole channel at once, begun at its first value."""
    sections = [signal.butter(2, [0.5, 150], "bandpass", fs=RATE_HZ, output="sos")]
    sections += [signal.tf2sos(*signal.iirnotch(hz, 30, fs=RATE_HZ)) for hz in (mains_hz, 2 * mains_hz)]
    sos = np.vstack(sections)
    return signal.sosfilt(sos, x_uv, zi=signal.sosfilt_zi(sos) * x_uv[0])[0]


def in_pieces(x_uv, sizes):
    """Return a channel as the chain filters it when it arrives in pieces of these sizes, again and again."""
    spec, filtered, at, n = ConditioningSpec(), [], 0, 0
    repair, filters = Repair(1, spec), Filter(Montage("one", RATE_HZ, (Channel("C3", "eeg"),)), 60.0, spec)
    while at < len(x_uv):
        piece = x_uv[at : at + sizes[n % len(sizes)], None]
        filtered.append(filters.push(repair.push(piece))[:, 0])
        at, n = at + len(piece), n + 1
    return np.concatenate(filtered)


@pytest.mark.parametrize("size", [1, 7, 10, 32, 100, 1000, 10_000])
def test_a_real_recording_is_one_shot_scipy_at_every_size(raw, size):
    """Bit for bit what sosfilt makes of the whole, from zi times the first value (law 1)."""
    assert in_pieces(raw, [size]).tobytes() == one_shot(raw, 60.0).tobytes()


@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=30))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_real_recording_is_one_shot_scipy_at_any_sizes(raw, sizes):
    """The same for sizes that change all the time."""
    assert in_pieces(raw, sizes).tobytes() == one_shot(raw, 60.0).tobytes()


def test_the_published_values_are_those_of_the_stated_filter(raw, published):
    """What the reference is, is sure before anything is held against it: neurodsp's FIR, by convolution."""
    known = np.isfinite(published)
    assert np.flatnonzero(known)[[0, -1]].tolist() == [116, 9_883]
    assert np.abs(np.convolve(raw, FIR, "same") - published)[known].max() < 1e-11


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_our_filter_agrees_with_the_published_values(raw, published, mains_hz):
    """Our filter of their values is their filter of ours, whichever of the two comes first.

    Both are linear, so that the order does not matter, and nothing of ours is on one side that is not on the other but
    how it was started: on the raw first value there, on that of their output here. That is forgotten as fast as the
    slowest pole allows. So once windows begin, at 4 s, they may differ by 1e-5 of the signal's standard deviation, and
    by as much less later as that pole says.
    """
    first, last = np.flatnonzero(np.isfinite(published))[[0, -1]]
    whole = slice(first, last + 1)
    apart = np.abs(np.convolve(ours(raw, mains_hz), FIR, "same")[whole] - ours(published[whole], mains_hz))
    since_s = np.arange(len(apart)) / RATE_HZ - SETTLED_S
    # The FIR of ours has no whole input in the last 115 samples, as theirs had none.
    held = slice(round(SETTLED_S * RATE_HZ), len(apart))
    allowed = 1e-5 * published[whole].std() * np.exp(-FORGETS_PER_S * since_s)
    assert (apart <= np.maximum(allowed, 1e-9))[held].all()


@pytest.mark.parametrize(("mains_hz", "gone_hz"), [(50.0, [50, 100]), (60.0, [120])])
def test_gain_and_delay_are_those_of_theory(mains_hz, gone_hz):
    """At every stated frequency the impulse's answer has the gain and the group delay of the closed forms."""
    hz = np.array(SHOWN_HZ, float)
    gain, delay_s = measured(hz, mains_hz)
    assert np.abs(gain - theory(hz, mains_hz)).max() < 1e-9
    left = np.abs(gain) > NOTHING
    assert hz[~left].tolist() == gone_hz
    assert delay_s[left] == pytest.approx(theory_delay_s(hz[left], mains_hz), abs=1e-6)


def test_edges_and_notches_are_where_they_should_be():
    """The band is down by 3 dB at 0.5 and 150 Hz; of mains and its double nothing is left."""
    edges = np.abs(measured(np.array([0.5, 150.0]), 50.0)[0])
    assert edges == pytest.approx(np.sqrt(0.5), rel=2e-3)  # the notches take a thousandth more at 150 Hz
    assert np.abs(measured(np.array([50.0, 100.0]), 50.0)[0]).max() < 1e-9


def test_the_page_has_the_table():
    """docs/signal.md shows the gain and delay that the filter has."""
    assert "\n".join(table()) in PAGE.read_text("utf-8")


def test_whoever_filters_nothing_does_not_wait_for_scipy():
    """The chain's spec is known to the supervisor and to every reader; importing the filters takes most of a second."""
    code = "import sys, acquisition.chain; sys.exit('scipy.signal' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
