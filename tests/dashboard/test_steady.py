"""Ages that no clock can falsify: entries dated on our own clock, messages that come late."""

from math import nan

import pytest

from dashboard.steady import SECONDS_KEPT, UNKNOWN_S, Lateness, added_s, steady_s


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
    late = [lateness.of_s(n, 5_000.0 + n + wait_s) for n, wait_s in enumerate((0.3, 0.1, 0.4))]
    assert late == pytest.approx([0.0, 0.0, 0.3])


def test_a_sender_that_slept_is_punctual_again_a_minute_later() -> None:
    """Its clock stood still, so all it sends seems late; it is not blamed for ever."""
    lateness = Lateness()
    lateness.of_s(0.0, 0.0)
    late = [lateness.of_s(n / 50, n / 50 + 600.0) for n in range(1, 50 * SECONDS_KEPT + 1)]
    assert late[0] == 600.0
    assert late[-1] == 0.0


def test_a_sender_whose_machine_was_started_anew_is_punctual_at_once() -> None:
    """Its clock begins anew: what it sends now is not a million seconds late."""
    lateness = Lateness()
    lateness.of_s(1_000_000.0, 0.0)
    assert [lateness.of_s(10.0, 60.0), lateness.of_s(11.0, 61.5)] == [0.0, 0.5]


def test_what_does_not_say_when_it_was_sent_is_not_late() -> None:
    """Nobody knows; it spoils nothing either."""
    lateness = Lateness()
    assert lateness.of_s(nan, 5.0) == 0.0
    assert lateness.of_s(1.0, 5.0) == 0.0


def test_the_clock_goes_on() -> None:
    """It never goes back."""
    assert steady_s() <= steady_s()
