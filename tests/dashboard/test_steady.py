"""Ages that no clock can falsify: entries dated on our own clock, heartbeats that come late."""

import pytest

from dashboard.steady import BEATS_KEPT, UNKNOWN_S, Lateness, added_s, steady_s
from streaming.heartbeat import Beat


def beat(at_s: float, *, pid: int = 1) -> Beat:
    """Return a heartbeat sent at a moment of its sender's clock."""
    return Beat("bridge", "S", "S", "host", pid, at_s, 0, {})


@pytest.mark.parametrize(
    ("at_ms", "server_ms", "looked_s", "added"),
    [
        (1_000, 31_000, None, 70.0),
        (1_000, 1_200, 99.0, 99.8),
        (1_000, 3_600_000, 99.0, 99.0),
        (3_600_000, 1_000, 99.0, 99.0),
        (3_600_000, 1_000, None, 100.0 - UNKNOWN_S),
    ],
    ids=["read at the start", "as it came", "clock set ahead", "clock set back", "set back before the start"],
)
def test_an_entry_is_dated_whatever_happens_to_the_servers_clock(
    at_ms: float, server_ms: float, looked_s: float | None, added: float
) -> None:
    """A clock that is set makes no result younger, and none older than the last look that did not find it (law 7)."""
    assert added_s(at_ms, server_ms, looked_s, now_s=100.0) == pytest.approx(added)


def test_a_clock_that_always_differs_is_not_late() -> None:
    """Senders of other machines have clocks of their own: only what changes is lateness."""
    lateness = Lateness()
    assert [lateness.of_s(beat(n), 5_000.0 + n + late) for n, late in enumerate((0.3, 0.1, 0.4))] == pytest.approx(
        [0.0, 0.0, 0.3]
    )


def test_a_sender_that_slept_is_punctual_again_a_minute_later() -> None:
    """Its clock stood still, so all it sends seems late; it is not blamed for ever."""
    lateness = Lateness()
    lateness.of_s(beat(0.0), 0.0)
    late = [lateness.of_s(beat(float(n)), n + 600.0) for n in range(1, BEATS_KEPT + 1)]
    assert late[0] == 600.0
    assert late[-1] == 0.0


def test_a_process_that_was_started_again_is_measured_anew() -> None:
    """Another process may be another machine's, with another clock."""
    lateness = Lateness()
    lateness.of_s(beat(500.0), 0.0)
    assert lateness.of_s(beat(0.0, pid=2), 1.0) == 0.0
    lateness.forget(set())
    assert lateness.of_s(beat(0.0), 2.0) == 0.0


def test_the_clock_goes_on() -> None:
    """It never goes back."""
    assert steady_s() <= steady_s()
