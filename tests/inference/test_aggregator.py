"""The aggregator: results and scans to `outcome` events, each change once, through restarts and wipes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from inference.aggregator import Aggregator, open_aggregator
from inference.bundle import Bundle, FusionBundle
from inference.following import CATCH_UP, Follower
from inference.library import Library
from inference.outcome import outcome_of
from streaming import keys
from streaming.committer import Committer
from streaming.connection import Client, connect
from streaming.delivery import Delivery
from streaming.errors import RecordError
from streaming.events import Event, EventLog
from streaming.heartbeat import Beat, Heartbeat
from streaming.publisher import Publisher
from streaming.records import ResultRecord
from streaming.server import PrivateServer
from streaming.sessions import Registry, SessionEntry
from tests.inference import tiny
from tests.inference.test_fmri_event import event as fmri_data

ENTRY = SessionEntry(tiny.SESSION, "1", "P-01", "replay", "2026-04-01T10:00:00Z")


class Session:
    """The session's bridge and scorer, as far as the aggregator can see them."""

    def __init__(self, client: Client, bundle: Bundle, **about: Any) -> None:
        self.client = client
        self.bundle = bundle
        self.results: list[ResultRecord] = []
        self._about = {
            "session": tiny.SESSION,
            "patient": "P-01",
            "created_utc": ENTRY.opened_utc,
            "mains_hz": 50.0,
            "rate_hz": 1000.0,
            "labels": tiny.LABELS,
            "kinds": tiny.KINDS,
            "bundles": {"eeg_emg": bundle.to_json(), "fmri": None, "fusion": None},
            **about,
        }
        self.begin(1)

    def begin(self, term: int) -> None:
        """Begin a term as the bridge does: registry, results, then all that was told."""
        Registry(self.client).open(ENTRY)
        self.publisher = Publisher(self.client, tiny.SESSION, term)
        self.publisher.open(self.results)
        self.tell("session", self._about)

    def tell(self, kind: str, data: Any) -> None:
        """Append an event."""
        EventLog(self.client, tiny.SESSION).append(kind, data)

    def score(self, *indices: int, logit: float | None = 0.5, **changes: Any) -> None:
        """Publish windows and commit their results."""
        for index in indices:
            record = replace(tiny.record(self.bundle, index), term=self.publisher.term)
            self.publisher.publish(record)
            result = tiny.result(self.bundle, index, logit, **changes)
            Committer(self.client).commit(Delivery(tiny.SESSION, f"{self.publisher.term}-{index}", record), result)
            self.results.append(result)

    def end(self) -> None:
        """End the session as the bridge does."""
        self.tell("end", {"reason": "planned", "ledger": {}, "at_utc": "2026-04-01T10:10:00Z"})
        Registry(self.client).close(tiny.SESSION, "planned")

    def events(self, kind: str = "outcome") -> list[Event]:
        """Return the events of a type that are in the log."""
        log, found = EventLog(self.client, tiny.SESSION), []
        while read := log.read():
            found += read
        return [event for event in found if event.type == kind]

    def told(self) -> list[dict[str, Any]]:
        """Return the outcomes that are in the log."""
        return [dict(event.data) for event in self.events()]


@pytest.fixture
def client(redis_url: str) -> Iterator[Client]:
    """Return a client of an empty Redis."""
    with connect(redis_url, "test") as client:
        yield client


@pytest.fixture
def session(client: Client, bundle: Bundle) -> Session:
    """Return an open session of the tiny bundle."""
    return Session(client, bundle)


@pytest.fixture
def follower(client: Client, bundle: Bundle) -> Follower:
    """Return a follower that has the tiny bundle at hand."""
    return Follower(client, tiny.SESSION, Library([bundle]))


def expected(session: Session, *, final: bool = False, **options: Any) -> dict[str, Any]:
    """Return the data of the `outcome` event that belongs to the session's results."""
    outcome = outcome_of(session.results, session.bundle, ended=final, **options)
    return {**outcome.to_json(), "windows": outcome.fates, "final": final}


# --- one session -----------------------------------------------------------------------------------------------------


