"""The life of the process."""

import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dashboard import server
from dashboard.errors import NotLoopback, PortTaken
from dashboard.server import listen, serve
from dashboard.settings import DashboardSettings
from tests.dashboard.conftest import SOON_S, Teller, serving


def test_a_taken_port_is_refused_with_the_way_out(settings: DashboardSettings, free_port: int) -> None:
    """The environment lacks a port: said with its number and the option that mends it."""
    taken = DashboardSettings(settings.redis_url, settings.data_dir, port=free_port)
    with listen("127.0.0.1", free_port), pytest.raises(PortTaken, match=f"Port {free_port} of 127.0.0.1") as refusal:
        serve(taken, threading.Event())
    assert "--port" in refusal.value.remedy
    assert refusal.value.exit_code == 4


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "ward-1", "::"])
def test_an_address_that_others_reach_is_refused(settings: DashboardSettings, host: str) -> None:
    """Without access control the pages serve this machine alone."""
    open_to_all = DashboardSettings(settings.redis_url, settings.data_dir, host=host, port=0)
    with pytest.raises(NotLoopback, match="other machines reach"):
        serve(open_to_all, threading.Event())


def test_open_streams_do_not_hold_up_the_end(teller: Teller, settings: DashboardSettings) -> None:
    """Told to stop, the server lets go of every stream and ends by itself, well before its grace is over."""
    stop, ready, urls = threading.Event(), threading.Event(), []
    thread = threading.Thread(target=serve, args=(settings, stop, lambda url: (urls.append(url), ready.set())))
    thread.start()
    assert ready.wait(SOON_S)
    bed = f"{urls[0]}api/v1/beds/B4"
    with (
        httpx.stream("GET", f"{bed}/events", timeout=SOON_S) as events,
        connect(f"{bed}/wave".replace("http", "ws")) as wave,
    ):
        wave.recv(SOON_S)
        stop.set()
        thread.join(SOON_S)
        assert not thread.is_alive()
        assert b"snapshot" in b"".join(events.iter_bytes())
        with pytest.raises(ConnectionClosed):
            wave.recv(SOON_S)


def test_the_dashboard_starts_without_what_it_does_not_need() -> None:
    """No scipy, no engine, no LSL: it starts fast and opens no inlet."""
    heavy = "scipy", "onnxruntime", "pylsl", "torch", "mne"
    code = f"import sys, dashboard.server; print([m for m in {heavy} if m in sys.modules])"
    root = Path(__file__).parents[2]
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert answer.stdout.strip() == "[]"


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="a kernel without TCP_USER_TIMEOUT")
def test_a_reader_that_takes_nothing_is_ended_by_the_kernel(
    settings: DashboardSettings, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its buffers and its place are given back, though no byte ever came from it again."""
    monkeypatch.setattr(server, "STALLED_S", 0.3)
    with serving(settings) as url, socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        reader.connect(("127.0.0.1", int(url.rpartition(":")[2])))
        reader.sendall(b"GET /api/v1/beds/B4/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        while events_open(url) == 0:
            pass
        while events_open(url) > 0:
            teller.tell("notice", {"level": "technical", "text": "x" * 200_000})


def events_open(url: str) -> float:
    """Return how many event streams the dashboard serves."""
    series = httpx.get(f"{url}/metrics").text
    return float(next(line for line in series.splitlines() if 'viewers{kind="events"}' in line).split()[1])
