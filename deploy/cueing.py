"""CueEar: lets the page of a bed run the cues, by the same commands as their own page.

The cues go on without Redis: while it is away nothing is heard, and listening begins again by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Self

from acquisition.cue_desk import CueDesk
from acquisition.cues import COMMANDS
from acquisition.identity import same_name
from deploy.errors import WrongUse
from streaming.connection import connect
from streaming.control import Command, Listener
from streaming.errors import TransportDown

#: Longest wait for a command before somebody looks whether to end.
LOOK_S = 0.5
#: Seconds to wait after Redis did not answer.
RETRY_S = 0.5
#: What only tells how the cues stand.
SHOW = "show"


class CueEar:
    """Hear the commands of one bed's cues, on a thread of its own, while the block runs.

    Parameters
    ----------
    redis_url : str
        The Redis of the bed's session.
    bed : str
        Its bed.
    desk : CueDesk
        Runs the cues.
    url : str
        Of the page that the patient sees.
    heard : callable
        Tells whether anybody receives the markers.
    """

    def __init__(self, redis_url: str, bed: str, desk: CueDesk, url: str, heard: Callable[[], bool]) -> None:
        self._redis_url = redis_url
        self._bed = bed
        self._desk = desk
        self._url = url
        self._heard = heard
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="cue-ear", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                with connect(self._redis_url, "cues", blocking=True) as redis:
                    self._hear(Listener(redis, "cues"))
            except TransportDown:
                self._closing.wait(RETRY_S)

    def _hear(self, listener: Listener) -> None:
        while not self._closing.is_set():
            for command in listener.read(LOOK_S):
                if self._is_ours(command):
                    self._carry_out(command, listener)

    def _carry_out(self, command: Command, listener: Listener) -> None:
        try:
            listener.answer(command, self.obey(str(command.args.get("action"))))
        except WrongUse as refusal:
            listener.refuse(command, refusal.as_refusal())

    def _is_ours(self, command: Command) -> bool:
        args = command.args
        return command.name == "cue" and args.get("action") != "open" and same_name(str(args.get("bed")), self._bed)

    def obey(self, action: str) -> Mapping[str, Any]:
        """Do what a person asks for, and return how the cues stand then; what means nothing now changes nothing.

        Raises
        ------
        WrongUse
            If there is no such action.
        """
        if action not in (SHOW, *COMMANDS):
            raise WrongUse(f"Cues know no {action!r}.", subject="cue", remedy=f"Known: {', '.join((SHOW, *COMMANDS))}.")
        if action != SHOW:
            self._desk.command(COMMANDS[action])
        return {**self._desk.shown().to_json(), "heard": self._heard(), "url": self._url}
