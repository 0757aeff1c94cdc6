"""Ward: a whole run: Redis, the roles, the sessions with their bridges, from the first process to the last.

It reads as a life: open, admit sessions, look until they have ended, close. The first request to end (Ctrl-C, SIGTERM)
ends the sessions by command, so that their windows still get their fates; a second one does not wait for that.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from structlog.typing import FilteringBoundLogger

from acquisition.clock import Clock
from acquisition.errors import DiskFull, FlexionError
from acquisition.session import SessionFolder, SessionInfo
from deploy import exits
from deploy.desk import Desk, answered
from deploy.ear import Ear
from deploy.errors import WrongUse
from deploy.occupancy import check_free, correct, cues_of, holders, is_closed, sources_of
from deploy.opening import Models, entry_of
from deploy.redis_choice import ChosenRedis
from deploy.settings import Settings, as_variables, changed
from deploy.summary import summarise_folder
from deploy.supervisor import LOOK_S, Child, ChildSpec, ChildState, Supervisor, by_code, never
from deploy.swap import Swap, Wanted, kept
from inference.bundle import load_bundle, resolve_bundle
from inference.engines.choice import shares_gpu
from inference.errors import BundleMismatch
from streaming import keys
from streaming.connection import connect
from streaming.control import Control
from streaming.errors import BedBusy, EndUnwritten, NoAnswer, TransportDown
from streaming.lease import Holder
from streaming.sessions import Registry, SessionEntry

#: Longest wait for sessions that were told to end: their windows' 30 s, and what it takes to write it all down.
END_S = 40.0
#: Longest wait for a bridge to take the command to end, before the children are looked at again.
ASK_S = 2.0
#: How the supervisor's own process is started again as a role.
FLEXION = (sys.executable, "-m", "deploy")
#: Processes that serve every session, and those of them that hold bundles.
ROLES = ("scorer", "aggregator", "dashboard")
HOLDERS = ("scorer", "aggregator")


@dataclass(frozen=True)
class Sitting:
    """One session of a run: its folder, its bridge, and the bundles that it is bound to."""

    folder: SessionFolder
    bridge: Child
    models: Models | None

    @property
    def over(self) -> bool:
        """Whether its bridge will not run again."""
        return self.bridge.over


class Ward:
    """Everything that one command runs.

    Parameters
    ----------
    settings : Settings
        In force for all its processes.
    models : Models or None
        The bundles that sessions are bound to; None scores nothing.
    redis : ChosenRedis
        The Redis that they use; a private one is started, watched and stopped with the ward.
    clock : Clock
        Time.
    log : logger
        One line per change.
    roles : sequence of str
        Which of `ROLES` run.
    swaps : bool
        Whether the command ``serve`` may give it other bundles.
    """

    def __init__(
        self,
        settings: Settings,
        models: Models | None,
        redis: ChosenRedis,
        *,
        clock: Clock,
        log: FilteringBoundLogger,
        roles: Sequence[str] = ROLES,
        swaps: bool = False,
    ) -> None:
        self._models = models
        self._swaps = swaps
        self._redis = redis
        self._clock = clock
        self._log = log
        self._roles = roles
        self._supervisor = Supervisor(clock, log)
        self._settings = settings
        self._sittings: dict[str, Sitting] = {}
        self._told: dict[str, Mapping[str, Any]] = {}
        self._requests = 0
        self._serving: Sequence[Child] = ()
        #: All models that this run has served, and the bundles that its settings keep: sessions may be bound to each.
        self._served = [] if models is None else [models]
        self._kept = [] if models is None else [load_bundle(resolve_bundle(name)) for name in settings.models.kept]
        self._swap: Swap | None = None
        self._generation = 1

    # Open

    def __enter__(self) -> Self:
        self._handlers = {
            number: signal.signal(number, self._request_end) for number in (signal.SIGINT, signal.SIGTERM)
        }
        self._redis.open()
        self._settings = self._settings.model_copy(update={"redis_url": self._redis.url})
        self._client = connect(self._redis.url, "supervisor")
        self._ear = Ear(self._client, self._clock.monotonic_s, answered(swaps=self._swaps))
        self._desk = Desk(self._settings, self._models, self, self._ear, self._clock.monotonic_s, swaps=self._swaps)
        self._ear.listen()
        for role in self._roles:
            children = [self._supervisor.add(spec) for spec in self._specs(role, self._settings)]
            if role in HOLDERS:
                self._serving = (*self._serving, *children)
        return self

    @property
    def redis_words(self) -> str:
        """Which Redis runs, for the start line."""
        return self._redis.words

    @property
    def end_requested(self) -> bool:
        """Whether somebody asked this run to end."""
        return self._requests > 0

    @property
    def clock(self) -> Clock:
        """The time that it goes by."""
        return self._clock

    def told(self, session: str) -> Mapping[str, Any] | None:
        """Return what a session's bridge said in its last heartbeat; None before its first."""
        return self._told.get(session)

    def admit(self, info: SessionInfo, play: Sequence[str] | None = None, scan: Sequence[str] | None = None) -> Sitting:
        """Begin a session: write its folder, enter it in the registry, start its bridge.

        Parameters
        ----------
        info : SessionInfo
            What it is.
        play : sequence of str, optional
            Arguments of the player that offers its stream.
        scan : sequence of str, optional
            Arguments of the process that simulates its patient's scan and has it scored.

        Raises
        ------
        BedBusy, SourceBusy
            If another session of the bed, or on the same stream, is open.
        BundleMismatch
            If it is bound to bundles that this run has never served.
        IdentityError, DiskFull
            If the folder cannot be made.
        """
        models = self._models_of(info)
        check_free(info, self.taken(sources_of(info.source)))
        self._enter(info)
        try:
            folder = SessionFolder.create(self._settings.data_dir, info)
        except FlexionError:
            Registry(self._client).close(info.session, "never begun")
            raise
        return self._seat(folder, models, play, scan)

    def _models_of(self, info: SessionInfo) -> Models | None:
        """Return the models that a session is bound to, whichever serve now; None for one that is not scored."""
        if not any(info.bundles.values()):
            return None
        for models in self._served:
            if models.to_json() == info.bundles:
                return models
        bound = ", ".join(f"{one['name']} {one['version']}" for one in info.bundles.values() if one)
        raise BundleMismatch(
            f"Session {info.session} is bound to {bound}, which this run does not serve.",
            subject=info.session,
            remedy="Begin it anew: it is bound to what serves then.",
        )

    def _enter(self, info: SessionInfo) -> None:
        """Enter a session in the registry; one that crashed with its supervisor does not keep the bed for ever."""
        registry = Registry(self._client)
        try:
            registry.open(entry_of(info))
        except BedBusy:
            left = registry.on_bed(str(info.bed))
            if left is None or not self._is_left(left):
                raise
            registry.close(left.session, "left without a bridge")
            self._log.warning("session was left without a bridge", session=left.session, bed=left.bed)
            registry.open(entry_of(info))

    def _is_left(self, left: SessionEntry) -> bool:
        """Tell whether no process holds the bed any more; a bridge of ours that only begins does not hold it yet."""
        if left.session in self._seated():
            return False
        holder = self._client.get(keys.bed_lease(str(left.bed)))
        return not isinstance(holder, bytes) or Holder.decode(holder).is_gone()

    def _seated(self) -> dict[str, SessionInfo]:
        """Return the sessions of this run that are not over; from any thread."""
        return {session: s.folder.info for session, s in [*self._sittings.items()] if not s.over}

    # What the desk asks for

    def taken(self, source_ids: Iterable[str]) -> dict[str, dict[str, str | None]]:
        """Return which open session has which of these streams: one of ours, or whoever holds its lease."""
        wanted = set(source_ids)
        ours = {
            source_id: {"session": info.session, "bed": info.bed}
            for info in self._seated().values()
            for source_id in sources_of(info.source)
        }
        return holders(self._client, wanted) | {id: held for id, held in ours.items() if id in wanted}

    def open_cues(self, bed: str, language: str) -> None:
        """Begin the cues of the session in a bed; they end by themselves, or by a person.

        Asked for again, by a second press or page, they stay one: two would send every marker twice.

        Raises
        ------
        WrongUse
            If there is no such session, or the bed's cues still run beside the stream of an earlier one.
        """
        info = cues_of(bed, self._seated().values())
        (source_id,) = sources_of(info.source)[:1]
        name = f"cues {bed.casefold()}"
        running = self._supervisor.children.get(name)
        if running is None or running.over:
            more = ("--bed", bed, "--language", language, "--port", "0", "--no-browser", "--json")
            self._spawn(name, "cues", "--source-id", source_id, *more, ended=lambda: True, beats=False)
        elif source_id not in running.spec.command:
            raise WrongUse(
                f"The cues of bed {bed} still run beside the stream of an earlier session.",
                subject=bed,
                remedy="End them first, then open them again.",
            )

    def is_closed(self, session: str) -> bool:
        """Tell whether a session has ended, and its folder is here."""
        return is_closed(self._client, self._settings.data_dir, session)

    def correct(self, session: str) -> None:
        """Mark a session that has ended as entered in error, and tell the pages."""
        correct(self._client, self._settings.data_dir, session)

    def serve(self, wanted: Wanted) -> Future[dict[str, Any]]:
        """Begin to serve other bundles, to which sessions are bound once they do.

        Raises
        ------
        WrongUse
            If a change of bundles is under way.
        BundleError
            If a bundle that this run has served is no longer where it was.
        """
        if self._swap is not None or self._models is None:
            raise WrongUse("Other bundles are being made ready.", subject="serve", remedy="Wait until they serve.")
        settings = changed(self._settings, {**wanted.names, "models.kept": kept(self._folders(wanted.models))})
        self._generation += 1
        specs = [spec for role in self._roles if role in HOLDERS for spec in self._specs(role, settings)]
        self._swap = Swap(self._supervisor, wanted, settings, specs, self._serving, self._clock.monotonic_s())
        return self._swap.answer

    def _folders(self, besides: Models) -> dict[str, Path]:
        """Return the folders of the bundles that sessions may be bound to besides these, by their hashes."""
        new = {bundle.sha256 for bundle in besides.bundles}
        known = [*self._kept, *(bundle for models in self._served for bundle in models.bundles)]
        return {bundle.sha256: bundle.path for bundle in known if bundle.sha256 not in new}

    def _look_at_swap(self, heard: Collection[int]) -> None:
        """Bind sessions to the new bundles when the new processes alone serve."""
        swap = self._swap
        if swap is None:
            return
        if swap.look(heard, self._clock.monotonic_s()):
            models = swap.wanted.models
            self._settings, self._models, self._serving = swap.settings, models, swap.fresh
            self._served.append(models)
            self._desk.bind(models, swap.settings)
            self._log.info("bundles served", eeg_emg=models.eeg_emg.words, fusion=models.fusion.words)
            swap.answer.set_result(
                {"eeg_emg": models.eeg_emg.to_json(), "fusion": models.fusion.to_json(), "fused": models.fused}
            )
        if swap.answer.done():
            self._swap = None

    def _seat(
        self, folder: SessionFolder, models: Models | None, play: Sequence[str] | None, scan: Sequence[str] | None
    ) -> Sitting:
        session = folder.info.session

        def ended() -> bool:
            return bool((folder.ledger() or {}).get("ended"))

        refuses = partial(_refuses, folder.info.mode)
        arguments = ("--session", session, "--json")
        bridge = self._spawn(f"bridge {session}", "bridge", *arguments, ended=ended, refuses=refuses)
        if play is not None:
            self._spawn(f"player {session}", "play", "--session", session, *play, ended=ended, beats=False)
        if scan is not None:
            self._spawn(f"scan {session}", "scan", "--session", session, *scan, ended=lambda: True, beats=False)
        sitting = self._sittings[session] = Sitting(folder, bridge, models)
        return sitting

    # Look

    def run(self, until: Callable[[], bool]) -> None:
        """Look after everything until something is true, or until somebody asks to end."""
        while not until() and not self.end_requested:
            self.look()
            self._clock.sleep(LOOK_S)

    def look(self) -> None:
        """Look once at Redis, at the children, at the commands."""
        self._redis.look()
        heard = self._ear.listen()
        pids = [beat.pid for beat in heard.beats]
        self._supervisor.look(pids, deaf=heard.deaf)
        self._look_at_swap(pids)
        self._told |= {beat.session: beat.info for beat in heard.beats if beat.role == "bridge" and beat.session}
        for command in heard.commands:
            self._desk.take(command)
        self._desk.look()

    def all_over(self) -> bool:
        """Whether every session of this run has ended."""
        return all(sitting.over for sitting in self._sittings.values())

    # End

    def end_sessions(self) -> None:
        """End the sessions that are open, as a user would, and wait for their windows' fates.

        A bridge that does not answer (it starts, or Redis does) is asked again, until `END_S` or another request.
        """
        deadline_s = self._clock.monotonic_s() + END_S
        before = self._requests
        unasked = [sitting for sitting in self._sittings.values() if not sitting.over]
        while not self.all_over() and self._clock.monotonic_s() < deadline_s and self._requests == before:
            unasked = [sitting for sitting in unasked if not sitting.over and not self._ask_to_end(sitting)]
            self.look()
            self._clock.sleep(LOOK_S)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._desk.close()
        self._supervisor.stop()
        self._ear.close()
        self._client.close()
        self._redis.close()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def refusals(self) -> dict[str, dict[str, Any]]:
        """Return the refusal object of each session whose bridge would not go on, by the session's id."""
        refused = (sitting for sitting in self._sittings.values() if sitting.bridge.state is ChildState.REFUSED)
        said = {sitting.folder.info.session: _refusal_in(sitting.bridge.said) for sitting in refused}
        return {session: refusal for session, refusal in said.items() if refusal is not None}

    def results(self) -> list[dict[str, Any]]:
        """Return the result object of each session, from its folder."""
        return [_result(sitting) for sitting in self._sittings.values()]

    def exit_code(self) -> int:
        """Return the run's exit code: the worst of its results and of its bridges."""
        codes = [exits.of_result(result) for result in self.results()]
        bridges = [sitting.bridge.exit_code for sitting in self._sittings.values()]
        # A bridge that was killed has a negative code; its session's ledger tells what that cost.
        return exits.worst([*codes, *(code for code in bridges if code is not None and code > 0)])

    def _ask_to_end(self, sitting: Sitting) -> bool:
        """Send the session's bridge the command to end; tell whether it took it."""
        session = sitting.folder.info.session
        try:
            with connect(self._redis.url, "supervisor-control", blocking=True) as client:
                return Control(client).send("stop", {"session": session}, "supervisor", ASK_S).ok
        except (NoAnswer, TransportDown) as error:
            self._log.warning("session not stopped yet", session=session, cause=str(error))
            return False

    def _request_end(self, number: int, frame: FrameType | None) -> None:
        self._requests += 1

    def _specs(self, role: str, settings: Settings) -> list[ChildSpec]:
        """Return the processes of a role."""
        shares = shares_gpu(settings.models.engines)
        n = max(settings.models.scorers, 2 if shares else 1)
        names = [f"{role}-{i + 1}" for i in range(n)] if role == "scorer" else [role]
        if self._generation > 1:
            names = [f"{name}.{self._generation}" for name in names]
        # Two wards on one Redis: a scorer of the same name would take the other's windows for its own.
        own = f"{socket.gethostname()}-{os.getpid()}"
        more = ("--json",) if role == "scorer" else ()
        # One scorer has the GPU; the others are warm for when it is away.
        beside = ("--standby",) if role == "scorer" and shares else ()
        return [
            self._spec(name, role, "--name", f"{name}-{own}", *more, *(beside if i else ()), settings=settings)
            for i, name in enumerate(names)
        ]

    def _spawn(
        self,
        name: str,
        role: str,
        *arguments: str,
        ended: Callable[[], bool] = never,
        beats: bool = True,
        refuses: Callable[[int, bytes], bool] = by_code,
    ) -> Child:
        spec = self._spec(name, role, *arguments, settings=self._settings)
        return self._supervisor.add(replace(spec, ended=ended, beats=beats, refuses=refuses))

    @staticmethod
    def _spec(name: str, role: str, *arguments: str, settings: Settings) -> ChildSpec:
        return ChildSpec(name, (*FLEXION, role, *arguments), as_variables(settings))


def _result(sitting: Sitting) -> dict[str, Any]:
    """Return the result object of a session, by the bundles that it is bound to."""
    models = sitting.models
    bundles = (None, None) if models is None else (models.eeg_emg, models.fusion, models.fmri)
    return summarise_folder(SessionFolder.open(sitting.folder.path), *bundles)


def _refuses(mode: str, code: int, said: bytes) -> bool:
    """Tell whether a bridge that was started again would fail again.

    A full disk ends a replay; a live session waits for room, save where nothing was left to do but to write its end.
    """
    refusal = _refusal_in(said)
    kind = refusal["error"]["kind"] if refusal else ""
    return by_code(code, said) or kind == EndUnwritten.kind or (kind == DiskFull.kind and mode == "replay")


def _refusal_in(said: bytes) -> dict[str, Any] | None:
    """Return the refusal object that a bridge wrote; None where it wrote none, or something else."""
    try:
        value = json.loads(said)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "error" in value else None
