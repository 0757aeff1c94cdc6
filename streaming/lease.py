"""Who may write for a bed and its sources, and under which term (law 5).

A lease is a key for the bed and one for each source, taken together or not at all; each lives 10 s and is
renewed every 2 s. It names the process that holds it, so that a successor on the same machine need not wait for a
process that is gone. Taking it grants the next term of the session, which fences out whoever had an earlier one.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from redis import Redis

from acquisition.clock import boot_id
from streaming import keys
from streaming.errors import LeaseHeld, LeaseLost
from streaming.script import Script, Value

#: Seconds that a lease lives when nobody renews it (contract).
TTL_S = 10.0
#: Seconds between renewals (contract): four may fail before it runs out.
RENEW_S = 2.0
#: A process that dies is replaced at most this often within one call: each round names another dead owner.
ROUNDS = 4

_ACQUIRE, _RENEW, _RELEASE = Script("acquire"), Script("renew"), Script("release")


@dataclass(frozen=True)
class Holder:
    """The process that holds a lease.

    Parameters
    ----------
    session : str
        The session that it holds it for.
    host : str
        Name of its machine.
    boot_id : str
        The kernel's identifier of the machine's last start; empty where the system has none.
    pid_space : str
        The namespace in which its process id counts: two containers of one machine have two.
    pid : int
        Its process id.
    started : str
        When the process started, in the kernel's clock ticks: a process id alone is used again.
    """

    session: str
    host: str
    boot_id: str
    pid_space: str
    pid: int
    started: str

    @classmethod
    def of_this_process(cls, session: str) -> Holder:
        """Return the holder that this process is."""
        return cls(session, socket.gethostname(), boot_id(), _pid_space(), os.getpid(), started_at(os.getpid()) or "")

    def encode(self) -> bytes:
        """Return the value of a lease's key."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, value: bytes) -> Holder:
        """Return the holder that a lease's key names."""
        return cls(**json.loads(value))

    def is_gone(self) -> bool:
        """Tell whether the process is known to be gone; False where that cannot be known from here."""
        here = Holder.of_this_process("")
        place, own = (self.host, self.boot_id, self.pid_space), (here.host, here.boot_id, here.pid_space)
        if place != own or not all(place) or not self.started:
            return False
        return started_at(self.pid) != self.started

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, session {self.session}"


class Lease:
    """The right to write for a bed and its sources.

    Parameters
    ----------
    redis : Redis
        Client of the bridge.
    bed : str
        Bed; without regard to case.
    source_id : str
        Source identifier; empty where the source has none, then only the bed is taken.
    session : str
        Session that writes.
    partner_id : str
        Likewise of the second stream, where the montage has two.
    holder : Holder, optional
        Who takes it; this process by default.
    ttl_s : float
        Seconds that it lives when it is not renewed.
    """

    def __init__(
        self,
        redis: Redis,
        bed: str,
        source_id: str,
        session: str,
        *,
        partner_id: str = "",
        holder: Holder | None = None,
        ttl_s: float = TTL_S,
    ) -> None:
        self._redis = redis
        sources = {keys.source_lease(name): f"source {name}" for name in (source_id, partner_id) if name}
        self._keys = {keys.bed_lease(bed): f"bed {bed}"} | sources
        self._session = session
        self._owner = (holder or Holder.of_this_process(session)).encode()
        self._ttl_ms = round(ttl_s * 1000)

    def acquire(self, floor_term: int) -> int:
        """Take bed and sources, and return the term to write under; save it before its first use.

        Taking it again grants a new term.

        Parameters
        ----------
        floor_term : int
            Highest term that the session folder knows; 0 for none.

        Raises
        ------
        LeaseHeld
            If another process that may be alive has the bed or a source.
        """
        gone: list[bytes] = []
        owner = b""
        for _ in range(ROUNDS):
            args: list[Value] = [self._owner, self._ttl_ms, floor_term, *gone]
            word, value = _ACQUIRE(self._redis, [keys.term(self._session), *self._keys], args)
            if word == b"granted":
                return int(value)
            owner = value
            if not Holder.decode(owner).is_gone():
                break
            gone.append(owner)
        raise self._held(owner)

    def renew(self) -> bool:
        """Keep the lease for another ten seconds; False when it ran out or Redis was wiped: acquire it anew.

        Raises
        ------
        LeaseLost
            If another process has it now: stop, as if fenced.
        """
        word, *owner = _RENEW(self._redis, list(self._keys), [self._owner, self._ttl_ms])
        if word == b"held":
            holder = str(Holder.decode(owner[0]))
            raise LeaseLost(
                f"The lease of {self._what()} went to {holder}.",
                holder=holder,
                subject=self._session,
                remedy="Stop this bridge; the other one goes on from the session folder.",
            )
        return bool(word == b"kept")

    def release(self) -> None:
        """Give back what is still ours."""
        _RELEASE(self._redis, list(self._keys), [self._owner])

    def _what(self) -> str:
        return " and ".join(self._keys.values())

    def _held(self, owner: bytes) -> LeaseHeld:
        holder = str(Holder.decode(owner))
        return LeaseHeld(
            f"{self._what()} is held by {holder}.",
            holder=holder,
            subject=self._what(),
            remedy=f"Stop that session first, or wait {self._ttl_ms / 1000:g} s if its machine is gone.",
        )


def started_at(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot; None if there is none, or if it is only a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in parentheses, may itself hold blanks and parentheses: count from its end.
    state, *rest = stat.rpartition(")")[2].split()
    return None if state in "ZX" else rest[18]


def _pid_space() -> str:
    path = Path("/proc/self/ns/pid")
    return os.readlink(path) if path.exists() else ""