def test_a_session_unlike_the_training_is_told_with_its_number_and_noticed_once(
    session: Session, follower: Follower
) -> None:
    """Each window moves the distance; people are told of it once (law 8)."""
    session.score(0, 1, embedding=(9.0,) * tiny.N_HIDDEN)
    follower.poll(closed=False)
    session.score(2, embedding=(8.0,) * tiny.N_HIDDEN)
    follower.poll(closed=False)
    last = session.told()[-1]
    assert last["similarity"]["unlike"] and last["probability"] is not None
    assert [event.data["text"][:20] for event in session.events("notice")] == ["Unlike training data"]


def test_each_result_is_told_once(session: Session, follower: Follower) -> None:
    """COLLECTING at once, then one outcome after each result, in the order of the commits."""
    follower.poll(closed=False)
    assert session.told() == [expected(session)]
    session.score(0, 1, 2)
    follower.poll(closed=False)
    follower.poll(closed=False)
    assert [sum(told["windows"].values()) for told in session.told()] == [0, 1, 2, 3]
    assert [told["state"] for told in session.told()] == ["COLLECTING", "COLLECTING", "PARTIAL", "PARTIAL"]
    assert session.told()[-1] == expected(session)


def test_an_unscored_window_is_told_too(session: Session, follower: Follower) -> None:
    """Its fate changes the counts, if not the number."""
    session.score(0, logit=None)
    follower.poll(closed=False)
    assert session.told()[-1]["windows"] == {"scored": 0, "not_scored": 1, "dead_lettered": 0}


def test_hundreds_at_once_are_told_as_one(session: Session, follower: Follower) -> None:
    """What came while nobody looked needs no trend of every step."""
    session.score(*range(CATCH_UP + 1))
    follower.poll(closed=False)
    assert session.told() == [expected(session)]


@pytest.mark.parametrize("closed", [False, True])
def test_after_the_end_there_is_a_final_outcome(session: Session, follower: Follower, closed: bool) -> None:
    """By the `end` event, or by the registry when the event was lost; once."""
    session.score(0)
    follower.poll(closed=False)
    if not closed:
        session.end()
    follower.poll(closed=closed)
    follower.poll(closed=True)
    assert session.told()[-1] == expected(session, final=True)
    assert [told["final"] for told in session.told()] == [False, True]
    assert session.told()[-1]["state"] == "ABSTAINED"


def test_what_is_played_over_and_over_has_no_final_outcome(client: Client, bundle: Bundle, follower: Follower) -> None:
    """The end changes nothing: the windows repeat, and that is said with each outcome."""
    session = Session(client, bundle, rounds=2, repeats=True)
    session.score(0, 1, 2)
    session.end()
    follower.poll(closed=True)
    told = session.told()[-1]
    assert (told["final"], told["provisional"]) == (False, True)
    assert "this is nobody's outcome" in told["reasons"][-1]


def test_a_new_aggregator_tells_nothing_twice(
    session: Session, follower: Follower, client: Client, bundle: Bundle
) -> None:
    """It rebuilds from the streams and compares with the last that was told."""
    session.score(0, 1, 2)
    follower.poll(closed=False)
    before = session.told()
    Follower(client, tiny.SESSION, Library([bundle])).poll(closed=False)
    assert session.told() == before
    session.score(3, 4)
    Follower(client, tiny.SESSION, Library([bundle])).poll(closed=False)
    assert [sum(told["windows"].values()) for told in session.told()[len(before) :]] == [4, 5]


def test_after_a_wipe_the_outcome_is_told_anew(session: Session, follower: Follower, client: Client) -> None:
    """The bridge puts results and events back under a new term; the outcome returns with them."""
    session.score(0, 1, 2)
    follower.poll(closed=False)
    client.flushall()
    follower.poll(closed=False)
    assert session.told() == []
    session.begin(2)
    follower.poll(closed=False)
    assert session.told()[-1] == expected(session)
    session.score(3)
    follower.poll(closed=False)
    assert session.told()[-1] == expected(session)


def test_a_session_without_a_model_is_told_nothing(client: Client, bundle: Bundle, follower: Follower) -> None:
    """A recording is not scored, so it has no outcome; nor has one that has not introduced itself."""
    follower.poll(closed=False)
    session = Session(client, bundle, bundles={"eeg_emg": None, "fmri": None, "fusion": None})
    follower.poll(closed=False)
    assert session.told() == []


