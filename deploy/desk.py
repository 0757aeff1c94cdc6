"""Desk: answers the commands that are for the supervisor: ``start`` a session, list the ``streams`` of the network.

It also opens the patient's ``cue``s for a session, and corrects a session that has ended: both are nobody else's then.

Looking for streams takes seconds, so it is done beside the supervisor's loop; processes are started by the loop itself.

Arguments
---------
``start`` {patient, bed, and optionally source_id, name, hostname, partner_source_id, partner_name, partner_hostname,
minutes, montage, unit, mains_hz}
    Answered with {session}.
``streams`` {}
    Answered with {streams: [...], pairs: [...]}, as ``flexion streams`` shows them, and {taken: {source_id: {session,
    bed}}}: what open sessions have, and {usual: {montage, minutes, mains_hz}}: what a session begins with.
``cue`` {bed, action: "open", language}
    Begins ``flexion cues`` for the bed; every other action is the cues' own.
``serve`` {eeg_emg, and optionally fusion}
    Folders of the bundles to which sessions are bound from now on; a replay or a demonstration on the same Redis keeps
    its own. Answered, once they serve, with {eeg_emg, fusion} and {fused}, whether the one was fitted on the other.
``stop`` {session, entered_in_error: true}
    For a session that has ended: it is marked. One that is open is its bridge's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import structlog

from acquisition.errors import BadEnvironment, FlexionError
from acquisition.montage import load_montage
from acquisition.session import SessionInfo
from deploy.errors import WrongUse
from deploy.network import describe_network
from deploy.opening import Models, Plan, find_source
from deploy.settings import Settings, changed
from deploy.swap import Wanted, check_path
from streaming.control import Command
from streaming.errors import NoAnswer

#: Seconds to look for a stream: less than a sender waits for its answer.
LOOK_S = 3.0
#: Arguments of ``start`` that are settings of the session.
SETTINGS = ("minutes", "montage", "unit", "mains_hz")
#: Arguments of ``start`` that say which stream is meant, and with ``PARTNER`` before them which second one.
CRITERIA = ("name", "source_id", "hostname")
PARTNER = "partner_"


log = structlog.get_logger("desk")


def answered(*, swaps: bool) -> tuple[str, ...]:
    """Return the commands that a desk answers whoever they are for; ``swaps`` is whether ``serve`` is one."""
    return ("start", "streams", *(("serve",) if swaps else ()))


class Host(Protocol):
    """The run whose desk it is."""

    def admit(self, info: SessionInfo) -> object:
        """Begin a session; on the loop's thread."""
        ...

    def taken(self, source_ids: Iterable[str]) -> Mapping[str, Any]:
        """Return who has which of these streams; from any thread."""
        ...

    def open_cues(self, bed: str, language: str) -> None:
        """Begin the cues of the session in a bed."""
        ...

    def is_closed(self, session: str) -> bool:
        """Tell whether a session has ended, and its folder is here."""
        ...

    def correct(self, session: str) -> None:
        """Mark a session that has ended as entered in error."""
        ...

    def serve(self, wanted: Wanted) -> Future[dict[str, Any]]:
        """Begin to serve other bundles; on the loop's thread. What it gives is there when they serve."""
        ...


class Voice(Protocol):
    """Says what became of a command."""

    def answer(self, command: Command, data: dict[str, Any]) -> None:
        """Say that it was done."""
        ...

    def refuse(self, command: Command, error: dict[str, str]) -> None:
        """Say why not."""
        ...


