"""What the tests with peers share: other projects' programs, started and ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.peers.peer import Peer, need

Start = Callable[..., Peer]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Return a function that starts a peer and waits until it is ready; what still runs at the end is killed."""
    need("mne_lsl")
    running: list[Peer] = []

    def starter(name: str, *arguments: object) -> Peer:
        running.append(Peer(name, *arguments))
        running[-1].await_ready()
        return running[-1]

    yield starter
    for peer in running:
        peer.kill()
