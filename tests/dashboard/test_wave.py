"""The wave of a bed: relayed as it is, newest wins."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.dashboard.conftest import SOON_S, Teller


@contextmanager
def watching(served: str, bed: str = "B4", **more: Any) -> Iterator[ClientConnection]:
    """Open the wave of a bed as a page does."""
    url = served.replace("http", "ws") + f"/api/v1/beds/{bed}/wave"
    with connect(url, compression=None, **more) as socket:
        yield socket


def test_frames_are_relayed_byte_for_byte(teller: Teller, served: str) -> None:
    """The relay names the session once and touches no frame."""
    frames = [bytes([n]) * 672 for n in range(5)]
    with watching(served) as socket:
        assert json.loads(socket.recv(SOON_S)) == {"session": teller.session}
        while not teller.wave(b"first"):  # until the dashboard listens
            pass
        for frame in frames:
            teller.wave(frame)
        heard = [socket.recv(SOON_S)]
        while heard[-1] != frames[-1]:
            heard.append(socket.recv(SOON_S))
    assert heard[-5:] == frames


def test_another_session_is_announced_before_its_frames(teller: Teller, redis_url: str, served: str) -> None:
    """A page never draws a frame under the name of another session."""
    with watching(served) as socket:
        socket.recv(SOON_S)
        teller.close()
        following = Teller(redis_url).open()
        while not following.wave(b"new"):
            pass
        heard = [socket.recv(SOON_S), socket.recv(SOON_S)]
    assert heard == [json.dumps({"session": following.session}), b"new"]


def test_nobody_listens_to_a_wave_that_nobody_watches(teller: Teller, served: str) -> None:
    """An idle dashboard costs nothing."""
    with watching(served) as socket:
        socket.recv(SOON_S)
        while not teller.wave(b"first"):
            pass
    while teller.wave(b"after"):
        pass


def test_a_page_of_another_site_is_refused(teller: Teller, served: str) -> None:
    """Browsers let every site open a WebSocket: only our own pages may."""
    with pytest.raises(InvalidStatus, match="403"), watching(served, origin="http://evil.example"):
        pass
    with watching(served, origin=served) as socket:
        assert socket.recv(SOON_S)


def test_an_answer_is_not_compressed(teller: Teller, served: str) -> None:
    """Deflate on small frames costs processor time and saves nothing."""
    url = served.replace("http", "ws") + "/api/v1/beds/B4/wave"
    with connect(url, compression="deflate") as socket:
        assert socket.protocol.extensions == []
