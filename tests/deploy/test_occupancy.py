"""Occupancy: one stream, one open session; one that has ended can still be marked as the wrong patient's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acquisition.montage import load_montage
from acquisition.session import SessionFolder
from deploy.errors import WrongUse
from deploy.occupancy import check_free, correct, cues_of, holders, is_closed
from deploy.opening import Plan, entry_of
from streaming.connection import connect
from streaming.errors import SourceBusy
from streaming.events import EventLog
from streaming.lease import Holder, Lease
from streaming.sessions import Registry

SOURCE = {"kind": "lsl", "name": "Cap", "source_id": "CAP", "hostname": "here", "channel_count": 10}
PAIR = SOURCE | {"partner": {"name": "Legs", "source_id": "LEGS", "hostname": "here", "channel_count": 6}}


@pytest.fixture
def redis(redis_url):
    """Return a client."""
    return connect(redis_url, "test")


@pytest.fixture
def info():
    """Return what a session on two streams is."""
    return Plan("live", "live", "P1", "B1", load_montage("amp16"), PAIR).to_info(None)


def test_a_stream_with_a_living_bridge_is_taken(redis, info):
    """The partner too; the bed is told, so that a person knows where to go."""
    Registry(redis).open(entry_of(info))
    Lease(redis, "B1", "CAP", info.session, partner_id="LEGS").acquire(0)
    held = {"session": info.session, "bed": "B1"}
    assert holders(redis, ["CAP", "LEGS", "OTHER", ""]) == {"CAP": held, "LEGS": held}


def test_a_stream_whose_bridge_is_gone_is_free(redis, info):
    """A process that was killed keeps no stream."""
    gone = replace(Holder.of_this_process(info.session), started="1")
    Lease(redis, "B1", "CAP", info.session, holder=gone).acquire(0)
    assert holders(redis, ["CAP"]) == {}


def test_a_session_on_a_taken_stream_is_refused_with_the_bed(info):
    """Two records of one patient, one of them under another name: refused before anything begins."""
    with pytest.raises(SourceBusy, match=r"Stream LEGS belongs to the open session S of bed B7\. Stop the session of"):
        check_free(info, {"LEGS": {"session": "S", "bed": "B7"}})
    check_free(info, {"OTHER": {"session": "S", "bed": "B7"}, "LEGS": {"session": "S", "bed": "b1"}})


def test_cues_need_a_session_on_a_stream(info):
    """The markers stand beside its signal; a bed's name does not regard case."""
    assert cues_of("b1", [info]) is info
    with pytest.raises(WrongUse, match="Bed B2 has no session on a stream here"):
        cues_of("B2", [info])


def test_a_session_that_has_ended_is_marked_and_told(redis, info, tmp_path):
    """The record says so, and so does the page that still shows it."""
    SessionFolder.create(tmp_path, info)
    log = EventLog(redis, info.session)
    log.append("session", {"session": info.session, "patient": "P1"})
    correct(redis, tmp_path, info.session)
    assert SessionFolder.find(tmp_path, info.session).info.entered_in_error
    assert log.read()[-1].data == {"session": info.session, "patient": "P1", "entered_in_error": True}


def test_a_session_nobody_tells_of_any_more_is_marked_in_its_folder(redis, info, tmp_path):
    """A day later Redis has forgotten it; the folder has not."""
    SessionFolder.create(tmp_path, info)
    correct(redis, tmp_path, info.session)
    assert SessionFolder.find(tmp_path, info.session).info.entered_in_error
    assert EventLog(redis, info.session).read() == []


def test_only_a_session_that_has_ended_here_is_ours_to_correct(redis, info, tmp_path):
    """An open one is its bridge's; of one that is nowhere nothing can be told."""
    assert not is_closed(redis, tmp_path, info.session)
    SessionFolder.create(tmp_path, info)
    Registry(redis).open(entry_of(info))
    assert not is_closed(redis, tmp_path, info.session)
    Registry(redis).close(info.session, "user")
    assert is_closed(redis, tmp_path, info.session)
