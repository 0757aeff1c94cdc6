"""What `flexion bench screen` watches a page with: it sees what the page sees and draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deploy.bench.first_view import LIVE, fresh_page, until_there
from deploy.bench.screen import WATCH, tie_clocks
from deploy.bench.watched import Watched
from tests.browser.feeder import Plan

pytestmark = pytest.mark.browser


def test_a_page_that_is_watched_hands_over_what_came_and_what_it_drew(browser: Any, site: str, play: Any) -> None:
    """Frames go on, nothing is drawn before it came, and the number rests on the windows that were scored."""
    with play(Plan(state="READY"), skip_s=38), fresh_page(browser, WATCH) as page:
        page.goto(f"{site}/beds/B4")
        live_ms = until_there(page, LIVE)
        tie = tie_clocks(page)
        page.wait_for_timeout(1000)
        seen = Watched.read(page.evaluate("JSON.stringify(flexionSeen)"))
    ends = seen.frames[:, 1] + seen.frames[:, 2]
    drawn = seen.draws[np.isfinite(seen.draws[:, 1])]
    came = ends[np.searchsorted(seen.frames[:, 0], drawn[:, 0], side="right") - 1]
    assert np.all(ends[:-1] <= seen.frames[1:, 1]) and seen.frames[0, 1] >= 38_000
    assert np.all(drawn[:, 1] <= came) and drawn[-1, 1] > drawn[0, 1]
    assert drawn[0, 0] <= live_ms == seen.first_trace_ms
    assert seen.session["rate_hz"] == 1000 and seen.numbers[0, 1] == 3
    assert tie.uncertainty_s < 0.1
    assert len(seen.sample_to_pixel_ms(tie)) == 0  # what is played here has no stamps
    assert len(seen.jitter_ms()) == len(seen.frames)
