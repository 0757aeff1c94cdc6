"""Real blinks and clenches are scaled down by the artifact stage, rest is left alone, and the page says how far."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acquisition.chain import ChainSpec
from tests.conformance.blinks import BANDS, EARLY, LATE, clean, read, run, table

pytestmark = pytest.mark.conformance

PAGE = Path(__file__).parents[2] / "docs" / "signal.md"


@pytest.fixture(scope="module")
def recording(shared_data):
    """The recording at 1000 Hz."""
    return read(shared_data)


@pytest.fixture(scope="module")
def cleaned(recording):
    """It, before and after the stage."""
    return clean(recording)


@pytest.mark.parametrize("event", [*LATE, *EARLY], ids=lambda event: f"{event.name} {event.when_s[0]:g}")
def test_a_stage_that_was_calibrated_at_rest_scales_events_down(cleaned, event):
    """To less than 60 % of their RMS and 75 % of their peak; not to nothing."""
    _, _, rms, _, _, peak = cleaned.kept(event)
    assert 0.2 < rms < 0.6 and peak < 0.75


def test_a_stage_that_was_calibrated_on_blinks_lets_them_pass(cleaned):
    """They are its normal; what is stronger is scaled down all the same."""
    blinks, *stronger = [cleaned.kept(event)[1] for event in LATE]
    assert blinks > 0.9 and max(stronger) < 0.7


@pytest.mark.parametrize("band_hz", BANDS.values(), ids=BANDS)
def test_rest_is_left_alone(cleaned, band_hz):
    """The power of alpha and beta with closed eyes changes by 5 % in any channel."""
    busy, still = cleaned.change_at_rest(band_hz)
    assert np.abs(busy).max() < 0.1 and np.abs(still).max() < 5


def test_mains_that_strong_keeps_the_stage_off(recording):
    """With the limits that ship no channel can be calibrated on, and no window weighs anything."""
    steps, calibration = run(recording, ChainSpec())
    assert calibration.off and calibration.reason == "0 usable EEG channels, 4 are needed"
    assert {window.weight for step in steps for window in step.windows} == {0.0}


def test_the_page_has_these_figures(cleaned):
    """After a change of the stage: python -m tests.conformance.blinks_figure."""
    page = PAGE.read_text("utf-8")
    for row in table(cleaned):
        assert row in page, row
