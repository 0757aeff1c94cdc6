"""What a page may ask for, with a stand-in for whoever carries it out."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from dashboard import commands
from dashboard.routes.commands import _refusal
from dashboard.settings import DashboardSettings
from streaming.connection import connect
from streaming.control import Command, Listener
from tests.dashboard.conftest import SOON_S, Teller, serving

#: Longer than a note may be, right to left and with markup: what must come through as it is lies before it.
NOTE = "<img src=x onerror=alert(1)> الركبة"
BUSY = {"kind": "bed_busy", "subject": "B4", "message": "Bed B4 has the open session X.", "remedy": "Stop it first."}


class StandIn:
    """Answers every command as it is told to, and keeps what it heard."""

    def __init__(self, redis_url: str) -> None:
        self.heard: list[Command] = []
        self.data: Mapping[str, Any] = {}
        self.refusal: Mapping[str, str] | None = None
        self._listener = Listener(connect(redis_url, "stand-in", blocking=True), "stand-in")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while not self._stop.is_set():
            for command in self._listener.read(0.1):
                self.heard.append(command)
                if self.refusal is None:
                    self._listener.answer(command, self.data)
                else:
                    self._listener.refuse(command, self.refusal)

    def leave(self) -> None:
        """Listen no more."""
        self._stop.set()
        self._thread.join()


@pytest.fixture
def stand_in(redis_url: str) -> Iterator[StandIn]:
    """Return somebody who answers."""
    one = StandIn(redis_url)
    yield one
    one.leave()


def test_a_session_is_begun_with_what_the_person_chose(client: httpx.Client, stand_in: StandIn) -> None:
    """What was not chosen is not sent: the supervisor's settings hold then."""
    stand_in.data = {"session": "S"}
    body = {"patient": "P1", "source_id": "CAP", "minutes": 5, "mains_hz": 60, "author": "ana"}
    answer = client.post("/api/v1/beds/B4/start", json=body)
    assert (answer.status_code, answer.json()) == (200, {"session": "S"})
    (command,) = stand_in.heard
    args = {"bed": "B4", "patient": "P1", "source_id": "CAP", "minutes": 5.0, "mains_hz": 60}
    assert (command.name, command.args, command.author) == ("start", args, "ana")


@pytest.mark.parametrize(
    ("path", "body", "name", "args"),
    [
        ("stop", {}, "stop", {}),
        ("stop", {"entered_in_error": True}, "stop", {"entered_in_error": True}),
        ("mark", {"text": "cough"}, "mark", {"text": "cough"}),
        ("note", {"text": NOTE}, "note", {"text": NOTE}),
    ],
)
def test_a_session_is_ended_marked_and_noted(
    teller: Teller, client: httpx.Client, stand_in: StandIn, path: str, body: Any, name: str, args: Any
) -> None:
    """Markup and any script are text; who did not say a name is a page."""
    stand_in.data = {"sample": 12_000}
    answer = client.post(f"/api/v1/sessions/{teller.session}/{path}", json=body)
    assert answer.json() == {"sample": 12_000}
    (command,) = stand_in.heard
    assert (command.name, command.args) == (name, {"session": teller.session, **args})
    assert command.author == "a page"


def test_streams_and_cues_are_asked_for(client: httpx.Client, stand_in: StandIn) -> None:
    """The network is looked at by a command: a foreign page must not be able to keep it busy."""
    stand_in.data = {"state": "running"}
    assert client.post("/api/v1/streams", json={}).json() == {"state": "running"}
    assert client.post("/api/v1/beds/B4/cue", json={"action": "start"}).json() == {"state": "running"}
    assert [command.name for command in stand_in.heard] == ["streams", "cue"]
    assert stand_in.heard[1].args == {"bed": "B4", "action": "start", "language": "en"}


