"""The bench of many viewers: what is counted, and that its parts speak to each other."""

import asyncio
import json
import os

import pytest
from starlette.testclient import TestClient

from acquisition.errors import BadEnvironment
from deploy.bench import fanout
from deploy.bench.fanout import HEAD, FanoutReport, Round, usage
from deploy.bench.fanout_feed import FedBed
from deploy.bench.fanout_peer import create_peer
from deploy.bench.fanout_viewers import Crowd, place, watch
from deploy.bench.machine import Machine
from streaming.connection import connect
from streaming.sessions import Registry

HERE = Machine("2026-11-22T10:00:00+00:00", "Some CPU", 2, 8.0, "Linux 6", "3.11", {"redis": "8"}, 0.1)
OURS = Round("ours", 10.0, 0.05, 80.0, 0.5, 1000, 0, 680_000, 20_000, 0, 5.0, 20.0, 40.0)
PEER = Round("peer", 10.0, 0.2, 70.0, 0.0, 1000, 3, 2_720_000, 0, 0, 8.0, 80.0, 90.0)
NOTHING = Round("nothing", 10.0, 0.0, 70.0, 0.0, 0, 0, 0, 0, 64, None, None, None)


def test_ours_is_told_by_the_peers() -> None:
    """As ratios per frame that was delivered: a round in which fewer came costs no less for it."""
    report = FanoutReport(HERE, 32, 2, 50, OURS, OURS, OURS, PEER)
    assert report.ratios == {"cpu_per_frame": 0.25, "bytes_per_frame": 0.25, "p99": 0.25}
    assert all(len(row) == len(HEAD) for row in report.rows())
    assert json.loads(json.dumps(report.to_json()))["peer"]["lost"] == 3
    assert "50 more that never read" in report.markdown()
    assert report.pace == 100 / 3200
    assert "As little as 3 % of the frames came in time." in report.words
    assert "As little" not in FanoutReport(HERE, 1, 2, 0, OURS, OURS, OURS, PEER).words


def test_a_round_in_which_nothing_came_is_no_ratio() -> None:
    """It is shown as it is, and divides nothing."""
    report = FanoutReport(HERE, 1, 1, 0, NOTHING, NOTHING, NOTHING, PEER)
    assert report.ratios == {"cpu_per_frame": None, "bytes_per_frame": None, "p99": None}
    assert report.rows()[0][6] == "---"


def test_a_frame_says_when_it_was_sent_in_both_ways_of_writing_it(redis_url: str) -> None:
    """The binary frame and the peer's text have the same place and moment; a greeting has none."""
    redis = connect(redis_url, "test")
    bed = FedBed(redis, 0)
    with TestClient(create_peer(redis_url)) as client, client.websocket_connect("/api/v1/beds/B1/wave") as socket:
        frame = bed.frame()
        while not redis.publish(bed.channel, frame):
            pass
        text = socket.receive_text()
    first, sent_s = place(frame)  # type: ignore[misc]
    assert place(text) == (first, sent_s)
    assert len(json.loads(text)["x_uv"]) == 20
    assert place('{"session": null}') is None


def test_what_is_fed_is_a_bed(redis_url: str) -> None:
    """Its session is open, and windows and heartbeats are told as a bridge does."""
    redis = connect(redis_url, "test")
    bed = FedBed(redis, 2)
    bed.beat()
    bed.window()
    entry = Registry(redis).on_bed("B3")
    assert entry is not None
    assert (entry.session, entry.is_open) == (bed.session, True)


def test_what_a_process_used() -> None:
    """Seconds of processor, and memory that is more than nothing."""
    used_s, rss_mib = usage(os.getpid())
    assert used_s >= 0
    assert rss_mib > 10


def test_a_process_that_does_not_begin_is_named() -> None:
    """Rather than waiting for it."""
    with pytest.raises(BadEnvironment, match="does not answer"), fanout._server("-c", "raise SystemExit(3)"):
        pass
    with pytest.raises(BadEnvironment, match="ended before"), fanout._feed("unix:///nowhere/redis.sock", 1):
        pass


def test_viewers_that_stall_are_there_and_leave(redis_url: str) -> None:
    """A real server beside them serves on; what they hear is counted after the warm-up alone."""
    redis = connect(redis_url, "test")
    bed = FedBed(redis, 0)
    arguments = ("-m", "deploy", "dashboard", "--redis", redis_url, "--port")

    async def scenario(url: str) -> None:
        life = asyncio.create_task(watch(url, ["B1"], Crowd(1, 1, 4), 0.2, 2.0))
        while not life.done():
            redis.publish(bed.channel, bed.frame())
            await asyncio.sleep(0.02)
        heard = life.result()
        assert heard.frames == len(heard.delays_s) > 0
        assert (heard.lost, heard.ended) == (0, 0)
        assert heard.events > 0

    with fanout._server(*arguments) as (url, pid):
        asyncio.run(scenario(url))
        assert usage(pid)[0] > 0
