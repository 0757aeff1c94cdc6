"""The log of decisions after a crash: what never took effect is void, for good (law 2)."""

from __future__ import annotations

import pytest

from acquisition.decision_log import DecisionLog
from acquisition.decisions import Decision
from acquisition.errors import DiskFull, RecordingError
from tests.acquisition.test_durable import disk_of


def decision(kind, at, part=1, **data):
    """A decision of the signal."""
    return Decision(kind, part, 0, at, data)


def whole(*counts):
    """Whole samples per part, whatever the stream."""
    return lambda part, stream: counts[part - 1] if part <= len(counts) else 0


SEGMENT = decision("segment", 0, segment=0, first_sample=0, reason="start")


def log_of(tmp_path, *decisions, tail=b""):
    """A log with these decisions, and what a crash left behind them."""
    log = DecisionLog(tmp_path / "decisions.jsonl")
    log.append(*decisions)
    log.close()
    with open(log.path, "ab") as file:
        file.write(tail)
    return log


def test_decisions_come_back_in_order(tmp_path):
    """What was appended is read, and nothing is void where all samples are whole."""
    decisions = [SEGMENT, decision("bridged", 50, n=3), decision("calibration", 90, hash="ab")]
    content = log_of(tmp_path, *decisions).read(whole(100))
    assert list(content.decisions) == decisions
    assert content.fresh_voids == ()


def test_a_log_that_was_never_written_is_empty(tmp_path):
    """A session without decisions has none."""
    assert DecisionLog(tmp_path / "decisions.jsonl").read(whole(0)).decisions == ()


@pytest.mark.parametrize("tail", [b"x", SEGMENT.to_line()[:-1], SEGMENT.to_line()[:20], b"\xff\xfe"])
def test_a_torn_last_line_is_void(tmp_path, tail):
    """A line without its newline was never synced, however well it reads."""
    content = log_of(tmp_path, SEGMENT, tail=tail).read(whole(10))
    assert content.decisions == (SEGMENT,)
    assert content.fresh_voids == (1,)


@pytest.mark.parametrize("kind", ["marker", "calibration", "bridged", "lost", "segment", "reject", "term"])
def test_decisions_past_the_whole_samples_are_void(tmp_path, kind):
    """A decision whose place never became whole samples decided nothing."""
    content = log_of(tmp_path, SEGMENT, decision(kind, 11, n=1)).read(whole(10))
    assert content.decisions == (SEGMENT,)
    assert content.fresh_voids == (1,)


@pytest.mark.parametrize(
    "kind", ["segment", "bridged", "lost", "reject", "clock_reset", "marker", "calibration", "term", "index"]
)
def test_a_decision_about_a_sample_that_never_came_is_void(tmp_path, kind):
    """At the very end, what is decided about the next sample is void; what is known from the samples before stays."""
    content = log_of(tmp_path, SEGMENT, decision(kind, 10, n=1)).read(whole(10))
    assert bool(content.fresh_voids) is (kind not in ("marker", "calibration", "term", "index"))


@pytest.mark.parametrize("kind", ["unpaired", "slip"])
def test_a_decision_about_a_partner_s_sample_that_never_came_is_void(tmp_path, kind):
    """It stands at the partner's own count; in a replay, which has no partner, it is about no sample."""
    for stream, voided in ((2, True), (0, False)):
        (tmp_path / str(stream)).mkdir()
        said = Decision(kind, 1, stream, 10, {"n": 1})
        content = log_of(tmp_path / str(stream), SEGMENT, said).read(whole(10))
        assert bool(content.fresh_voids) is voided


def test_what_is_lost_up_to_an_orderly_end_stays(tmp_path):
    """A source that was away at the end is declared lost; the end makes that final (law 3)."""
    decisions = [SEGMENT, decision("lost", 10, n=500, reason="absent"), decision("end", 10, reason="planned")]
    content = log_of(tmp_path, *decisions).read(whole(10))
    assert list(content.decisions) == decisions


def test_void_lines_stay_void_when_samples_come_later(tmp_path):
    """Once voided, a line is skipped for ever, also when its place is reached by other samples."""
    log = log_of(tmp_path, SEGMENT, decision("marker", 15, text="rest"), tail=b'{"kind"')
    voids = log.read(whole(10)).fresh_voids
    log.append(decision("voided", 0, part=2, lines=list(voids), n=len(voids)))
    content = log.read(whole(20, 5))
    assert [d.kind for d in content.decisions] == ["segment", "voided"]
    assert content.fresh_voids == ()


def test_a_crash_while_voiding_is_survived(tmp_path):
    """The line that voids may be torn as well; the next life voids both."""
    log = log_of(tmp_path, SEGMENT, tail=b'{"kind"\n{"at":0,"data":{"li')
    content = log.read(whole(10))
    assert content.decisions == (SEGMENT,)
    assert content.fresh_voids == (1, 2)
    log.append(decision("voided", 0, part=2, lines=[1, 2], n=2))
    assert [d.kind for d in log.read(whole(10)).decisions] == ["segment", "voided"]


def test_rubbish_in_the_middle_is_refused(tmp_path):
    """No crash does that: the file was changed, and that is said with the line (law 10)."""
    log = log_of(tmp_path, SEGMENT, tail=b"rubbish\n" + SEGMENT.to_line())
    with pytest.raises(RecordingError, match="line 2 of .*decisions.jsonl is not a decision, and sound lines follow"):
        log.read(whole(10))


def test_a_void_that_lists_no_lines_is_rubbish(tmp_path):
    """A voided decision must name line numbers."""
    log = log_of(tmp_path, SEGMENT, tail=decision("voided", 0, lines="all").to_line())
    assert log.read(whole(10)).fresh_voids == (1,)


def test_a_full_disk_leaves_whole_lines(tmp_path):
    """A decision that could not be written is not half there."""
    log = log_of(tmp_path, SEGMENT)
    with disk_of(log.path.stat().st_size + 20), pytest.raises(DiskFull):
        log.append(SEGMENT)
    assert log.path.read_bytes() == SEGMENT.to_line()
