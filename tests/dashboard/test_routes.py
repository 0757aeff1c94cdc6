"""The routes of pages and JSON."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboard.files import PAGES, STATIC
from dashboard.settings import DashboardSettings
from tests.dashboard.conftest import Teller, serving
from tests.dashboard.recorded import info

SESSION = "01JDA0000000000000000000AB"


@pytest.mark.parametrize("path", ["/", "/beds/B4", "/docs", f"/sessions/{SESSION}"])
def test_every_page_carries_the_ribbon_and_the_policy(client: httpx.Client, path: str) -> None:
    """Research software says so on every page; nothing comes from another host."""
    answer = client.get(path)
    assert answer.status_code == 200
    assert "Research use only. Not a medical device. Not for diagnosis." in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-cache"


def test_no_page_or_script_names_another_host() -> None:
    """The pages work on a ward without a way out."""
    for path in [*PAGES.glob("*.html"), *STATIC.glob("*.js"), *STATIC.glob("*.css")]:
        assert not re.search(r"""["'(=]\s*(https?:|wss?:)?//""", path.read_text()), path


def test_scripts_are_asked_for_each_time(client: httpx.Client) -> None:
    """An upgrade is seen at once; what did not change is not sent again."""
    answer = client.get("/static/bed/bed.js")
    assert answer.headers["cache-control"] == "no-cache"
    again = client.get("/static/bed/bed.js", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_beds_are_listed_with_state_and_age(teller: Teller, client: httpx.Client) -> None:
    """The ward sees each bed's state and how old it is."""
    teller.tell("outcome", {"state": "PARTIAL", "probability": 0.6, "interval": [0.5, 0.7]})
    while not (beds := client.get("/api/v1/beds").json()["beds"]) or beds[0]["state"] is None:
        pass
    (bed,) = beds
    assert (bed["bed"], bed["patient"], bed["state"], bed["probability"]) == ("B4", "P-017", "PARTIAL", 0.6)
    assert (bed["synthetic"], bed["ended_utc"]) == (True, None)
    assert bed["contact_age_s"] >= 0
    assert bed["progress_age_s"] >= 0


def test_one_bed_is_all_that_was_said(teller: Teller, client: httpx.Client) -> None:
    """What the events begin with can be had alone; a bed's name does not regard case."""
    body = client.get("/api/v1/beds/b4").json()
    assert body["snapshot"]["session"] == teller.session
    assert body["contact"]["progress"]["cause"]


def test_a_bed_without_a_session_is_a_problem_with_a_remedy(client: httpx.Client) -> None:
    """A refusal says what is wrong and what to do (law 10)."""
    answer = client.get("/api/v1/beds/B9")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["detail"] == "Bed 'B9' had no session in the last 24 hours."
    assert problem["remedy"] == "Begin one: flexion live --bed B9."
    assert problem["kind"] == "unknown_bed"


def session_folder(data_dir: Path) -> Path:
    """Make the folder of a session."""
    folder = data_dir / "sessions" / SESSION
    folder.mkdir(parents=True)
    (folder / "session.json").write_text(json.dumps(about()))
    return folder


def about(fmri: object = None) -> dict[str, object]:
    """Return what session.json holds of a session with a model of scans."""
    return info(SESSION, bundles={"fmri": fmri}).to_json()


SCAN, MODEL = "a" * 64, "b" * 64


def scored_scan(settings: DashboardSettings, patient: str = "P-017") -> Path:
    """Make the folders of a session with a model of scans, and of a scan that it scored."""
    folder, shelf = session_folder(settings.data_dir), settings.data_dir / "patients" / patient / "fmri" / SCAN
    model = {"name": "cnn", "version": "1", "sha256": MODEL, "origin": "synthetic"}
    (folder / "session.json").write_text(json.dumps(about(model)))
    shelf.mkdir(parents=True)
    (shelf / "score.json").write_text(json.dumps({"bundle_sha256": MODEL}))
    (shelf / "attention.png").write_bytes(b"a picture")
    return shelf


def test_where_the_model_looked_is_a_picture(client: httpx.Client, settings: DashboardSettings) -> None:
    """The picture is the one beside the scan's score."""
    scored_scan(settings)
    answer = client.get(f"/api/v1/sessions/{SESSION}/scans/{SCAN}/attention.png")
    assert (answer.status_code, answer.content) == (200, b"a picture")
    assert answer.headers["content-type"] == "image/png"


@pytest.mark.parametrize("what", ["another scan", "another patient", "another model", "no model", "no picture"])
def test_a_picture_of_anything_else_is_not_shown(client: httpx.Client, settings: DashboardSettings, what: str) -> None:
    """Only a scan of this patient that the session's own model scored is shown beside its number."""
    shelf = scored_scan(settings, patient="P-018" if what == "another patient" else "P-017")
    if what == "another model":
        (shelf / "score.json").write_text(json.dumps({"bundle_sha256": "c" * 64}))
    if what == "no model":
        session = settings.data_dir / "sessions" / SESSION / "session.json"
        session.write_text(json.dumps(about()))
    if what == "no picture":
        (shelf / "attention.png").unlink()
    scan = "d" * 64 if what == "another scan" else SCAN
    answer = client.get(f"/api/v1/sessions/{SESSION}/scans/{scan}/attention.png")
    assert answer.status_code == 404
    assert answer.json()["kind"] == "unknown_scan"


LATER = {"schema": "flexion.session/9"}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({**LATER, "patient": "P-017"}, "unknown_scan"),
        ({**LATER, "patient": "P-017", "bundles": ["a"]}, "unknown_scan"),
        ({**LATER, "patient": "P-017", "bundles": {"fmri": "a"}}, "unknown_scan"),
        ({**LATER, "patient": "../x"}, "identity"),
        ({"patient": "P-017"}, "broken_session"),
    ],
)
def test_a_session_json_of_another_shape_has_no_picture(
    client: httpx.Client, settings: DashboardSettings, said: object, kind: str
) -> None:
    """One that names no models, and one whose patient would lead out of the folder; of another version, and of ours."""
    scored_scan(settings)
    (settings.data_dir / "sessions" / SESSION / "session.json").write_text(json.dumps(said))
    answer = client.get(f"/api/v1/sessions/{SESSION}/scans/{SCAN}/attention.png")
    assert answer.json()["kind"] == kind


