"""A session takes the scores of its patient's scans: at its start, while it runs, and again in its next life."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from acquisition.session import SessionFolder
from streaming.bridge import SCANS_EVERY_S, Bridge
from streaming.connection import connect
from streaming.events import Event, EventLog
from streaming.scans import NO_SCANS, is_scan

from .bridging import Bed, make_recording, scoring
from .test_recorder import clock, disk, folder, recorder  # noqa: F401

NOTICE = {"level": "warning", "text": "A score cannot be read.", "remedy": "Score the scan again."}


def score(scan: str = "a", **changes: Any) -> dict[str, Any]:
    """Return an fMRI event."""
    quality = {"slices": 20, "problems": []}
    return {"patient": "P01", "scan_sha256": scan * 64, "scanned_on": "2026-01-01", "quality": quality, **changes}


class Given:
    """Scores that appear, a look at a time; it then counts the looks."""

    def __init__(self, *looks: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        self._looks = list(looks)
        self.n_looks = 0

    def new(self) -> Sequence[tuple[str, Mapping[str, Any]]]:
        self.n_looks += 1
        return self._looks.pop(0) if self._looks else ()


def told(url: str, session: str, *types: str) -> list[Event]:
    """Return the events of some types."""
    return [event for event in EventLog(connect(url, "test"), session).read() if event.type in types]


def bridge(bed: Bed, scans: Given, stop: threading.Event | None = None) -> Bridge:
    """Return the bridge of a short recording, which leaves half-way where a ``stop`` is given."""
    recording = make_recording(6_000)

    def source(point: object, chain: object) -> Any:
        return bed.file_source(recording) if stop is None else bed.stopping_source(recording, stop, after=30)

    return bed.bridge(source, scans)


def test_a_score_is_recorded_and_then_told(redis_url: str, tmp_path: Path) -> None:
    """At the start, after the session itself; what cannot be read is told and not recorded."""
    bed = Bed.make(redis_url, tmp_path)
    with scoring(redis_url):
        assert bridge(bed, Given([("notice", NOTICE), ("fmri", score())])).run(threading.Event()) == 0
    first, *others = told(redis_url, bed.session, "session", "fmri", "notice")
    assert first.type == "session" and ("fmri", score()) in [(event.type, event.data) for event in others]
    assert NOTICE in [event.data for event in others]
    assert [line for line in bed.again().folder.results() if is_scan(line)] == [score()]


def test_a_score_that_comes_while_the_session_runs_is_taken(redis_url: str, tmp_path: Path, monkeypatch: Any) -> None:
    """Not each time round the loop, but soon; both modalities are in one record."""
    monkeypatch.setattr("streaming.bridge.SCANS_EVERY_S", 0.0)
    bed, scans = Bed.make(redis_url, tmp_path), Given([], [], [("fmri", score("b"))])
    with scoring(redis_url):
        assert bridge(bed, scans).run(threading.Event()) == 0
    lines = bed.again().folder.results()
    assert [line["scan_sha256"] for line in lines if is_scan(line)] == ["b" * 64] and any(
        "index" in line for line in lines
    )
    assert [event.data for event in told(redis_url, bed.session, "fmri")] == [score("b")]
    assert scans.n_looks > 3 and SCANS_EVERY_S == 1.0


def test_the_next_life_tells_what_the_last_one_took(redis_url: str, tmp_path: Path) -> None:
    """Also to a Redis that forgot it, and where the patient's folder is gone."""
    bed, stop = Bed.make(redis_url, tmp_path), threading.Event()
    with scoring(redis_url):
        assert bridge(bed, Given([("fmri", score())]), stop).run(stop) == 0
        connect(redis_url, "test").flushall()
        bed = bed.again()
        assert bridge(bed, Given()).run(threading.Event()) == 0
    assert score() in [event.data for event in told(redis_url, bed.session, "fmri")]
    assert [line for line in bed.again().folder.results() if is_scan(line)] == [score()]


def deep() -> list[Any]:
    """Return a list that is nested deeper than JSON goes."""
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


STRANGE = [{"logit": float("inf")}, {"patient": "\ud800"}, {"logit": deep()}, {"logit": {1, 2}}]


@pytest.mark.parametrize("changes", STRANGE, ids=["infinite", "half a character", "deep", "no JSON"])
def test_what_cannot_be_written_down_is_a_notice(redis_url: str, tmp_path: Path, changes: dict[str, Any]) -> None:
    """The session goes on, and takes the next one."""
    bed = Bed.make(redis_url, tmp_path)
    with scoring(redis_url):
        looks = Given([("fmri", score(**changes)), ("fmri", score("b"))])
        assert bridge(bed, looks).run(threading.Event()) == 0
    assert [line for line in bed.again().folder.results() if is_scan(line)] == [score("b")]
    notices = [event.data["text"] for event in told(redis_url, bed.session, "notice")]
    assert "An fMRI score cannot be written down." in notices
    assert [event.data for event in told(redis_url, bed.session, "fmri")] == [score("b")]


@pytest.mark.parametrize("spoiled", [b"1e400", b'"\\ud800"'], ids=["infinite", "half a character"])
def test_what_stands_in_the_results_already_is_a_notice_too(redis_url: str, tmp_path: Path, spoiled: bytes) -> None:
    """A session that an earlier life left with such a line goes on."""
    bed = Bed.make(redis_url, tmp_path)
    with (bed.folder.path / "results.jsonl").open("ab") as file:
        file.write(b'{"scan_sha256":"a","logit":' + spoiled + b"}\n")
    with scoring(redis_url):
        assert bridge(bed, Given([("fmri", score("b"))])).run(threading.Event()) == 0
    notices = [event.data["text"] for event in told(redis_url, bed.session, "notice")]
    assert "An fMRI score cannot be written down." in notices
    assert [event.data for event in told(redis_url, bed.session, "fmri")] == [score("b")]


def test_a_session_that_has_ended_takes_no_more(redis_url: str, tmp_path: Path) -> None:
    """What a bridge finds ended when it begins again is told as it was."""
    bed, scans = Bed.make(redis_url, tmp_path), Given([("fmri", score("b"))])
    with scoring(redis_url):
        assert bridge(bed, Given([("fmri", score())])).run(threading.Event()) == 0
        assert bridge(bed.again(), scans).run(threading.Event()) == 0
    assert scans.n_looks == 0
    assert [line for line in bed.again().folder.results() if is_scan(line)] == [score()]


def test_a_full_disk_keeps_the_score_until_it_has_room(recorder, disk, clock, folder) -> None:  # noqa: F811
    """It is written with the results that waited; one of another bundle for the same scan is another score."""
    disk.full = True
    recorder.save_scan(score())
    disk.full = False
    recorder.failure = ""
    recorder.save_scan(score(bundle_sha256="c" * 64))
    recorder.save_scan(score(bundle_sha256="c" * 64))
    lines = SessionFolder.open(folder.path).results()
    assert lines == [score(), score(bundle_sha256="c" * 64)]


def test_without_scans_there_is_nothing_to_tell() -> None:
    """A session that nobody hands any."""
    assert list(NO_SCANS.new()) == []