def test_a_bundle_that_is_not_at_hand_is_invalid(session: Session, client: Client, fmri_bundle: Bundle) -> None:
    """A session is bound to its bundles; another is never taken instead (law 6)."""
    Follower(client, tiny.SESSION, Library([fmri_bundle])).poll(closed=False)
    [told] = session.told()
    assert told["state"] == "INVALID" and told["parts"]["eeg_emg"]["status"] == "refused"
    assert (
        f"The session is bound to bundle tiny 1.0.0 ({session.bundle.sha256[:12]}), which is not at hand; at hand: "
        f"{fmri_bundle.words}. Name it with --bundle."
    ) in told["reasons"][0]


def test_a_library_knows_models_from_fusions(bundle: Bundle, fusion: FusionBundle) -> None:
    """What is bound as one must not be found as the other."""
    library = Library([bundle, fusion])
    assert library.model(bundle.to_json()) is bundle and library.fusion(fusion.to_json()) is fusion
    assert library.model(fusion.to_json()) is None and library.fusion(bundle.to_json()) is None
    assert library.model(None) is None and library.fusion(None) is None
    assert "at hand: none" in Library([]).lack_of(bundle.to_json())


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"rate_hz": 512.0}, "rate in Hz: the stream has 512"),
        ({"fingerprint": "e" * 64}, "conditioning: the stream has eeeeeeeeeeee"),
        ({"kinds": ["eeg"] * 4}, "kinds of channels: the stream has eeg, eeg, eeg, eeg"),
    ],
)
def test_a_stream_that_does_not_fit_is_invalid_before_any_window(
    client: Client, bundle: Bundle, follower: Follower, about: dict[str, Any], words: str
) -> None:
    """The session's own description is checked against the bundle."""
    session = Session(client, bundle, **about)
    follower.poll(closed=False)
    assert session.told()[0]["state"] == "INVALID" and words in session.told()[0]["reasons"][0]


def test_a_scan_is_fused(client: Client, bundle: Bundle, fmri_bundle: Bundle, fusion: FusionBundle) -> None:
    """With its event, the outcome has both modalities; another patient's scan changes nothing and is told, once."""
    bound = {"eeg_emg": bundle.to_json(), "fmri": fmri_bundle.to_json(), "fusion": fusion.to_json()}
    session = Session(client, bundle, bundles=bound)
    follower = Follower(client, tiny.SESSION, Library([bundle, fmri_bundle, fusion]))
    session.score(0, 1)
    follower.poll(closed=False)
    before = session.told()[-1]
    session.tell("fmri", fmri_data(fmri_bundle, patient="P-02"))
    follower.poll(closed=False)
    after = session.told()[-1]
    assert after["parts"]["fmri"]["status"] == "refused"
    assert [before[key] for key in ("state", "probability")] == [after[key] for key in ("state", "probability")]
    session.tell("fmri", fmri_data(fmri_bundle))
    follower.poll(closed=False)
    told = session.told()[-1]
    assert (told["state"], told["modalities"]) == ("PROVISIONAL", ["eeg_emg", "fmri"])
    Follower(client, tiny.SESSION, Library([bundle, fmri_bundle, fusion])).poll(closed=False)
    [notice] = session.events("notice")
    assert notice.data["text"] == "The fMRI score is of patient P-02, this session is of P-01."


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"logit": 0.8', '"logit": 1' + "0" * 400),
        ('"logit": 0.8', '"logit": 1e400'),
        ('"logit": 0.8', '"logit": NaN'),
        ('"patient": "P-01"', '"patient": "P-01\\ud800"'),
        ('"problems": []', '"problems": [' + "[" * 400 + "]" * 400 + "]"),
    ],
    ids=["huge", "infinite", "no number", "half a character", "deep"],
)
def test_a_strange_score_is_refused_and_told(
    client: Client, bundle: Bundle, fmri_bundle: Bundle, old: str, new: str
) -> None:
    """Whatever stands in the stream: nothing is thrown, and the good one that came before counts."""
    session = Session(client, bundle, bundles={"eeg_emg": bundle.to_json(), "fmri": fmri_bundle.to_json()})
    session.tell("fmri", fmri_data(fmri_bundle))
    text = json.dumps(fmri_data(fmri_bundle, scanned_on="2026-04-01"))
    assert old in text
    client.xadd(keys.events(tiny.SESSION), {"type": "fmri", "data": text.replace(old, new)})
    Follower(client, tiny.SESSION, Library([bundle, fmri_bundle])).poll(closed=False)
    [notice] = session.events("notice")
    assert "fmri event: " in notice.data["text"] and "Score the scan again" in notice.data["remedy"]
    assert session.told()[-1]["parts"]["fmri"]["scanned_on"] == "2026-03-31"


