"""Clock: the only place that reads the time. Whatever waits or measures gets one handed in.

Three readings, never mixed: ``monotonic_s`` for durations, ``lsl_s`` for stamps, ``utc`` for people and files.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Return what the kernel calls this start of the machine; nothing where it has no name."""
    return _BOOT_ID.read_text(encoding="ascii").strip() if _BOOT_ID.exists() else ""


class Clock(Protocol):
    """What the time is asked from."""

    def monotonic_s(self) -> float:
        """Return seconds that never step; only differences mean something."""
        ...

    def lsl_s(self) -> float:
        """Return this machine's LSL clock, in s."""
        ...

    def utc(self) -> datetime:
        """Return the wall clock in UTC."""
        ...

    def boot(self) -> str:
        """Return a name that the machine takes anew with every start, for its LSL clock begins anew too; or nothing."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; nothing or less returns at once."""
        ...


class LiveClock:
    """The machine's time.

    Parameters
    ----------
    lsl_s : callable
        The LSL clock: ``acquisition.inlet.lsl_clock_s`` where streams are read or sent. Where none are, the default
        is the clock that LSL itself is made of on this machine.
    """

    def __init__(self, lsl_s: Callable[[], float] = time.monotonic) -> None:
        self._lsl_s = lsl_s

    def monotonic_s(self) -> float:
        """Return the system's monotonic clock."""
        return time.monotonic()

    def lsl_s(self) -> float:
        """Return the LSL clock that was handed in."""
        return self._lsl_s()

    def utc(self) -> datetime:
        """Return the system's wall clock."""
        return datetime.now(UTC)

    def boot(self) -> str:
        """Return the kernel's name for it; nothing where there is none."""
        return boot_id()

    def sleep(self, seconds: float) -> None:
        """Give the processor away for that long."""
        if seconds > 0:
            time.sleep(seconds)


class FakeClock:
    """A time that passes only when somebody sleeps or a test says so.

    Parameters
    ----------
    monotonic_s, lsl_s : float
        What the clocks read at first; they differ, so that mixing them up shows.
    utc : datetime
        What the wall clock reads at first.
    boot : str
        What the machine's start is called.

    Examples
    --------
    >>> clock = FakeClock()
    >>> clock.sleep(2.5)
    >>> clock.monotonic_s(), clock.lsl_s()
    (1002.5, 50002.5)
    """

    def __init__(
        self,
        monotonic_s: float = 1_000.0,
        lsl_s: float = 50_000.0,
        utc: datetime = datetime(2026, 1, 1, tzinfo=UTC),
        boot: str = "a start",
    ) -> None:
        self._start = (monotonic_s, lsl_s, utc)
        self._boot = boot
        self.elapsed_s = 0.0

    def monotonic_s(self) -> float:
        """Return the first reading and what has passed since."""
        return self._start[0] + self.elapsed_s

    def lsl_s(self) -> float:
        """Return the first reading and what has passed since."""
        return self._start[1] + self.elapsed_s

    def utc(self) -> datetime:
        """Return the first reading and what has passed since."""
        return self._start[2] + timedelta(seconds=self.elapsed_s)

    def boot(self) -> str:
        """Return the name that was handed in."""
        return self._boot

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.elapsed_s += max(0.0, seconds)
