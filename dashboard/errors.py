"""What the dashboard refuses: its branch of the tree in ``acquisition.errors`` (law 10).

The tree of this package::

    BadEnvironment
    └── PortTaken           another process listens where the pages should be
    BadInput
    ├── NotLoopback         an address that other machines reach: refused until there is access control
    ├── UnknownBed          no session was started on this bed in the last 24 hours
    ├── UnknownScan         the session's model of scans has not scored this one
    └── UnknownSession      there is no folder of this session
"""

from __future__ import annotations

from acquisition.errors import BadEnvironment, BadInput


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