def test_an_event_that_is_too_deep_is_no_event(client: Client, session: Session, follower: Follower) -> None:
    """Like one of another version: this session cannot be read, and the aggregator goes on with the others."""
    client.xadd(keys.events(tiny.SESSION), {"type": "fmri", "data": "[" * 100_000 + "]" * 100_000})
    with pytest.raises(RecordError, match="is no event: RecursionError"):
        follower.poll(closed=False)


def test_the_scan_may_come_before_the_windows(
    client: Client, bundle: Bundle, fmri_bundle: Bundle, fusion: FusionBundle
) -> None:
    """A scan alone is PARTIAL while EEG and EMG are collected; the same number comes out as the other way round."""
    bound = {"eeg_emg": bundle.to_json(), "fmri": fmri_bundle.to_json(), "fusion": fusion.to_json()}
    session = Session(client, bundle, bundles=bound)
    follower = Follower(client, tiny.SESSION, Library([bundle, fmri_bundle, fusion]))
    session.tell("fmri", fmri_data(fmri_bundle))
    follower.poll(closed=False)
    first = session.told()[-1]
    assert (first["state"], first["modalities"], first["provisional"]) == ("PARTIAL", ["fmri"], True)
    session.score(0, 1)
    follower.poll(closed=False)
    told = session.told()[-1]
    assert (told["state"], told["modalities"]) == ("PROVISIONAL", ["eeg_emg", "fmri"])
    assert told["fusion"]["weights"]["fmri"]["value"] == 0.5


def test_a_scan_far_from_the_session_is_noticed_once(client: Client, bundle: Bundle, fmri_bundle: Bundle) -> None:
    """Also by an aggregator that was started anew."""
    session = Session(client, bundle, bundles={"eeg_emg": bundle.to_json(), "fmri": fmri_bundle.to_json()})
    session.tell("fmri", fmri_data(fmri_bundle, scanned_on="2026-01-01"))
    library = Library([bundle, fmri_bundle])
    for _ in range(2):
        follower = Follower(client, tiny.SESSION, library)
        follower.poll(closed=False)
        follower.poll(closed=False)
    [notice] = session.events("notice")
    assert "90 days away" in notice.data["text"]


# --- the process -----------------------------------------------------------------------------------------------------


@contextmanager
def running(url: str, bundle: Bundle, **options: Any) -> Iterator[Aggregator]:
    """Run an aggregator on a thread until the block is left."""
    stop = threading.Event()
    heartbeat = Heartbeat(connect(url, "beacon"), "aggregator", "a-1")
    aggregator = Aggregator(
        connect(url, "aggregator"), Library([bundle]), heartbeat, stop, retry_s=0.01, beat_s=0.02, **options
    )
    thread = threading.Thread(target=aggregator.run)
    thread.start()
    try:
        yield aggregator
    finally:
        stop.set()
        thread.join()


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at streams and registry more often than a ward needs."""
    monkeypatch.setattr("inference.aggregator.POLL_S", 0.005)
    monkeypatch.setattr("inference.aggregator.DISCOVER_S", 0.02)


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until another thread has brought something about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.005)


def last(session: Session) -> dict[str, Any] | None:
    """Return the last outcome in the log."""
    told = session.told()
    return told[-1] if told else None


def test_sessions_are_found_followed_and_let_go(client: Client, bundle: Bundle) -> None:
    """From the registry's entry to the final outcome; then nothing is left to follow."""
    with running(client.url, bundle) as aggregator:
        session = Session(client, bundle)
        session.score(0, 1)
        until(lambda: last(session) == expected(session))
        session.end()
        until(lambda: last(session) == expected(session, final=True))
        until(lambda: aggregator._info()["sessions"] == 0)
    assert len(session.told()) <= 4


