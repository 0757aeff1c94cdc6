"""The cues of a bed, run from its page through Redis."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

from acquisition.clock import FakeClock
from acquisition.cue_desk import CueDesk
from acquisition.paradigm import ParadigmPlan
from deploy.cueing import CueEar
from streaming import keys
from streaming.connection import connect
from streaming.control import Control, Reply
from streaming.errors import NoAnswer

SOON_S = 10.0
URL = "http://127.0.0.1:8611/"


@pytest.fixture
def desk() -> CueDesk:
    """Return cues on a clock that stands."""
    return CueDesk(ParadigmPlan(), lambda text, stamp_s: None, FakeClock())


@pytest.fixture
def ear(redis_url: str, desk: CueDesk) -> Iterator[CueEar]:
    """Return an ear that listens for bed B1."""
    with CueEar(redis_url, "B1", desk, URL, lambda: True) as ear:
        yield ear


def ask(redis_url: str, action: str, bed: str = "b1", within_s: float = SOON_S) -> Reply:
    """Ask as the page does, until somebody listens."""
    with connect(redis_url, "test", blocking=True) as redis:
        for _ in range(20):
            try:
                return Control(redis).send("cue", {"bed": bed, "action": action}, "ana", within_s / 20)
            except NoAnswer:
                continue
        raise NoAnswer("nobody", subject="cue")


def test_the_page_runs_the_cues(redis_url: str, ear: CueEar) -> None:
    """Each answer says how they stand, whether anybody records them, and where their own page is."""
    assert ask(redis_url, "show").data["state"] == "ready"
    told = ask(redis_url, "start").data
    assert (told["state"], told["heard"], told["url"]) == ("running", True, URL)


def test_what_cues_do_not_know_is_refused(redis_url: str, ear: CueEar) -> None:
    """With what they know."""
    reply = ask(redis_url, "dance")
    assert reply.error is not None
    assert reply.error["remedy"] == "Known: show, start, pause, go-on, stop."


def test_another_beds_cues_are_left_alone(redis_url: str, ear: CueEar, desk: CueDesk) -> None:
    """A page runs the cues of its own bed; opening some is the supervisor's."""
    for bed, action in (("B2", "start"), ("B1", "open")):
        with pytest.raises(NoAnswer):
            ask(redis_url, action, bed, within_s=2.0)
    assert desk.shown().state == "ready"


def test_an_entry_of_another_version_is_passed_over(redis_url: str, ear: CueEar) -> None:
    """The next command is heard all the same."""
    ask(redis_url, "show")
    with connect(redis_url, "test") as redis:
        redis.xadd(keys.CONTROL, {"nothing": json.dumps({})})
    assert ask(redis_url, "show").ok


def test_cues_go_on_without_redis(tmp_path, desk: CueDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ear that hears nothing tries again, and ends when the cues do."""
    again = threading.Event()
    monkeypatch.setattr("deploy.cueing.RETRY_S", 0.01)
    ear = CueEar(f"unix://{tmp_path}/nobody.sock", "B1", desk, URL, lambda: False)
    wait = ear._closing.wait
    monkeypatch.setattr(ear._closing, "wait", lambda s: (again.set(), wait(s)))
    with ear:
        assert again.wait(SOON_S)
    assert not ear._thread.is_alive()