class Desk:
    """Take commands, answer each once.

    Parameters
    ----------
    settings : Settings
        In force for sessions that are started here.
    models : Models or None
        The bundles that they are bound to.
    host : Host
        Does what is asked.
    voice : Voice
        Says so.
    monotonic_s : callable
        Time.
    swaps : bool
        Whether ``serve`` is for this desk.
    """

    def __init__(
        self,
        settings: Settings,
        models: Models | None,
        host: Host,
        voice: Voice,
        monotonic_s: Callable[[], float] = time.monotonic,
        *,
        swaps: bool = False,
    ) -> None:
        self._settings = settings
        self._models = models
        self._host = host
        self._voice = voice
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="desk")
        self._monotonic_s = monotonic_s
        works = {"start": self._find, "streams": self._list, "serve": self._load}
        self._works = {name: works[name] for name in answered(swaps=swaps)}
        #: Commands, what becomes of them, and until when somebody waits for that.
        self._open: list[tuple[Command, Future[Any], float]] = []

    def take(self, command: Command) -> None:
        """Begin on a command, if it is one of ours."""
        work = self._works.get(command.name)
        if work is not None:
            until_s = self._monotonic_s() + command.valid_s
            self._open.append((command, self._worker.submit(work, command.args), until_s))
        elif command.name == "cue" and command.args.get("action") == "open":
            self._do(command, lambda: self._open_cues(command.args))
        elif command.name == "stop" and command.args.get("entered_in_error"):
            session = str(command.args.get("session"))
            if self._host.is_closed(session):
                self._do(command, lambda: self._host.correct(session))

    def look(self) -> None:
        """Finish what is ready."""
        ready = [one for one in self._open if one[1].done()]
        self._open = [one for one in self._open if one not in ready]
        for command, found, until_s in ready:
            try:
                self._finish(command, found.result(), until_s)
            except FlexionError as error:
                self._voice.refuse(command, error.as_refusal())
            except Exception as error:  # one question that goes wrong ends nobody's session
                log.exception("command_failed", command=command.name)
                self._voice.refuse(command, _failed(command, error).as_refusal())

    def bind(self, models: Models, settings: Settings) -> None:
        """From now on bind sessions to these, which these settings name."""
        self._models, self._settings = models, settings

    def close(self) -> None:
        """Take no more."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _finish(self, command: Command, found: Any, until_s: float) -> None:
        if isinstance(found, Plan):
            if self._monotonic_s() >= until_s:  # who asked was told that nobody answers: no session begins unseen
                raise NoAnswer("The network was looked at for too long.", subject="start", remedy="Start it again.")
            info = found.to_info(self._models)
            self._host.admit(info)
            self._voice.answer(command, {"session": info.session})
        elif isinstance(found, Wanted):
            self._open.append((command, self._host.serve(found), until_s))
        else:
            self._voice.answer(command, found)

    def _do(self, command: Command, act: Callable[[], object]) -> None:
        """Do at once what takes no time."""
        try:
            act()
        except FlexionError as error:
            self._voice.refuse(command, error.as_refusal())
        else:
            self._voice.answer(command, {})

    def _open_cues(self, args: Mapping[str, Any]) -> None:
        self._host.open_cues(str(args.get("bed")), "zh" if args.get("language") == "zh" else "en")

    def _find(self, args: Mapping[str, Any]) -> Plan:
        from acquisition.discovery import SourceSpec

        known = {"patient", "bed", *CRITERIA, *(PARTNER + name for name in CRITERIA), *SETTINGS}
        if unknown := sorted(set(args) - known):
            raise WrongUse(
                f"start knows no {', '.join(unknown)}.", subject="start", remedy=f"Known: {', '.join(sorted(known))}."
            )
        if missing := [name for name in ("patient", "bed") if not isinstance(args.get(name), str)]:
            raise WrongUse(f"start lacks {' and '.join(missing)}.", subject="start", remedy="Say who is in which bed.")
        settings = changed(self._settings, {f"session.{name}": args.get(name) for name in SETTINGS})
        criteria, partner = (
            SourceSpec(**{name: args.get(prefix + name) for name in CRITERIA}) for prefix in ("", PARTNER)
        )
        return find_source(
            criteria,
            settings,
            patient=args["patient"],
            bed=args["bed"],
            wait_s=LOOK_S,
            partner=None if partner == SourceSpec() else partner,
        )

    def _load(self, args: Mapping[str, Any]) -> Wanted:
        if self._models is None:
            raise WrongUse("Nothing is scored here.", subject="serve", remedy="Ask a flexion live that scores.")
        names = {f"models.{kind}": args.get(kind) for kind in ("eeg_emg", "fusion")}
        models = Models.load(changed(self._settings, names).models)
        _ = models.eeg_emg.signal  # refuses one that scores no stream
        if models.to_json() == self._models.to_json():
            raise WrongUse(f"{models.eeg_emg.words} serves already.", subject="serve", remedy="Name another bundle.")
        folders = {"models.eeg_emg": models.eeg_emg.path, "models.fusion": models.fusion.path}
        return Wanted(models, {key: check_path(path) for key, path in folders.items()})

    def _list(self, args: Mapping[str, Any]) -> dict[str, Any]:
        from acquisition.discovery import find_streams

        found = describe_network(find_streams(LOOK_S), self._settings.session)
        session = self._settings.session
        usual = {
            "montage": load_montage(session.montage).name,
            "minutes": session.minutes,
            "mains_hz": session.mains_hz,
        }
        taken = self._host.taken({stream["source_id"] for stream in found["streams"]})
        return found | {"taken": taken, "usual": usual}


def _failed(command: Command, error: Exception) -> BadEnvironment:
    return BadEnvironment(
        f"{command.name} failed: {error}.", subject=command.name, remedy="Try again; the log of flexion live says more."
    )
