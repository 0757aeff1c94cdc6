"""Windowing: by counting blocks; channel 0 is the sample's number on the grid."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.errors import BadInput
from acquisition.phases import PhaseTimeline
from acquisition.quality import BRIDGED, FLAT, Cell, QualitySpec
from acquisition.windowing import Block, Provenance, Windower, WindowSpec

SPEC = WindowSpec(n_samples=400, stride=200, settling=300)


def block(first_sample, *, bits=(0, 0), n_bridged=0, calibration="c0ffee", recorded=True):
    """Return a block whose channel 0 is the sample's number."""
    x_uv = np.stack([np.arange(first_sample, first_sample + 100), np.zeros(100)], axis=1).astype(np.float32)
    fault_bits = np.array(bits, dtype=np.uint8)
    return Block(x_uv, Cell(first_sample, fault_bits == 0, fault_bits), n_bridged, calibration, recorded)


def windower(spec=SPEC, phases=None, resampled_from_hz=None):
    """Return a windower of one EEG and one EMG channel."""
    provenance = Provenance("f" * 64, 50.0, 1000.0, resampled_from_hz)
    return Windower(spec, QualitySpec(), ("eeg", "emg"), provenance, phases or PhaseTimeline())


def feed(cutter, first_sample, n_blocks, **what):
    """Push blocks and return the windows that they complete."""
    made = [cutter.push(block(first_sample + 100 * index, **what)) for index in range(n_blocks)]
    return [window for window in made if window]


def test_windows_start_after_settling_and_a_stride_apart():
    """Window k starts at the segment's first sample + settling + k * stride, and holds just its samples."""
    cutter = windower()
    cutter.begin(segment=0)
    windows = feed(cutter, 1_000, 11)
    assert [window.first_sample for window in windows] == [1_300, 1_500, 1_700]
    for window in windows:
        assert window.x_uv[:, 0].tolist() == list(range(window.first_sample, window.first_sample + 400))


def test_index_runs_on_over_segments():
    """The index counts all windows of the session; what a segment leaves over is in none of them."""
    cutter = windower()
    cutter.begin(segment=0)
    first = feed(cutter, 0, 8)
    cutter.begin(segment=1)
    second = feed(cutter, 5_000, 7)
    assert [(window.index, window.segment, window.first_sample) for window in first + second] == [
        (0, 0, 300),
        (1, 1, 5_300),
    ]


def test_new_samples_of_overlapping_windows():
    """The ledger books each sample once: the first window whole, later ones by their stride."""
    cutter = windower()
    cutter.begin(segment=0)
    new = [cutter.n_new() for index in range(11) if cutter.push(block(100 * index))]
    assert new == [400, 200, 200]


def test_window_owns_its_memory_and_is_read_only():
    """A window can be kept and sent for as long as one likes; nobody writes on it."""
    cutter = windower()
    cutter.begin(segment=0)
    window = feed(cutter, 0, 7)[0]
    assert window.x_uv.flags.owndata and window.x_uv.flags.c_contiguous and window.x_uv.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        window.x_uv[0, 0] = 1


def test_quality_of_a_window():
    """Channel quality is the share of good cells; every fault found is named; the SQI gives the weight."""
    cutter = windower()
    cutter.begin(segment=0)
    feed(cutter, 0, 3, bits=(FLAT, FLAT))
    feed(cutter, 300, 1, bits=(0, FLAT))
    feed(cutter, 400, 2, bits=(0, BRIDGED))
    window = cutter.push(block(600))
    assert window.channel_quality == (1.0, 0.25)
    assert window.faults == ((), ("flat", "bridged"))
    assert (window.sqi, window.weight) == (0.25, 0.5)


@pytest.mark.parametrize(
    ("what", "flags"),
    [
        ({}, ()),
        ({"n_bridged": 3}, ("bridged",)),
        ({"calibration": ""}, ("uncalibrated",)),
        ({"recorded": False}, ("unrecorded",)),
    ],
)
def test_one_block_flags_the_window(what, flags):
    """A window is flagged for any sample that it holds."""
    cutter = windower()
    cutter.begin(segment=0)
    feed(cutter, 0, 3)
    feed(cutter, 300, 1, **what)
    window = feed(cutter, 400, 3)[0]
    assert window.flags == flags
    assert window.n_bridged == what.get("n_bridged", 0)
    assert window.calibration == "c0ffee"


def test_resampled_recordings_are_flagged():
    """A window says what rate it was resampled from (law 6)."""
    cutter = windower(resampled_from_hz=512.0)
    cutter.begin(segment=0)
    window = feed(cutter, 0, 7)[0]
    assert (window.flags, window.resampled_from_hz) == (("resampled",), 512.0)


def test_phases_are_those_known_when_the_window_is_made():
    """A marker told later never changes a window that was already made."""
    phases = PhaseTimeline()
    cutter = windower(phases=phases)
    cutter.begin(segment=0)
    phases.mark(350, "flexion")
    first = feed(cutter, 0, 7)[0]
    phases.mark(400, "rest")
    second = feed(cutter, 700, 2)[0]
    assert first.phases == (("flexion", 50, 350),)
    assert second.phases == (("rest", 0, 400),)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((150, 100, 0), "n_samples is 150"),
        ((100, 0, 0), "stride is 0"),
        ((100, 200, 0), "stride is 200 samples; expected at most"),
        ((100, 100, 50), "settling is 50"),
        ((100, 100, -100), "settling is -100"),
    ],
)
def test_spec_that_makes_no_sense_is_refused(numbers, words):
    """Lengths are multiples of 100, and no sample may fall between two windows."""
    with pytest.raises(BadInput, match=words):
        WindowSpec(*numbers)
