"""What can go wrong between two processes, with the value and the way out (law 10).

The branch of ``acquisition.errors`` that grows here::

    FlexionError
    ├── BadInput
    │   ├── RecordError         an entry that is not what its schema says
    │   └── TextRefused         a mark or a note that cannot be kept
    ├── BadEnvironment
    │   ├── TransportDown       Redis does not answer, or refuses to work
    │   ├── UnfitServer         a server that is too old, evicts, or has no such address
    │   ├── NoRedisServer       no server program on this machine
    │   ├── ServerFailed        the private server did not start or died
    │   ├── LeaseHeld           another process owns the bed or the source
    │   ├── BedBusy             another session of the bed is still open
    │   ├── SourceBusy          another open session takes its signal from the same stream
    │   ├── NoAnswer            nobody answered a command
    │   └── EndUnwritten        a full disk does not take a session's end
    ├── Refused                 Redis lost what it had: take a new term and publish again
    ├── Fenced                  another bridge has taken the session over: stop
    │   └── LeaseLost           it holds the lease
    └── Full                    no room for a window now: wait and publish again
"""

from __future__ import annotations

from acquisition.errors import BadEnvironment, BadInput, FlexionError


class RecordError(BadInput):
    """An entry is not what its schema says: another version, a torn payload, a shape that does not fit."""

    kind = "record"


class TextRefused(BadInput):
    """A mark or a note that cannot be kept: empty, too long, or no text."""

    kind = "text"


class TransportDown(BadEnvironment):
    """Redis does not answer, or answers that it cannot work now.

    What was asked may have been done all the same: repeat only what is harmless twice.
    """

    kind = "transport_down"


class UnfitServer(BadEnvironment):
    """A server that cannot carry windows: too old, one that evicts, or an address that is none."""

    kind = "unfit_server"


class NoRedisServer(BadEnvironment):
    """No Redis server that may be used is on the machine."""

    kind = "no_redis_server"


class ServerFailed(BadEnvironment):
    """The private server did not start, or died."""

    kind = "server_failed"


class LeaseHeld(BadEnvironment):
    """Another process owns the bed or the source.

    Parameters
    ----------
    holder : str
        Who holds it, in words.
    """

    kind = "lease_held"

    def __init__(self, message: str, *, holder: str, subject: str = "", remedy: str = "") -> None:
        super().__init__(message, subject=subject, remedy=remedy)
        self.holder = holder


class BedBusy(BadEnvironment):
    """Another session of the bed is still open."""

    kind = "bed_busy"


class SourceBusy(BadEnvironment):
    """Another open session takes its signal from the same stream."""

    kind = "source_busy"


class NoAnswer(BadEnvironment):
    """Nobody answered a command in time."""

    kind = "no_answer"


class EndUnwritten(BadEnvironment):
    """A session has ended, and the disk does not take its end: what a bridge started again would find no better."""

    kind = "end_unwritten"


class Refused(FlexionError):
    """Redis no longer holds what this bridge published: take a new term, open again, publish what has no result.

    It comes after a wipe, a restart, a restored older state, or a window published out of order.
    """

    kind = "refused"


class Fenced(FlexionError):
    """Another bridge has taken the session over: stop at once and touch nothing.

    Parameters
    ----------
    term : int or None
        The higher term that Redis holds; None where the lease alone tells.
    """

    kind = "fenced"

    def __init__(self, message: str, *, term: int | None = None, subject: str = "", remedy: str = "") -> None:
        super().__init__(message, subject=subject, remedy=remedy)
        self.term = term


class LeaseLost(Fenced):
    """The lease of the bed or the source went to another process.

    Parameters
    ----------
    holder : str
        Who has it now, in words.
    """

    kind = "lease_lost"

    def __init__(self, message: str, *, holder: str, subject: str = "", remedy: str = "") -> None:
        super().__init__(message, subject=subject, remedy=remedy)
        self.holder = holder


class Full(FlexionError):
    """There is no room for a window now; it stays in the session folder: wait, then publish the same one again.

    Parameters
    ----------
    waiting : int or None
        Windows of the session that wait for a scorer; None when Redis itself is out of memory.
    """

    kind = "full"

    def __init__(self, message: str, *, waiting: int | None, subject: str = "", remedy: str = "") -> None:
        super().__init__(message, subject=subject, remedy=remedy)
        self.waiting = waiting
