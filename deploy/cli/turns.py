"""Turns: replays that run one after the other in one ward: what each is to be, its life, how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from acquisition.ledger import samples_of
from acquisition.reading import Reading
from deploy import exits
from deploy.cli.progress import Progress, Track
from deploy.cli.running import open_ward, show_pages
from deploy.recorded import Between
from deploy.replaying import plan_replay

if TYPE_CHECKING:
    from acquisition.session import SessionInfo
    from deploy.gathering import Meant
    from deploy.opening import Models
    from deploy.settings import Settings
    from deploy.ward import Ward


@dataclass(frozen=True)
class Manner:
    """How recordings are played.

    Attributes
    ----------
    speed : float or None
        How much faster than the patient, through LSL; None as fast as it can be taken, without.
    rounds : int
        How often; 0 without end.
    bed : str
        Under which they are shown.
    patient : str or None
        Pseudonym for foreign recordings.
    wanted : Between
        Which part of each.
    reading : Reading
        What the user says about foreign ones.
    """

    speed: float | None
    rounds: int
    bed: str
    patient: str | None
    wanted: Between
    reading: Reading


@dataclass(frozen=True)
class Take:
    """One recording, ready to be played.

    Attributes
    ----------
    meant : Meant
        The recording.
    info : SessionInfo
        The session that it becomes.
    play : tuple of str or None
        Arguments of its player; None where the bridge reads it itself.
    told : tuple of str
        What it left open and what could not be read, a sentence each.
    """

    meant: Meant
    info: SessionInfo
    play: tuple[str, ...] | None
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ran:
    """What became of the takes that had their turn, by their sessions.

    Attributes
    ----------
    results, refusals : mapping of str to mapping
        Result objects, and the refusals of bridges that would not go on.
    code : int
        The exit code.
    """

    results: Mapping[str, dict[str, Any]]
    refusals: Mapping[str, dict[str, Any]]
    code: int


#: Nothing was played.
NONE = Ran({}, {}, exits.OK)


def prepare(meant: Meant, settings: Settings, models: Models, manner: Manner) -> Take:
    """Return a recording as the session that it is to be.

    Raises
    ------
    RecordingError, MontageError, UnitError, RateError, BundleMismatch
        If it cannot be read or does not fit.
    """
    told: list[str] = []
    plan = plan_replay(
        meant.path,
        settings,
        patient=manner.patient,
        bed=manner.bed,
        through_lsl=manner.speed is not None,
        reading=manner.reading,
        wanted=manner.wanted,
        rounds=manner.rounds,
        tell=told.append,
    )
    play = None if manner.speed is None else ("--recording", str(meant.path), "--speed", repr(manner.speed))
    return Take(meant, plan.to_info(models), play, tuple(told))


def play(
    takes: Sequence[Take], settings: Settings, models: Models, *, pages: bool, browser: bool, as_json: bool
) -> Ran:
    """Play recordings one after the other, until the last has ended or somebody ends it all.

    Parameters
    ----------
    takes : sequence of Take
        In their order.
    settings : Settings
        In force.
    models : Models
        What they are scored with.
    pages, browser : bool
        Whether the dashboard runs, and whether it is opened.
    as_json : bool
        Whether a program reads us.
    """
    with Progress(as_json=as_json) as progress, open_ward(settings, models, pages=pages) as ward:
        for number, take in enumerate(takes):
            if ward.end_requested:
                break
            ward.admit(take.info, take.play)
            if pages and not number:
                show_pages(ward, settings, browser=browser)
            track = progress.track(take.meant.name)
            track.begins(take.info.expected_samples, take.info.rate_hz)
            ward.run(until=_Watch(ward, take.info.session, track).is_over)
            progress.over(track)
        ward.end_sessions()
        results = {result["session"]: result for result in ward.results()}
        return Ran(results, ward.refusals(), ward.exit_code())


class _Watch:
    """Follows one session by its bridge's heartbeats."""

    def __init__(self, ward: Ward, session: str, track: Track) -> None:
        self._ward, self._session, self._track = ward, session, track
        self._seen: Mapping[str, Any] | None = None

    def is_over(self) -> bool:
        """Show how far it is, and return whether it has ended, as all before it have."""
        told = self._ward.told(self._session)
        if told is not None and told is not self._seen:
            self._seen = told
            n_samples = samples_of(told["ledger"])
            if n_samples:
                self._track.reaches(n_samples, told["results"])
        return self._ward.all_over()
