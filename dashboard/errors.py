"""What the dashboard refuses: its branch of the tree in ``acquisition.errors`` (law 10).

The tree of this package::

    CommandRefused          whoever a command was for says why not
    BadEnvironment
    ├── PortTaken           another process listens where the pages should be
    └── TooBusy             more recordings are being read than may wait
    BadInput
    ├── NotLoopback         an address that other machines reach: refused until there is access control
    ├── UnknownBed          no session was started on this bed in the last 24 hours
    ├── NoTraces            a session whose traces cannot be made from its folder
    ├── BrokenSession       a session.json that cannot be read
    ├── BadStretch          a stretch of traces that is empty, or too long for one answer
    ├── UnknownScan         the session's model of scans has not scored this one
    └── UnknownSession      there is no folder of this session
"""

from __future__ import annotations

from collections.abc import Mapping

from acquisition.errors import BadEnvironment, BadInput, FlexionError


class CommandRefused(FlexionError):
    """Whoever a command was for says why not.

    Parameters
    ----------
    refusal : mapping
        ``FlexionError.as_refusal()`` of whoever that is; its kind is this one's.
    """

    def __init__(self, refusal: Mapping[str, str]) -> None:
        super().__init__(refusal["message"], subject=refusal["subject"], remedy=refusal["remedy"])
        self.kind = refusal["kind"]


class PortTaken(BadEnvironment):
    """Another process listens where the pages should be."""

    kind = "port_taken"


class NotLoopback(BadInput):
    """An address that other machines reach."""

    kind = "not_loopback"


class UnknownBed(BadInput):
    """No session was started on this bed in the last 24 hours."""

    kind = "unknown_bed"


class UnknownScan(BadInput):
    """The session's model of scans has not scored this one."""

    kind = "unknown_scan"


class UnknownSession(BadInput):
    """There is no folder of this session."""

    kind = "unknown_session"


class TooBusy(BadEnvironment):
    """More recordings are being read than may wait."""

    kind = "too_busy"


class NoTraces(BadInput):
    """A session whose traces cannot be made from its folder."""

    kind = "no_traces"


class BrokenSession(BadInput):
    """A ``session.json`` that cannot be read."""

    kind = "broken_session"


class BadStretch(BadInput):
    """A stretch of traces that is empty, or too long for one answer."""

    kind = "bad_stretch"