@pytest.mark.parametrize("scan", ["..", "a" * 63, "g" * 64, "A" * 64])
def test_a_scan_is_named_by_its_hash_alone(client: httpx.Client, settings: DashboardSettings, scan: str) -> None:
    """Nothing but 64 digits is looked for."""
    scored_scan(settings)
    assert client.get(f"/api/v1/sessions/{SESSION}/scans/{scan}/attention.png").status_code in (404, 422)


@pytest.mark.parametrize(
    ("session", "status", "kind"),
    [(SESSION, 404, "unknown_session"), ("..%2Fetc", 404, None), ("nope", 422, "identity")],
)
def test_an_unknown_session_is_a_problem(client: httpx.Client, session: str, status: int, kind: str | None) -> None:
    """Nothing but an id becomes part of a path."""
    answer = client.get(f"/api/v1/sessions/{session}")
    assert answer.status_code == status
    assert answer.json().get("kind") == kind


def test_an_unknown_page_is_a_page(client: httpx.Client) -> None:
    """People get words, machines a problem."""
    assert "no such page" in client.get("/nowhere", headers={"accept": "text/html"}).text
    assert client.get("/nowhere").json()["status"] == 404


def test_a_verb_that_is_not_served_is_a_problem(client: httpx.Client) -> None:
    """The pages change nothing."""
    assert client.post("/api/v1/beds").json()["title"] == "Method Not Allowed"


def test_the_interface_is_listed_from_this_server(client: httpx.Client) -> None:
    """/docs needs nobody else, and every route of the API has its line."""
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/api/v1/beds", "/api/v1/beds/{bed}", "/api/v1/beds/{bed}/events", "/healthz", "/readyz"} <= set(paths)
    assert all(verb["summary"] for path in paths.values() for verb in path.values())


def test_health_ready_and_metrics(client: httpx.Client) -> None:
    """The process lives, can do its work, and says what it counted, without naming anybody."""
    assert client.get("/healthz").json() == {"status": "ok"}
    client.get("/api/v1/beds")
    assert client.get("/readyz").json() == {"status": "ready", "checks": {"redis": True, "readers": True}}
    series = client.get("/metrics").text
    assert 'flexion_dashboard_viewers{kind="events"} 0.0' in series
    assert "P-017" not in series


def test_without_redis_the_pages_are_there_and_say_so(tmp_path: Path) -> None:
    """A page is better than no page; it is not ready, and no number is fresh (law 7)."""
    settings = DashboardSettings(f"unix://{tmp_path}/nobody.sock", tmp_path, port=0)
    with serving(settings) as url, httpx.Client(base_url=url) as client:
        assert client.get("/beds/B4").status_code == 200
        assert client.get("/api/v1/beds").json() == {"beds": []}
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["checks"]["redis"]) == (503, False)


@pytest.mark.parametrize("header", ["host", "origin"])
def test_an_address_that_is_none_is_refused(client: httpx.Client, header: str) -> None:
    """A bracket that nothing closes is nobody's name, and no fault of ours."""
    address = {"host": "[::1", "origin": "http://[::1"}[header]
    answer = client.post("/api/v1/streams", json={}, headers={header: address})
    assert answer.status_code in (421, 403)


def test_a_foreign_name_that_leads_here_is_refused(client: httpx.Client) -> None:
    """Otherwise any web site could read the pages through a name of its own."""
    answer: Any = client.get("/api/v1/beds", headers={"host": "evil.example"})
    assert answer.status_code == 421
    assert answer.json()["remedy"] == "Ask for 127.0.0.1 or localhost."