def test_a_session_that_closed_while_nobody_looked_gets_its_final_outcome(session: Session, bundle: Bundle) -> None:
    """An aggregator that was down at the end tells it when it is back; the next one tells nothing more."""
    session.score(0, 1, 2)
    session.end()
    for _ in range(2):
        with running(session.client.url, bundle) as aggregator:
            until(lambda: last(session) is not None and aggregator._discover_at > 0 and not aggregator._followers)
    assert session.told() == [expected(session, final=True)]


def test_a_window_that_is_scored_after_the_close_is_counted(session: Session, bundle: Bundle) -> None:
    """A closed session is followed until its last window has its fate."""
    session.score(0, 1)
    record = tiny.record(bundle, 2)
    session.publisher.publish(record)
    session.end()
    with running(session.client.url, bundle):
        until(lambda: last(session) == expected(session, final=True))
        result = tiny.result(bundle, 2)
        Committer(session.client).commit(Delivery(tiny.SESSION, "1-2", record), result)
        session.results.append(result)
        until(lambda: last(session) == expected(session, final=True))


def test_it_beats_while_it_waits(client: Client, bundle: Bundle) -> None:
    """With what it follows and what it told."""
    with client.pubsub() as listener:
        listener.subscribe(keys.HEARTBEATS)
        listener.get_message(timeout=5.0)
        with running(client.url, bundle):
            messages = [listener.get_message(timeout=5.0) for _ in range(2)]
    beat = Beat.decode(messages[1]["data"])
    assert (beat.role, beat.name, beat.info) == ("aggregator", "a-1", {"sessions": 0, "outcomes": 0, "trouble": ""})


def test_an_entry_that_cannot_be_read_stops_one_session_alone(client: Client, bundle: Bundle, session: Session) -> None:
    """Another version's result: said once, and the other beds go on."""
    client.xadd(keys.results(tiny.SESSION), {"v": "99"})
    other = SessionEntry("01JABCDEFGHJKMNPQRSTVWXYZ1", "2", "P-02", "replay", "2026-04-01T10:00:00Z")
    Registry(client).open(other)
    log = EventLog(client, other.session)
    Publisher(client, other.session, 1).open()
    with capture_logs() as logs, running(client.url, bundle) as aggregator:
        log.append("session", session._about)
        until(lambda: aggregator._n_told > 0 and any(entry["event"] == "session_unreadable" for entry in logs))
        told = aggregator._n_told
        log.append("notice", {"text": "one more look"})
        until(lambda: tiny.SESSION not in aggregator._followers)
    assert [entry["event"] for entry in logs].count("session_unreadable") == 1 and told == 1


@pytest.mark.faults
@pytest.mark.parametrize("wiped", [False, True], ids=["with its log", "empty"])
def test_it_outlives_redis(bundle: Bundle, tmp_path: Path, wiped: bool) -> None:
    """The server is killed and comes back; the bridge puts back what is lost, and the outcome comes with it."""
    with PrivateServer(tmp_path) as server, capture_logs() as logs:
        session = Session(connect(server.url, "test"), bundle)
        session.score(0, 1)
        with running(server.url, bundle):
            until(lambda: last(session) == expected(session))
            kill(server)
            until(lambda: any(entry["event"] == "redis_away" for entry in logs))
            if wiped:
                shutil.rmtree(tmp_path / "appendonlydir")
            server.start()
            session.client = connect(server.url, "test")
            session.begin(2)
            until(lambda: last(session) == expected(session))
            session.score(2)
            until(lambda: last(session) == expected(session))
    events = [entry["event"] for entry in logs]
    assert events == ["aggregator_begun", "redis_away", "redis_back", "aggregator_ended"]


def kill(server: PrivateServer) -> None:
    """Kill the server as a crash would, and wait until it is gone."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: not server.alive)


def test_it_is_put_together_from_an_address_and_bundles(session: Session, bundle: Bundle) -> None:
    """Clients and name of its own."""
    stop = threading.Event()
    aggregator = open_aggregator(session.client.url, [bundle], stop)
    thread = threading.Thread(target=aggregator.run)
    thread.start()
    until(lambda: last(session) == expected(session))
    stop.set()
    thread.join()
