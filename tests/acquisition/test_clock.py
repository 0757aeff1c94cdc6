"""The clocks read what they say."""

import time
from datetime import UTC, datetime

from acquisition.clock import FakeClock, LiveClock, boot_id


def test_the_live_clock_reads_the_machine():
    """Monotonic, LSL and wall clock are three readings."""
    clock = LiveClock(lsl_s=lambda: 7.0)
    before = time.monotonic()
    assert clock.monotonic_s() >= before
    assert clock.lsl_s() == 7.0
    assert abs((clock.utc() - datetime.now(UTC)).total_seconds()) < 60
    assert clock.utc().tzinfo is UTC
    assert clock.boot() == LiveClock().boot() == boot_id()


def test_a_live_sleep_of_nothing_or_less_returns():
    """A target that has passed is not waited for."""
    clock = LiveClock()
    clock.sleep(0.0)
    clock.sleep(-1.0)
    before = clock.monotonic_s()
    clock.sleep(0.01)
    assert clock.monotonic_s() - before >= 0.01


def test_a_fake_clock_moves_when_somebody_sleeps():
    """All three readings move together, and nothing waits."""
    clock = FakeClock()
    begun = (clock.monotonic_s(), clock.lsl_s(), clock.utc())
    clock.sleep(60.0)
    clock.sleep(-5.0)
    assert clock.monotonic_s() - begun[0] == 60.0
    assert clock.lsl_s() - begun[1] == 60.0
    assert (clock.utc() - begun[2]).total_seconds() == 60.0
    assert FakeClock(boot="another").boot() != clock.boot()
