"""Swap: other bundles for the sessions that begin from now on; running ones keep theirs, and no window is lost by it.

New processes that hold the old and the new bundles are started beside those that serve, one after another, so that
those have their cores meanwhile. A scorer is heard only when its engines have passed their golden windows; when the
last of the new ones is heard, the old ones are told to end, which they do once what they have read is scored. Where a
new one does not begin, all of them end again and nothing has changed.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.errors import NotServed
from deploy.opening import Models, absolute
from deploy.settings import Settings
from deploy.supervisor import Child, ChildSpec, ChildState, Supervisor
from inference.bundle import SHORT, load_bundle
from inference.errors import BundleError

#: Longest wait for each of the new processes: imports, models, golden windows, on a machine that scores meanwhile. Less
#: than the supervisor's patience with a child that was never heard, which would kill it and start it again.
WARM_S = 45.0


@dataclass(frozen=True)
class Wanted:
    """What sessions are to be bound to.

    Parameters
    ----------
    models : Models
        Loaded and checked.
    names : mapping of str to str
        The settings by which the roles find them: ``models.eeg_emg``, ``models.fusion``.
    """

    models: Models
    names: Mapping[str, str]


class Swap:
    """One change of bundles, from the new processes' start to the old ones' end.

    Parameters
    ----------
    supervisor : Supervisor
        Of all of them.
    wanted : Wanted
        What is to be served.
    settings : Settings
        Those of the new processes.
    specs : sequence of ChildSpec
        The new processes, at least one, in the order in which they are to begin.
    old : sequence of Child
        Those that they replace.
    now_s : float
        Monotonic seconds.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        wanted: Wanted,
        settings: Settings,
        specs: Sequence[ChildSpec],
        old: Sequence[Child],
        now_s: float,
    ) -> None:
        self._supervisor = supervisor
        self._old = old
        self._to_begin = deque(specs)
        self._retiring = False
        self.wanted = wanted
        self.settings = settings
        #: The new processes that were started so far.
        self.fresh: list[Child] = []
        #: What ``serve`` answers, or why it is refused.
        self.answer: Future[dict[str, Any]] = Future()
        self._begin_next(now_s)

    def look(self, heard: Collection[int], now_s: float) -> bool:
        """Go on as far as it goes now; return whether the new processes alone serve.

        Parameters
        ----------
        heard : collection of int
            Process ids whose heartbeat came since the last look.
        now_s : float
            Monotonic seconds.
        """
        if self._retiring:
            return all(child.over for child in self._old)
        if fallen := [child for child in self.fresh if child.state is not ChildState.RUNNING]:
            self._give_up(fallen[0])
        elif self.fresh[-1].pid in heard:
            self._go_on(now_s)
        elif now_s > self._deadline_s:
            self._give_up(self.fresh[-1])
        return False

    def _go_on(self, now_s: float) -> None:
        """Start the next new process; when there is none left, have the old ones end."""
        if self._to_begin:
            self._begin_next(now_s)
        else:
            self._supervisor.retire(self._old)
            self._retiring = True

    def _begin_next(self, now_s: float) -> None:
        self.fresh.append(self._supervisor.add(self._to_begin.popleft()))
        self._deadline_s = now_s + WARM_S

    def _give_up(self, child: Child) -> None:
        self._supervisor.retire(self.fresh)
        words = self.wanted.models.eeg_emg.words
        self.answer.set_exception(
            NotServed(
                f"{words} is not served: {child.spec.name} {_end_of(child)}. What served before goes on serving.",
                subject=words,
                remedy="Look at flexion models verify and at the log of flexion live.",
            )
        )


def _end_of(child: Child) -> str:
    """Return in words why a new process does not serve."""
    if child.state is ChildState.RUNNING:
        return f"was not ready within {WARM_S:g} s"
    try:
        return f"refused it: {json.loads(child.said)['error']['message'].rstrip('.')}"
    except (ValueError, KeyError, TypeError):
        return f"ended with code {child.exit_code}"


def kept(folders: Mapping[str, Path]) -> tuple[str, ...]:
    """Return the folders of bundles that must go on being held, for ``models.kept``.

    Parameters
    ----------
    folders : mapping of str to Path
        Where each of them was loaded from, by its hash.

    Raises
    ------
    BundleError
        If a folder has another bundle by now, which a new process would load in the place of the one that is meant; or
        if its path could not be told to one.
    """
    for sha256, folder in sorted(folders.items()):
        found = load_bundle(folder)
        if found.sha256 != sha256:
            raise BundleError(
                f"{folder} holds {found.words} by now, but sessions may be bound to {sha256[:SHORT]}, which it held "
                "before.",
                subject=str(folder),
                remedy="Give the new bundle a folder of its own and put the former one back, or begin flexion anew.",
            )
    return tuple(check_path(folder) for _, folder in sorted(folders.items()))


def check_path(folder: Path) -> str:
    """Return the whole path of a bundle's folder, which its processes are told in a list with commas between.

    Raises
    ------
    BundleError
        If it has a comma.
    """
    if "," in (path := absolute(folder)):
        raise BundleError(
            f"The path {path} has a comma, by which lists of bundles are parted.",
            subject=path,
            remedy="Move the bundle into a folder without one.",
        )
    return path