def test_a_bed_without_cues_is_no_fault(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dialog that looks at them again and again fills nobody's log."""
    monkeypatch.setitem(commands.WAIT_S, "cue", 0.05)
    answer = client.post("/api/v1/beds/B4/cue", json={"action": "show"})
    assert (answer.status_code, answer.json()) == (200, {"state": "none"})


def test_a_refusal_is_a_problem_in_its_own_words(client: httpx.Client, stand_in: StandIn) -> None:
    """Why not, and what to do, as whoever refuses says it (law 10)."""
    stand_in.refusal = BUSY
    answer = client.post("/api/v1/beds/B4/start", json={"patient": "P1"})
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    told = answer.json()
    assert (told["kind"], told["detail"], told["remedy"]) == ("bed_busy", BUSY["message"], BUSY["remedy"])


@pytest.mark.parametrize(
    ("path", "body", "remedy"),
    [
        ("/api/v1/beds/B4/start", {"patient": "P1"}, "without --patient it waits for sessions begun here"),
        ("/api/v1/beds/B4/cue", {"action": "start"}, "Open the cues here, or run flexion cues"),
        ("/api/v1/sessions/{session}/stop", {}, "See whether the session's bridge runs"),
    ],
)
def test_where_nobody_answers_the_page_says_what_to_start(
    teller: Teller, client: httpx.Client, monkeypatch: pytest.MonkeyPatch, path: str, body: Any, remedy: str
) -> None:
    """A command that nobody carries out is told as that, not as done."""
    monkeypatch.setattr(commands, "WAIT_S", dict.fromkeys(commands.WAIT_S, 0.05) | {"stop": 0.05})
    answer = client.post(path.format(session=teller.session), json=body)
    assert (answer.status_code, answer.json()["kind"]) == (503, "no_answer")
    assert remedy in answer.json()["remedy"]


def test_a_session_that_has_ended_takes_nothing_more(teller: Teller, client: httpx.Client, stand_in: StandIn) -> None:
    """Said at once; that it was the wrong patient's can still be said."""
    teller.close()
    answer = client.post(f"/api/v1/sessions/{teller.session}/mark", json={"text": "cough"})
    assert (answer.status_code, answer.json()["kind"]) == (409, "session_over")
    assert "has ended (planned)" in answer.json()["detail"]
    assert client.post(f"/api/v1/sessions/{teller.session}/stop", json={"entered_in_error": True}).status_code == 200


@pytest.mark.parametrize(
    ("text", "words"),
    [("x" * 10_000, "The note has 10,000 characters; at most 2,000 are kept."), (" ", "The note is empty.")],
)
def test_a_note_that_cannot_be_kept_is_refused(teller: Teller, client: httpx.Client, text: str, words: str) -> None:
    """Nothing is cut off behind somebody's back."""
    answer = client.post(f"/api/v1/sessions/{teller.session}/note", json={"text": text})
    assert (answer.status_code, answer.json()["kind"], answer.json()["detail"]) == (422, "text", words)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"patient": "P1", "montage": "/etc/passwd"}, 422),
        ({"patient": "P1", "mains_hz": 55}, 422),
        ({"patient": "P1", "minutes": 0}, 422),
        ({"patient": "P\n1"}, 422),
        ({"patient": "P1", "colour": "red"}, 422),
        ({"patient": "P1", "author": "x" * 65}, 422),
        ({}, 422),
    ],
)
def test_a_start_that_makes_no_sense_is_refused(client: httpx.Client, body: Any, status: int) -> None:
    """Before anybody hears of it; no path of this machine is a montage."""
    answer = client.post("/api/v1/beds/B4/start", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_only_these_pages_may_ask_and_only_in_json(teller: Teller, client: httpx.Client) -> None:
    """A form of a foreign site, and a request that names it, change nothing."""
    path = f"/api/v1/sessions/{teller.session}/stop"
    assert client.post(path, json={}, headers={"origin": "http://evil.example"}).status_code == 403
    assert client.post(path, data={"author": "x"}).status_code == 415
    assert client.post(path, content=b"{}").status_code == 415
    assert client.post(path, content=b"{", headers={"content-type": "application/json"}).status_code == 422


def test_a_body_is_bounded(teller: Teller, client: httpx.Client) -> None:
    """One that is too long, or does not say how long it is, is not read."""
    path, head = f"/api/v1/sessions/{teller.session}/note", {"content-type": "application/json"}
    long = json.dumps({"text": "x" * 70_000}).encode()
    assert client.post(path, content=long, headers=head).status_code == 413
    chunked: Callable[[], Iterator[bytes]] = lambda: iter([b"{}"])  # noqa: E731
    assert client.post(path, content=chunked(), headers=head).status_code == 411
    both = {**head, "content-length": "2", "transfer-encoding": "chunked"}
    request = Request({"type": "http", "headers": [(k.encode(), v.encode()) for k, v in both.items()]})
    refusal = _refusal(request)
    assert refusal is not None and refusal.status_code == 411


def test_a_session_is_named_by_its_id_alone(client: httpx.Client) -> None:
    """Nothing else reaches anybody."""
    assert client.post("/api/v1/sessions/nope/stop", json={}).json()["kind"] == "identity"
    assert client.post("/api/v1/beds/no bed/start", json={"patient": "P"}).json()["kind"] == "identity"


def test_without_redis_that_is_said(tmp_path: Path) -> None:
    """A page that can do nothing says why."""
    settings = DashboardSettings(f"unix://{tmp_path}/nobody.sock", tmp_path, port=0)
    with serving(settings) as url:
        answer = httpx.post(f"{url}/api/v1/streams", json={}, timeout=SOON_S)
        assert (answer.status_code, answer.json()["kind"]) == (503, "transport_down")
