"""Looks against ages: how long an old value looked fresh, how long a fresh one looked old (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf

from .truth import Truth, Way

#: How values may look, from fresh to gone.
LOOKS = ("fresh", "grey", "struck", "gone")
#: Age from which on each look is due, in seconds (contract).
CONTACT = (0.0, 3.0, 10.0, 30.0)
PROGRESS = (0.0, 27.0, 40.0, 80.0)
LANE_GREY_S = 1.0
#: Seconds after an age ended for which a page may still show it: it hears once a second of what is said once a second.
NEWS_S = 2.5
#: The same of lanes, which are told fifty times a second.
LANE_NEWS_S = 1.0
#: Seconds between the moments at which an age of the recent past is looked at.
STEP_S = 0.25

#: An age: its limits, and its seconds at a moment where all is known up to another.
Age = tuple[tuple[float, ...], Callable[[float, float], float]]
#: States of a page that runs no script yet, or that knows nothing yet: no value stands there that could be old.
UNKNOWN = ("", "UNKNOWN")


@dataclass(frozen=True)
class Sample:
    """What a page showed at some moment between two.

    Parameters
    ----------
    asked_s, came_s : float
        Before it was asked, and when it had answered.
    shown : mapping
        Look of each value; None where it is not shown.
    end : int
        One past the newest sample that it was handed.
    words : mapping
        What it said.
    """

    asked_s: float
    came_s: float
    shown: Mapping[str, str | None]
    end: int = 0
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        """Whether it shows something, and all of that as fresh."""
        looks = [look for look in self.shown.values() if look is not None]
        return bool(looks) and self.words.get("code") not in UNKNOWN and set(looks) == {"fresh"}


@dataclass
class Tally:
    """What was found of one value.

    Parameters
    ----------
    late_s : float
        Longest that it looked fresher than it was, past a limit.
    early_s : float
        By how much it looked older than it was at most, before a limit, while all was well.
    """

    late_s: float = 0.0
    early_s: float = 0.0
    samples: int = 0
    looks: set[str] = field(default_factory=set)
    worst: str = ""

    def add(self, look: str, late_s: float, early_s: float, when: str) -> None:
        """Take one sample."""
        self.samples += 1
        self.looks.add(look)
        if max(late_s, early_s) > max(self.late_s, self.early_s, 0.5):
            self.worst = f"{look} {when}"
        self.late_s, self.early_s = max(self.late_s, late_s), max(self.early_s, early_s)


def ages_of(truth: Truth, session: str) -> dict[str, tuple[Age, ...]]:
    """Return which ages each value has."""

    def bridge_s(at_s: float, known_s: float) -> float:
        return max(at_s - known_s, truth.role_s("bridge", session, at_s, known_s))

    def redis_s(at_s: float, known_s: float) -> float:
        return max(at_s - known_s, truth.redis_s(at_s, known_s))

    contact: Age = (CONTACT, lambda at_s, known_s: truth.contact_s(session, at_s, known_s))
    progress: Age = (PROGRESS, lambda at_s, known_s: truth.progress_s(session, at_s, known_s))
    whole = (contact, progress)
    return {
        "outcome": whole,
        "number": whole,
        "card": whole,
        "quality": ((CONTACT, bridge_s),),
        "source": ((CONTACT, bridge_s),),
        "redis": ((CONTACT, redis_s),),
    }


def lateness_s(ages: tuple[Age, ...], look: str, at_s: float, known_s: float) -> float:
    """Return for how long a look has been too fresh; not above 0 where it is not."""
    rank = LOOKS.index(look)
    if rank == len(LOOKS) - 1:
        return 0.0
    return max(age(at_s, known_s) - limits[rank + 1] for limits, age in ages)


def earliness_s(ages: tuple[Age, ...], look: str, at_s: float, way: Way, news_s: float) -> float:
    """Return how far every recent age was from where this look is due; not above 0 where one was not."""
    rank = LOOKS.index(look)
    if rank == 0:
        return 0.0
    return min(limits[rank] - _recent_s(age, at_s, way, news_s) for limits, age in ages)


def _recent_s(age: Callable[[float, float], float], at_s: float, way: Way, news_s: float) -> float:
    moments = [at_s - n * STEP_S for n in range(round(news_s / STEP_S) + 1)]
    return max(age(moment, way.known_s(moment)) for moment in moments)


def judge(
    samples: list[Sample],
    truth: Truth,
    session: str,
    way: Way,
    excused: list[tuple[float, float]],
    final_from_s: float = inf,
) -> dict[str, Tally]:
    """Compare all that a page showed with what was true.

    Parameters
    ----------
    samples : list of Sample
        In order.
    truth : Truth
        What was heard.
    session : str
        Whose values they are.
    way : Way
        What could be known on the page.
    excused : list of (float, float)
        When the page may look older than it must: while a way was just mended and is not yet found again.
    final_from_s : float
        From when on the session was closed: its outcome does not age then.
    """
    ages = ages_of(truth, session)
    lanes = _Lanes(truth, session)
    tallies: dict[str, Tally] = {}
    for sample, value, look in _looks(samples):
        tally = tallies.setdefault(value, Tally())
        if sample.asked_s >= final_from_s:
            early_s = inf if value in ("outcome", "number", "card") and look != "fresh" else 0.0
            tally.add(look, 0.0, early_s, "though the session was closed")
            continue
        if value == "lanes":
            tally.add(look, *lanes.judge(sample, look))
            continue
        known_s = way.known_s(sample.asked_s)
        late_s = lateness_s(ages[value], look, sample.asked_s, known_s)
        fine = any(begin <= sample.came_s <= end for begin, end in excused)
        news_s = NEWS_S + sample.came_s - sample.asked_s
        early_s = 0.0 if fine else earliness_s(ages[value], look, sample.came_s, way, news_s)
        told = ", ".join(f"{age(sample.asked_s, known_s):.1f} s" for _, age in ages[value])
        tally.add(look, late_s, early_s, f"at an age of {told}")
    return tallies


class _Lanes:
    """Lanes are as old as the newest sample that the page was handed, whatever the way."""

    def __init__(self, truth: Truth, session: str) -> None:
        self._truth, self._session = truth, session
        self._recent: list[tuple[float, float]] = []

    def judge(self, sample: Sample, look: str) -> tuple[float, float, str]:
        """Return lateness, earliness and words; samples in order."""
        if not sample.end:
            return 0.0, 0.0, ""
        age_s = self._truth.lane_s(self._session, sample.asked_s, sample.end)
        self._recent = [(at_s, a) for at_s, a in self._recent if at_s > sample.asked_s - LANE_NEWS_S]
        self._recent.append((sample.asked_s, age_s))
        late_s = age_s - LANE_GREY_S if look == "fresh" else 0.0
        early_s = LANE_GREY_S - max(a for _, a in self._recent) if look != "fresh" else 0.0
        return late_s, early_s, f"at an age of {age_s:.1f} s"


def _looks(samples: list[Sample]) -> Iterator[tuple[Sample, str, str]]:
    """Yield every look that can be judged: on a page that knows nothing yet stands nothing that could be old."""
    for sample in samples:
        known = sample.shown.items() if sample.words.get("code") not in UNKNOWN else ()
        for value, look in known:
            if look is not None:
                yield sample, value, look


def well_again_s(samples: list[Sample], from_s: float) -> float | None:
    """Return how long after a moment everything looked fresh for the first time; None if it never did."""
    return next((sample.came_s - from_s for sample in samples if sample.asked_s >= from_s and sample.well), None)
