"""Who was heard when, and why no window comes."""

import pytest

from dashboard.contact import FORGET_S, Bedside, Contacts, Progress, contact_message
from dashboard.wording import Standing, cause_words
from streaming.heartbeat import Beat


def beat(role: str, name: str = "one", session: str | None = None, **info: object) -> Beat:
    """Return a heartbeat."""
    return Beat(role, name, session, "host", 1, 0.0, 0, info)


def bedside(**more: object) -> Bedside:
    """Return a bedside whose session is S."""
    plain = {"session": "S", "closed_utc": None, "since_s": 0.0, "progress_age_s": 5.0, "made": 3, "done": 3}
    return Bedside(**(plain | more))  # type: ignore[arg-type]


def test_any_instance_of_a_role_is_contact() -> None:
    """One scorer of two that lives is a scorer that lives."""
    contacts = Contacts(begun_s=0.0)
    contacts.heard(beat("scorer", "a"), 1.0)
    contacts.heard(beat("scorer", "b"), 9.0)
    assert contacts.age_s("scorer", "S", 0.0, 10.0) == 1.0


def test_the_bridge_of_another_session_is_no_contact() -> None:
    """A neighbour's bridge does not freshen this bed's number (law 7)."""
    contacts = Contacts(begun_s=0.0)
    contacts.heard(beat("bridge", "x", "OTHER"), 9.0)
    assert contacts.age_s("bridge", "S", 0.0, 10.0) == 10.0


def test_a_role_that_was_never_heard_is_as_old_as_the_listening() -> None:
    """Silence from the start is silence; a session that is new is not late at once."""
    contacts = Contacts(begun_s=2.0)
    assert contacts.age_s("scorer", "S", 0.0, 10.0) == 8.0
    assert contacts.age_s("bridge", "S", 7.0, 10.0) == 3.0
    message = contact_message(contacts, bedside(), 10.0)
    assert message["roles"]["scorer"] == {"age_s": 8.0, "heard": False}


def test_a_role_that_fell_silent_long_ago_is_forgotten() -> None:
    """Names of processes of days ago do not pile up."""
    contacts = Contacts(begun_s=0.0)
    contacts.heard(beat("scorer", "old"), 0.0)
    contacts.heard(beat("scorer", "new"), FORGET_S + 1)
    assert contacts.newest("scorer", "S") == (FORGET_S + 1, beat("scorer", "new"))
    assert len(contacts._beats) == 1


def test_a_contact_message_carries_ages_and_what_the_bridge_said() -> None:
    """Every value travels with its age (law 7)."""
    contacts = Contacts(begun_s=0.0)
    contacts.redis_s = 99.5
    contacts.heard(beat("bridge", "S", "S", state="LIVE", quality={"C3": 0.9}), 99.0)
    message = contact_message(contacts, bedside(closed_utc="2026-11-22T12:00:00Z"), 100.0)
    assert message["roles"]["bridge"] == {"age_s": 1.0, "heard": True}
    assert message["redis"] == {"age_s": 0.5}
    assert message["bridge"]["quality"] == {"C3": 0.9}
    assert (message["session"], message["closed_utc"]) == ("S", "2026-11-22T12:00:00Z")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"redis_age_s": 4.0}, "Redis does not answer (4 s)"),
        ({"bridge_age_s": 5.0}, "no word from the bridge for 5 s"),
        ({"waiting": 1}, "1 window waiting for the scorer"),
        ({"waiting": 2, "scorer_age_s": 9.0}, "2 windows waiting for the scorer, which does not answer (9 s)"),
        ({"state": "SETTLING"}, "settling after a gap"),
        ({"state": "LOST"}, "no signal since the source is lost"),
        ({"state": "STALLED", "cause": "switched off"}, "no signal since the source is switched off"),
        ({}, "the next window is being filled"),
    ],
)
def test_the_cause_is_the_first_hindrance(changes: dict[str, object], words: str) -> None:
    """Missing progress is told in words, and never blamed on what works."""
    fine = {"redis_age_s": 0.5, "bridge_age_s": 0.5, "scorer_age_s": 0.5, "state": "LIVE", "cause": "", "waiting": 0}
    assert cause_words(Standing(**(fine | changes))) == words  # type: ignore[arg-type]


def test_progress_runs_from_the_begin_then_from_the_last_window() -> None:
    """Progress runs while the session is open, whatever the source does."""
    progress = Progress()
    assert progress.age_s(5.0) == 0.0
    progress.begun(10.0)
    progress.begun(99.0)
    assert progress.age_s(40.0) == 30.0
    progress.committed(35.0)
    assert progress.age_s(40.0) == 5.0
    assert progress.age_s(30.0) == 0.0


def test_a_server_that_was_started_again_dates_the_silent_by_their_deeds() -> None:
    """Who was silent for an hour before this process began is no fresh contact (law 7)."""
    contacts = Contacts(begun_s=3600.0)
    message = contact_message(contacts, bedside(since_s=3600.5, seen_s={"bridge": 5.0}), 3601.0)
    assert message["roles"]["bridge"] == {"age_s": 3596.0, "heard": False}
    assert message["roles"]["scorer"] == {"age_s": 0.5, "heard": False}


def test_a_heartbeat_that_waited_is_as_old_as_it_is() -> None:
    """A backlog that is read at once, after this process stood still, is no sign of life of now (law 7)."""
    contacts = Contacts(begun_s=0.0)
    for n in range(20):
        at_s = float(n)
        came_s = at_s if n < 5 else 30.0
        contacts.heard(Beat("bridge", "S", "S", "host", 1, at_s, n, {}), 1000.0 + came_s, came_s)
    assert contacts.age_s("bridge", "S", 0.0, 1030.0) == 11.0


def test_a_process_that_was_started_again_is_measured_anew() -> None:
    """It may run on another machine now, with another clock; one that is forgotten leaves nothing."""
    contacts = Contacts(begun_s=0.0)
    contacts.heard(Beat("scorer", "one", None, "host", 1, 500.0, 0, {}), 0.0, 0.0)
    contacts.heard(Beat("scorer", "one", None, "host", 2, 0.0, 0, {}), 1.0, 1.0)
    assert contacts.age_s("scorer", "S", 0.0, 1.0) == 0.0
    contacts.heard(beat("aggregator"), 1.5 + FORGET_S, 1.5 + FORGET_S)
    assert {sender[:2] for sender in contacts._lateness} == {("aggregator", "one")}


def test_progress_knows_who_did_something_last() -> None:
    """The newest deed of each role counts, in whatever order they are read."""
    progress = Progress()
    progress.did("bridge", 9.0)
    progress.did("bridge", 4.0)
    progress.did("scorer", 6.0)
    assert progress.seen_s == {"bridge": 9.0, "scorer": 6.0}
