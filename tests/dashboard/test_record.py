"""All that was said of a session, and its shortest retelling."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboard.record import NEWEST, SessionRecord

REPLACED = st.sampled_from(["session", "source", "outcome", "end"])
LISTED = st.sampled_from(["marker", "notice"])
WINDOWS = st.sampled_from(["window", "result"])
ENTRIES = st.lists(
    st.one_of(
        st.tuples(WINDOWS, st.builds(lambda i: {"index": i}, st.integers(0, 5))),
        st.tuples(REPLACED, st.builds(lambda n: {"n": n}, st.integers())),
        st.tuples(LISTED, st.builds(lambda n: {"n": n}, st.integers(0, 9))),
    )
)


def told(entries: list[tuple[str, dict[str, Any]]]) -> SessionRecord:
    """Return the record after these entries."""
    record = SessionRecord()
    for type, data in entries:
        record.add(type, data)
    return record


@given(ENTRIES)
def test_a_snapshot_leaves_a_reader_where_the_whole_stream_would(entries: list[tuple[str, dict[str, Any]]]) -> None:
    """Whoever comes late knows what everybody knows (law 7)."""
    whole = told(entries)
    assert told([(e["type"], e["data"]) for e in whole.entries()]).entries() == whole.entries()


@given(ENTRIES)
def test_hearing_all_twice_changes_nothing(entries: list[tuple[str, dict[str, Any]]]) -> None:
    """A Redis that was wiped and told all again does no harm."""
    once = [e for e in told(entries).entries() if e["type"] not in NEWEST]
    assert [e for e in told(entries + entries).entries() if e["type"] not in NEWEST] == once


def test_a_result_is_new_once() -> None:
    """A result that is told again is no progress."""
    record = SessionRecord()
    assert [record.add("result", {"index": 3}) for _ in range(2)] == [True, False]
    assert record.count("result") == 1


def test_the_session_comes_first_and_the_end_last() -> None:
    """A reader knows what it reads about before it reads it."""
    record = told([("end", {}), ("window", {"index": 0}), ("source", {}), ("session", {})])
    assert [e["type"] for e in record.entries()] == ["session", "source", "window", "end"]


def test_old_markers_are_left_out() -> None:
    """A snapshot of a long session stays small."""
    record = told([("marker", {"sample": n}) for n in range(500)])
    assert [e["data"]["sample"] for e in record.entries()] == list(range(500 - NEWEST["marker"], 500))


def test_marks_outlast_the_markers_of_the_paradigm() -> None:
    """What a person marked is told to whoever comes late, however many cues came since."""
    mark = {"text": "cough", "sample": 7, "author": "ana"}
    cues = [("marker", {"text": "rest", "sample": n}) for n in range(300)]
    entries = told([("marker", mark), *cues]).entries()
    assert {"type": "marker", "data": mark} in entries
    assert len(entries) == NEWEST["marker"] + 1
