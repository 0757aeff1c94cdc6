"""A session begun and ended on the pages, with the real command: pressed twice, its bridge killed, then corrected."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from acquisition.session import SessionFolder

from .checking import decided
from .half import Half
from .running import Running, await_that, free_port, kill, n_results

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(400)]

#: Longest wait for an answer of the pages; the machine may be busy with other work.
ANSWER_S = 60.0


@dataclass(frozen=True)
class Ended:
    """What the pages were told, and what is left."""

    network: dict[str, Any]
    starts: list[httpx.Response]
    told: dict[str, httpx.Response]
    notes: list[str]
    folder: SessionFolder
    code: int
    log: str
    ids: tuple[str, str]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, models: Mapping[str, str]) -> Ended:
    """Press start twice at once, kill the bridge, mark, note, and end it as the wrong patient's."""
    place, ids, port = tmp_path_factory.mktemp("pages"), (uuid.uuid4().hex, uuid.uuid4().hex), free_port()
    with Half("eeg", ids[0]), Half("emg", ids[1]), httpx.Client(timeout=ANSWER_S) as client:
        client.base_url = f"http://127.0.0.1:{port}"
        with Running(place, "live", "--port", port, "--no-browser", "--json", **models) as running:
            await_that(lambda: _answers(client), "the pages")
            network = client.post("/api/v1/streams", json={}).json()
            starts = _pressed_twice(client, {"patient": "P1", "source_id": ids[0], "partner_source_id": ids[1]})
            (session,) = running.sessions()
            path = running.folder(session)
            await_that(lambda: n_results(path), "a first result")
            told = {"mark": client.post(f"/api/v1/sessions/{session}/mark", json={"text": "cough", "author": "ana"})}
            told["note"] = client.post(f"/api/v1/sessions/{session}/note", json={"text": "before"})
            kill(running.child(f"bridge {session}"))
            await_that(lambda: n_results(path) > 1, "a result of the next life")
            told["again"] = client.post(f"/api/v1/sessions/{session}/note", json={"text": "after"})
            notes = await_that(lambda: _notes(client, n=2), "both notes on the page")
            told["stop"] = client.post(f"/api/v1/sessions/{session}/stop", json={"entered_in_error": True})
            await_that(lambda: (SessionFolder.open(path).ledger() or {}).get("ended"), "its end")
            running.process.send_signal(signal.SIGINT)
            return Ended(network, starts, told, notes, SessionFolder.open(path), running.finish(), running.tail(), ids)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").is_success
    except httpx.TransportError:
        return False


def _pressed_twice(client: httpx.Client, body: dict[str, str]) -> list[httpx.Response]:
    with ThreadPoolExecutor(2) as pool:
        pressed = [pool.submit(client.post, "/api/v1/beds/B1/start", json=body) for _ in range(2)]
        return sorted((one.result() for one in pressed), key=lambda answer: answer.status_code)


def _notes(client: httpx.Client, n: int) -> list[str]:
    """Return the notes that a page of the bed is told, once there are so many."""
    entries = client.get("/api/v1/beds/B1").json()["snapshot"]["entries"]
    notes = [entry["data"]["text"] for entry in entries if entry["type"] == "note"]
    return notes if len(notes) >= n else []


def test_what_is_on_the_network_can_be_chosen(ended: Ended) -> None:
    """Both halves of the montage, and that they fit together; nobody has them yet."""
    pairs = [(pair["signal"]["source_id"], pair["partner"]["source_id"]) for pair in ended.network["pairs"]]
    assert ended.ids in pairs and ended.network["taken"] == {}


def test_two_presses_begin_one_session(ended: Ended) -> None:
    """The second is refused with words; nothing else was recorded."""
    begun, refused = ended.starts
    assert (begun.status_code, refused.status_code) == (200, 409), refused.text
    assert refused.json()["kind"] == "bed_busy"
    assert begun.json()["session"] == ended.folder.info.session
    assert len(list(ended.folder.path.parent.iterdir())) == 1


def test_what_was_written_outlasts_the_bridge(ended: Ended) -> None:
    """The mark is a decision, the notes are in the folder once each, and a page is told both, once each."""
    assert all(answer.is_success for answer in ended.told.values()), [a.text for a in ended.told.values()]
    (mark,) = [d.data for d in decided(ended.folder.path, "marker") if d.data["text"] == "cough"]
    assert (mark["author"], mark["sample"]) == ("ana", ended.told["mark"].json()["sample"])
    assert [note["text"] for note in ended.folder.notes()] == ended.notes == ["before", "after"]
    assert ended.folder.part_numbers() == [1, 2]


def test_the_wrong_patient_s_session_is_closed_and_marked(ended: Ended) -> None:
    """It ends as any session does, with every window's fate, and says that it is nobody's."""
    ledger = ended.folder.ledger() or {}
    assert (ledger["reason"], ledger["ledger"]["balanced"]) == ("user", True)
    assert ended.folder.info.entered_in_error
    assert ended.code == 0, ended.log
