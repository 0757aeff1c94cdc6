"""Phases of any range of the grid."""

from __future__ import annotations

from acquisition.phases import PhaseTimeline


def test_phase_lasts_until_the_next_marker():
    """A range is told in spans; what comes before the first marker has no phase."""
    timeline = PhaseTimeline()
    timeline.mark(5, "preparation")
    timeline.mark(8, "flexion")
    assert timeline.spans(0, 20) == (("preparation", 5, 3), ("flexion", 8, 12))
    assert timeline.spans(6, 1) == (("preparation", 0, 1),)
    assert timeline.spans(100, 10) == (("flexion", 0, 10),)
    assert PhaseTimeline().spans(0, 10) == ()


def test_session_marks_end_a_phase_and_name_none():
    """After session-end no phase runs."""
    timeline = PhaseTimeline()
    timeline.mark(0, "session-start")
    timeline.mark(4, "rest")
    timeline.mark(6, "session-end")
    assert timeline.spans(0, 10) == (("rest", 4, 2),)


def test_late_and_repeated_markers():
    """A marker may be told after later ones; of two at one sample the one told last holds."""
    timeline = PhaseTimeline()
    timeline.mark(10, "extension")
    timeline.mark(2, "flexion")
    timeline.mark(2, "rest")
    assert timeline.spans(0, 12) == (("rest", 2, 8), ("extension", 10, 2))
