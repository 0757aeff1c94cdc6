"""The interface: what is committed is what is served, and every refusal is a problem."""

import json
from pathlib import Path

import httpx
import pytest

from dashboard.app import create_app
from dashboard.hub import Hub
from dashboard.openapi import COMMITTED, document, main, text_of
from dashboard.settings import DashboardSettings

APP = create_app(DashboardSettings("unix:///nowhere", Path()))


def test_the_committed_interface_is_the_one_that_is_served() -> None:
    """A change of the interface is seen in review: `make openapi` writes the file."""
    assert COMMITTED.read_text(encoding="utf-8") == text_of(APP), "run `make openapi` and look at the difference"


def test_it_is_written_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints what is committed, without any Redis."""
    main()
    assert capsys.readouterr().out == text_of(APP)


def test_every_operation_has_its_summary_and_its_refusals() -> None:
    """Nothing that FastAPI says of refusals by itself is left: ours are others."""
    operations = [operation for path in document(APP)["paths"].values() for operation in path.values()]
    assert all(operation["summary"] for operation in operations)
    for operation in operations:
        assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]
    assert "ValidationError" not in json.dumps(document(APP))


def test_a_fault_of_ours_is_a_problem_too(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks gets words, never a traceback."""

    def fail(_: Hub) -> list[object]:
        raise KeyError("secret")

    monkeypatch.setattr(Hub, "cards", fail)
    answer = client.get("/api/v1/beds")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert (answer.json()["kind"], "secret" in answer.text) == ("fault", False)


def test_a_verb_that_is_not_served_names_those_that_are(client: httpx.Client) -> None:
    """405 comes with Allow, as HTTP asks."""
    answer = client.put("/api/v1/beds")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/beds/b%20d", 422),
        ("GET", "/api/v1/beds/B9", 404),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/patients?page=-1", 422),
        ("GET", "/api/v1/sessions/nope", 422),
        ("GET", "/api/v1/sessions/01JDA0000000000000000000AB", 404),
        ("POST", "/api/v1/ward", 404),
        ("GET", "/static/nothing.js", 404),
    ],
)
def test_every_refusal_is_a_problem(client: httpx.Client, method: str, path: str, status: int) -> None:
    """For machines always the same object (law 10)."""
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert {"type", "title", "status", "detail"} <= answer.json().keys()


def test_a_socket_that_cannot_be_is_refused_with_words(served: str) -> None:
    """Before the handshake a socket is an HTTP request: the refusal is the same."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    answer = httpx.get(f"{served}/api/v1/beds/b%20d/wave", headers=upgrade)
    assert (answer.status_code, answer.json()["kind"]) == (422, "identity")
