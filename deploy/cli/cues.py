"""``flexion cues``: show the patient what to do, and send the markers that say so."""

from __future__ import annotations

import math
import socket
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.cli import output
from deploy.cli.live import SourceId
from deploy.cli.options import Json, NoBrowser, RedisUrl

if TYPE_CHECKING:
    from acquisition.cue_desk import CueDesk, Sent
    from acquisition.outlet import MarkerOutlet
    from acquisition.paradigm import ParadigmPlan

#: Pages are served here: other machines do not reach it.
HOST = "127.0.0.1"
#: Name of the marker stream.
NAME = "Flexion cues"
#: Seconds that the stream stays after the last marker: an inlet loses what it has not pulled when its outlet closes,
#: and the page must hear that it is over.
LINGER_S = 1.0


class Language(StrEnum):
    """Languages of the page."""

    en = "en"
    zh = "zh"


def _seconds(value: float) -> float:
    """Let only lengths through that a clock can wait for."""
    if not (math.isfinite(value) and value > 0):
        raise typer.BadParameter(f"{value} s is no length of a phase: give more than 0.")
    return value


def _still(value: float) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise typer.BadParameter(f"{value} s cannot be waited for: give 0 or more.")
    return value


Still = Annotated[float, typer.Option("--still", callback=_still, help="Seconds of keeping still first.")]
Preparation = Annotated[float, typer.Option("--preparation", callback=_seconds, help="Seconds to get ready.")]
FlexionOf = Annotated[float, typer.Option("--flexion", callback=_seconds, help="Seconds to bend hip and knee.")]
Rest = Annotated[float, typer.Option("--rest", callback=_seconds, help="Seconds of rest between both.")]
Extension = Annotated[float, typer.Option("--extension", callback=_seconds, help="Seconds to straighten.")]
Trials = Annotated[int, typer.Option("--trials", min=1, help="Number of trials.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="TCP port of the page.")]
AtBed = Annotated[
    str | None, typer.Option("--bed", metavar="NAME", help="Bed whose page may run the cues too; needs --redis.")
]
Tongue = Annotated[Language, typer.Option("--language", help="Language of the page.")]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(cues)


def cues(
    still: Still = 30.0,
    preparation: Preparation = 2.0,
    flexion: FlexionOf = 3.0,
    rest: Rest = 2.0,
    extension: Extension = 3.0,
    trials: Trials = 51,
    source_id: SourceId = None,
    bed: AtBed = None,
    redis: RedisUrl = None,
    port: Port = 8611,
    language: Tongue = Language.en,
    no_browser: NoBrowser = False,
    as_json: Json = False,
) -> None:
    """Show the patient what to do, and send the markers.

    Open it before flexion live, with the source_id of the amplifier's stream: the markers are then found beside it.
    """
    from acquisition.clock import LiveClock
    from acquisition.cue_desk import CueDesk
    from acquisition.inlet import lsl_clock_s
    from acquisition.outlet import MarkerOutlet
    from acquisition.paradigm import ParadigmPlan
    from dashboard.server import listen, url_of
    from deploy.cueing import CueEar

    plan = ParadigmPlan(still, preparation, flexion, rest, extension, trials)
    redis_url = None if bed is None else _redis_of(bed, redis)
    own_id = source_id or f"flexion-cues-{socket.gethostname()}-{port}"
    with listen(HOST, port) as listening, MarkerOutlet(NAME, own_id) as markers:
        desk = CueDesk(plan, markers.push, LiveClock(lsl_clock_s), on_sent=_tell_lateness)
        _say_how(plan, own_id)
        ear = CueEar(redis_url, bed, desk, url_of(listening), lambda: markers.heard) if bed and redis_url else None
        with ear or nullcontext():
            _run(desk, markers, listening, language.value, browser=not no_browser)
        _tell(desk, own_id, as_json=as_json)


def _redis_of(bed: str, redis: str | None) -> str:
    """Return the Redis through which the page of a bed runs the cues too."""
    from deploy.errors import WrongUse
    from deploy.settings import load

    url = load({"redis_url": redis}).redis_url
    if url is None:
        raise WrongUse(
            f"The page of bed {bed} reaches the cues through Redis, and none is named.",
            subject="--bed",
            remedy="Name the one of flexion live with --redis, or leave --bed out.",
        )
    return url


def _run(desk: CueDesk, markers: MarkerOutlet, listening: socket.socket, language: str, *, browser: bool) -> None:
    """Serve the page in this thread and run the cues in another, until they are over."""
    from dashboard.cues.app import create_app, serve
    from deploy.child import stop_event
    from deploy.cli.running import open_page

    def on_ready(url: str) -> None:
        output.say(f"Page: {url}   Ctrl-C ends. Research software: not a medical device, not for diagnosis.")
        if browser:
            open_page(url)

    interrupted = stop_event()
    with ThreadPoolExecutor(1, "cues") as pool:
        running = pool.submit(_to_the_end, desk)
        try:
            app = create_app(desk, language, lambda: markers.heard)
            serve(app, listening, _Over(interrupted, desk, running), on_ready)
        finally:
            _end(desk)
        running.result()


def _to_the_end(desk: CueDesk) -> None:
    desk.run()
    threading.Event().wait(LINGER_S)


def _end(desk: CueDesk) -> None:
    from acquisition.cues import Event

    desk.command(Event.STOP)


class _Over:
    """Tells the server when to stop: when the cues are over, which an interruption makes them be."""

    def __init__(self, interrupted: threading.Event, desk: CueDesk, running: Future[None]) -> None:
        self._interrupted, self._desk, self._running = interrupted, desk, running

    def is_set(self) -> bool:
        """Tell whether to stop."""
        if self._interrupted.is_set() and not self._desk.over:
            _end(self._desk)
        return self._running.done()


def _say_how(plan: ParadigmPlan, source_id: str) -> None:
    from acquisition.outlet import MARKERS_SUFFIX

    length = f"{plan.still_s:g} s still, then {plan.n_trials} x {plan.trial_s:g} s: {plan.total_s / 60:.1f} min"
    output.say(f"Plan: {length}. Markers: {NAME!r}, source_id {source_id + MARKERS_SUFFIX}.")


def _tell_lateness(sent: Sent) -> None:
    if sent.cue.late:
        unseen = "; the next was due by then, it was not seen" if sent.cue.overtaken else ""
        output.say(f"flexion: {sent.cue.text} came {sent.cue.late_s:.2f} s late and is stamped so{unseen}.")


def _tell(desk: CueDesk, source_id: str, *, as_json: bool) -> None:
    from acquisition.outlet import MARKERS_SUFFIX, MARKERS_TYPE

    summary: dict[str, Any] = desk.summary()
    stream = {"name": NAME, "type": MARKERS_TYPE, "source_id": source_id + MARKERS_SUFFIX}
    if as_json:
        output.put_json({"schema": output.SCHEMA, "cues": {"stream": stream, **summary}})
        return
    n_trials = summary["counts"].get("preparation", 0)
    how = "the plan is complete" if summary["completed"] else "ended before the plan was over"
    print(f"cues: {how}; {n_trials} of {desk.plan.n_trials} trials, {len(summary['sent'])} markers sent")
    if summary["late"]["n"]:
        late = summary["late"]
        print(f"  {late['n']} came late, by {late['max_s']:.2f} s at most; {late['overtaken']} of them nobody saw")
    print("  Research software: not a medical device, not for diagnosis.", flush=True)
