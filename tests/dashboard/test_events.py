"""Events of a bed over HTTP, from a real Redis to a real reader."""

from functools import partial
from typing import Any

import httpx
import pytest

from dashboard import hub
from dashboard.viewers import EventViewer
from tests.dashboard.conftest import Teller


def test_a_reader_first_hears_all_so_far_then_how_old_it_is(teller: Teller, read: Any) -> None:
    """Snapshot, contact, then what comes."""
    teller.window(0)
    reader = read()
    snapshot = reader.next()
    assert snapshot["type"] == "snapshot"
    assert snapshot["data"]["session"] == teller.session
    assert [e["type"] for e in snapshot["data"]["entries"]] == ["session", "window"]
    assert reader.next()["type"] == "contact"


def test_what_is_said_is_heard(teller: Teller, read: Any) -> None:
    """An event and a result reach a reader with an id each."""
    reader = read()
    reader.until("contact")
    teller.window(0)
    assert reader.until("window")["data"]["index"] == 0
    first = reader.last_id
    teller.result(0)
    assert reader.until("result")["data"]["logit"] == 0.5
    assert reader.last_id != first


def test_a_reader_that_comes_back_hears_what_it_missed_and_nothing_else(teller: Teller, read: Any) -> None:
    """Last-Event-ID is lossless (law 7)."""
    reader = read()
    reader.until("contact")
    teller.window(0)
    reader.until("window")
    reader.close()
    teller.window(1)
    teller.window(2)
    back = read(last_event_id=reader.last_id)
    assert [back.until("window")["data"]["index"] for _ in range(2)] == [1, 2]


def test_a_heartbeat_reaches_a_reader_within_the_next_contact(teller: Teller, read: Any) -> None:
    """Once a second a reader learns how long ago each role was heard."""
    reader = read()
    message = reader.until("contact")
    while not message["data"]["roles"]["bridge"]["heard"]:
        teller.beat(quality={"C3": 0.5})
        message = reader.until("contact")
    assert message["data"]["roles"]["bridge"]["age_s"] < 2.0
    assert message["data"]["bridge"]["quality"] == {"C3": 0.5}
    assert message["data"]["roles"]["scorer"]["heard"] is False


def test_a_new_session_of_the_bed_is_a_new_snapshot(teller: Teller, redis_url: str, read: Any) -> None:
    """A page follows its bed, and forgets the session before."""
    reader = read()
    assert reader.next()["data"]["session"] == teller.session
    teller.close()
    following = Teller(redis_url).open()
    assert reader.until("snapshot")["data"]["session"] == following.session


def test_a_bed_without_a_session_can_be_watched(redis_url: str, read: Any) -> None:
    """A page that was opened before the session begins shows it when it does."""
    reader = read(bed="empty")
    assert reader.next()["data"] == {"bed": "empty", "session": None, "entries": []}
    teller = Teller(redis_url, bed="Empty").open()
    assert reader.until("snapshot")["data"]["session"] == teller.session


@pytest.mark.parametrize(
    "lost", ["01JDA0000000000000000000AB_1-0_0-0", "no cursor"], ids=["another session", "garbage"]
)
def test_a_reader_whose_place_is_gone_is_told_to_begin_anew(teller: Teller, read: Any, lost: str) -> None:
    """What it lacks cannot be had any more: `resync` says so, and a snapshot says how it stands."""
    reader = read(last_event_id=lost)
    assert reader.next() == {"type": "resync", "data": {"after": lost}}
    assert reader.next()["data"]["session"] == teller.session


def test_a_slow_reader_beside_a_fast_one(
    teller: Teller, served: str, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that is too far behind is let go and comes back for the rest; the one beside it waits for nobody."""
    monkeypatch.setattr(hub, "EventViewer", partial(EventViewer, kept=4))
    slow, fast = read(), read()
    fast.until("contact")
    slow.until("contact")
    n, words = 200, "x" * 100_000
    heard = []
    for index in range(n):
        teller.tell("notice", {"level": "technical", "text": f"{index} {words}"})
        heard.append(number(fast.until("notice")))
    assert heard == [*range(n)]
    with pytest.raises((EOFError, httpx.RemoteProtocolError)):
        while True:
            heard.append(number(slow.until("notice")))
    caught_up = len(heard) - n
    assert heard[n:] == [*range(caught_up)]
    assert caught_up < n
    back = read(last_event_id=slow.last_id)
    assert [number(back.until("notice")) for _ in range(caught_up, n)] == [*range(caught_up, n)]


def number(message: dict[str, Any]) -> int:
    """Return the number that a notice of the test begins with."""
    return int(message["data"]["text"].split()[0])


def test_the_stream_is_not_kept_by_anything_in_between(teller: Teller, read: Any) -> None:
    """A proxy must neither store nor collect it."""
    headers = read().response.headers
    assert headers["content-type"].startswith("text/event-stream")
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")


def test_a_bed_that_no_bed_may_be_called_is_refused(served: str) -> None:
    """A name becomes part of nothing before it was checked."""
    answer = httpx.get(f"{served}/api/v1/beds/b%20d/events")
    assert answer.status_code == 422
    assert "not allowed" in answer.json()["detail"]
