"""Following: one session's results and events become its `outcome` events, each change once (law 8).

Everything is rebuilt from the streams, so that an aggregator may be killed at any time: an outcome that stands already
in the log is not told again. When the bridge takes a new term, Redis may have forgotten what was told, and the log is
read anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from redis import Redis

from inference.errors import BundleMismatch, FmriRefused
from inference.fmri_event import FmriEvent, choose, judge, notice_of, refusal_notice
from inference.library import Library
from inference.outcome import Outcome, outcome_of, repeated
from inference.similarity import notice_of as unlike_notice
from streaming import keys
from streaming.events import Event, EventLog
from streaming.records import ResultRecord
from streaming.results import ResultReader

#: Results of one read beyond which only the last state is told: a trend needs no step for each of hundreds that came
#: while nobody looked.
CATCH_UP = 64


@dataclass
class Known:
    """What the streams of a session held under one term.

    Attributes
    ----------
    term : bytes or None
        The bridge's term; another one means that Redis may have forgotten what was told.
    about : mapping or None
        The ``session`` event.
    fmri : list of mapping
        The ``fmri`` events.
    results : dict of int to ResultRecord
        By index.
    noticed : set of str
        Texts of the notices.
    last : mapping or None
        The last ``outcome`` event.
    ended : bool
        Whether the session is over.
    """

    term: bytes | None
    about: Mapping[str, Any] | None = None
    fmri: list[Mapping[str, Any]] = field(default_factory=list)
    results: dict[int, ResultRecord] = field(default_factory=dict)
    noticed: set[str] = field(default_factory=set)
    last: Mapping[str, Any] | None = None
    ended: bool = False


class Follower:
    """What is known of one session, and what was told of it.

    Parameters
    ----------
    redis : Redis
        Client of the aggregator.
    session : str
        Session identifier.
    library : Library
        The bundles at hand.
    """

    def __init__(self, redis: Redis, session: str, library: Library) -> None:
        self._redis = redis
        self._session = session
        self._library = library
        #: How many outcomes were told by this process.
        self.n_told = 0
        self._begin(self._term())

    def poll(self, *, closed: bool) -> None:
        """Read what is new and tell what changed.

        Parameters
        ----------
        closed : bool
            Whether the registry says that the session is over; its ``end`` event says so too.

        Raises
        ------
        TransportDown
            If Redis cannot be reached; a new follower then begins from the streams.
        RecordError
            If an entry is not of this version.
        """
        term = self._term()
        if term != self._known.term:
            self._begin(term)
        while events := self._log.read():
            for event in events:
                self._take(event)
        self._known.ended |= closed
        results = self._reader.read()
        for result in results:
            self._known.results[result.index] = result
            if len(results) <= CATCH_UP and not self._known.ended:
                self._tell()
        self._tell()

    def _term(self) -> bytes | None:
        term = self._redis.get(keys.term(self._session))
        assert term is None or isinstance(term, bytes)
        return term

    def _begin(self, term: bytes | None) -> None:
        """Forget everything and read from the start."""
        self._log = EventLog(self._redis, self._session)
        self._reader = ResultReader(self._redis, self._session)
        self._known = Known(term)

    def _take(self, event: Event) -> None:
        known = self._known
        if event.type == "session":
            known.about = event.data
        elif event.type == "fmri":
            known.fmri.append(event.data)
        elif event.type == "notice":
            known.noticed.add(str(event.data["text"]))
        elif event.type == "outcome":
            known.last = event.data
        elif event.type == "end":
            known.ended = True

    def _tell(self) -> None:
        """Append the outcome if it is not the last that was told, nor one that lies behind it."""
        about, last = self._known.about, self._known.last
        if about is None or not any(about["bundles"].get(kind) for kind in ("eeg_emg", "fmri")):
            return
        fmri = self._fmri(about)
        outcome, final = self._outcome(about, fmri), self._known.ended
        self._notice(unlike_notice(outcome.similarity))
        if about.get("repeats"):
            outcome, final = repeated(outcome), False
        data = {**outcome.to_json(), "windows": outcome.fates, "final": final}
        if data == last or _n_fates(data) < _n_fates(last):
            return
        self._log.append("outcome", data)
        self._known.last = data
        self.n_told += 1

    def _fmri(self, about: Mapping[str, Any]) -> FmriEvent | FmriRefused | None:
        """Return the scan's score that counts, and tell people once of what is refused or far away."""
        whose = about["patient"], self._library.model(about["bundles"].get("fmri"))
        for error in judge(self._known.fmri, *whose)[1]:
            self._notice(refusal_notice(error))
        fmri = choose(self._known.fmri, *whose)
        if isinstance(fmri, FmriEvent):
            self._notice(notice_of(fmri, date.fromisoformat(about["created_utc"][:10])))
        return fmri

    def _outcome(self, about: Mapping[str, Any], fmri: FmriEvent | FmriRefused | None) -> Outcome:
        bound = about["bundles"]
        bundle = self._library.model(bound.get("eeg_emg"))
        return outcome_of(
            self._known.results.values(),
            bundle,
            self._library.fusion(bound.get("fusion")),
            fmri,
            self._known.ended,
            fmri_bundle=self._library.model(bound.get("fmri")),
            mismatch=misfit(about, self._library),
        )

    def _notice(self, notice: Mapping[str, str] | None) -> None:
        """Tell something once."""
        if notice and notice["text"] not in self._known.noticed:
            self._log.append("notice", notice)
            self._known.noticed.add(notice["text"])


def misfit(about: Mapping[str, Any], library: Library) -> str:
    """Return why the bundle does not fit the session's stream, or an empty text.

    Parameters
    ----------
    about : mapping
        The ``session`` event.
    library : Library
        The bundles at hand.
    """
    bound = about["bundles"].get("eeg_emg")
    bundle = library.model(bound)
    if bundle is None:
        return library.lack_of(bound) if bound else ""
    want = bundle.signal
    fingerprint = about.get("fingerprint", want.fingerprint)
    try:
        bundle.check(
            about["labels"], about["rate_hz"], want.n_samples, fingerprint, about["mains_hz"], kinds=about["kinds"]
        )
    except BundleMismatch as error:
        return str(error)
    return ""


def _n_fates(data: Mapping[str, Any] | None) -> int:
    return sum(data["windows"].values()) if data else 0
