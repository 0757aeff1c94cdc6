"""Words for people that the server makes: why no window comes (the pages word everything else themselves)."""

from __future__ import annotations

from dataclasses import dataclass

#: Seconds of silence after which somebody is named as the cause (contract: contact goes grey).
SILENT_S = 3.0
#: States of the link in which samples arrive.
ARRIVING = ("LIVE", "LATE")


@dataclass(frozen=True)
class Standing:
    """How it stands with a session.

    Parameters
    ----------
    redis_age_s, bridge_age_s, scorer_age_s : float
        Seconds since each was heard.
    state, cause : str
        Of the link to the source, as the bridge says it.
    waiting : int
        Windows without a result.
    """

    redis_age_s: float
    bridge_age_s: float
    scorer_age_s: float
    state: str
    cause: str
    waiting: int


def cause_words(standing: Standing) -> str:
    """Return why the next result is not there yet: the first hindrance on the way of the data back to the source.

    Examples
    --------
    >>> cause_words(Standing(0.4, 0.5, 0.2, "LOST", "", 0))
    'no signal since the source is lost'
    """
    if standing.redis_age_s >= SILENT_S:
        return f"Redis does not answer ({standing.redis_age_s:.0f} s)"
    if standing.bridge_age_s >= SILENT_S:
        return f"no word from the bridge for {standing.bridge_age_s:.0f} s"
    if standing.waiting:
        return _waiting(standing)
    if standing.state == "SETTLING":
        return "settling after a gap"
    if standing.state not in ARRIVING:
        return f"no signal since the source is {standing.cause or standing.state.lower()}"
    return "the next window is being filled"


def _waiting(standing: Standing) -> str:
    windows = "1 window" if standing.waiting == 1 else f"{standing.waiting} windows"
    if standing.scorer_age_s >= SILENT_S:
        return f"{windows} waiting for the scorer, which does not answer ({standing.scorer_age_s:.0f} s)"
    return f"{windows} waiting for the scorer"
