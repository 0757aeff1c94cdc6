"""Cues on a clock that the test turns, served as a page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from acquisition.clock import FakeClock
from acquisition.cue_desk import CueDesk
from acquisition.paradigm import ParadigmPlan
from dashboard.cues.app import create_app, serve
from dashboard.server import listen
from tests.dashboard.conftest import SOON_S


class Cues:
    """A desk whose time passes when the test says so, and the URL of its page.

    Parameters
    ----------
    plan : ParadigmPlan
        What is asked of the patient.
    """

    def __init__(self, plan: ParadigmPlan) -> None:
        self.clock = FakeClock()
        self.markers: list[str] = []
        self.desk = CueDesk(plan, lambda text, stamp_s: self.markers.append(text), self.clock)
        self.heard = True
        self.stop = threading.Event()
        self.url = ""

    def at(self, t_s: float) -> None:
        """Let the time pass to so many seconds after the start."""
        self.clock.elapsed_s = t_s
        self.desk.turn()

    def ask(self, command: str, **headers: str) -> httpx.Response:
        """Ask for something, as a page does."""
        return httpx.post(f"{self.url}api/v1/cues/{command}", headers=headers, timeout=SOON_S)


@contextmanager
def serving_cues(plan: ParadigmPlan, language: str = "en") -> Iterator[Cues]:
    """Serve cues on a port of their own while the block runs."""
    cues, ready = Cues(plan), threading.Event()

    def on_ready(url: str) -> None:
        cues.url = url
        ready.set()

    with listen("127.0.0.1", 0) as listening:
        app = create_app(cues.desk, language, lambda: cues.heard)
        thread = threading.Thread(target=serve, args=(app, listening, cues.stop, on_ready))
        thread.start()
        try:
            assert ready.wait(SOON_S)
            yield cues
        finally:
            cues.stop.set()
            thread.join(SOON_S)
        assert not thread.is_alive()
