"""The fault table: each row plays one fault into a session on a real LSL stream, and says what must come of it.

What holds of every session (``Account.of``) is checked in every row: the folder gives ledger and windows again bit for
bit, no window spans a gap, every recorded sample is one that was sent.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .account import same
from .rig import Rig
from .script import COUNTED, RAILED, mains, steady

Row = Callable[[Rig], None]
#: Every row by its name, in the order of the docs.
TABLE: dict[str, Row] = {}


def row(play: Row) -> Row:
    """Enter a row into the table."""
    TABLE[play.__name__.replace("_", "-")] = play
    return play


# -- the source goes away -----------------------------------------------------------------------------


@row
def killed(rig: Rig) -> None:
    """Never heard of again: what it did not send until the planned end is lost, and the session ends by itself."""
    (amplifier,) = rig.amplifiers(1)
    amplifier.open(rig.spec())
    rig.listen(planned=3_000)
    amplifier.play(steady(3_000))
    rig.await_sample(1_500)
    amplifier.kill()
    account = rig.finish()
    ((_, stop),) = account.spans()
    account.check((0, stop))
    same(account.decided, ["segment 0 at 0: start", f"lost {3_000 - stop}: absent"])
    same(account.notices, [f"{3_000 - stop} samples lost (absent)"])
    assert account.saw("LIVE", "LOST")


@row
def restarted(rig: Rig) -> None:
    """Back under its source_id, with a new uid: a new segment, what lay between is lost by its stamps."""
    first, second = rig.amplifiers(2)
    first.open(rig.spec())
    rig.listen(planned=8_000)
    origin_s = first.play(steady(9_000))
    rig.await_sample(1_500)
    first.kill()
    rig.await_state("LOST")
    second.open(rig.spec())
    second.play(steady(9_000, amp=1), origin_s)
    account = rig.finish()
    (_, stop), (back, end) = account.spans()
    assert end == 8_000
    account.check((0, stop), (back, end))
    lost = back - stop
    same(account.decided, ["segment 0 at 0: start", f"lost {lost}: gap", f"segment 1 at {back}: gap"])
    same(account.notices, [f"{lost} samples lost (gap)"])
    assert account.saw("LIVE", "LOST", "SETTLING", "LIVE")


@row
def restarted_as_another(rig: Rig) -> None:
    """Back under another source_id: not the same source, never taken; the session waits for its own."""
    first, second = rig.amplifiers(2)
    first.open(rig.spec())
    rig.listen(planned=5_000)
    origin_s = first.play(steady(6_000))
    rig.await_sample(1_500)
    first.kill()
    second.open(rig.spec(source_id=f"{rig.source_id}-other"))
    second.play(steady(6_000, amp=1), origin_s)
    account = rig.finish()
    assert not second.heard()
    ((_, stop),) = account.spans()
    account.check((0, stop))
    same(account.decided, ["segment 0 at 0: start", f"lost {5_000 - stop}: absent"])
    same(account.states[-1], "LOST")


@row
def frozen(rig: Rig) -> None:
    """Its process stopped for 5 s, the connection up: stalled, then late until it has caught up; nothing is lost."""
    (amplifier,) = rig.amplifiers(1)
    amplifier.open(rig.spec())
    rig.listen(planned=8_000)
    amplifier.play(steady(8_000))
    rig.await_sample(1_500)
    amplifier.freeze()
    rig.wait(5.0)
    amplifier.thaw()
    account = rig.finish()
    account.check((0, 8_000))
    same(account.decided, ["segment 0 at 0: start"])
    same(account.notices, [])
    assert account.saw("LIVE", "STALLED", "LATE", "LIVE")


# -- samples are missing ------------------------------------------------------------------------------


@row
def hole_of_1_counted(rig: Rig) -> None:
    """One sample is missing and the stream has a counter: bridged, and the window says so."""
    account = rig.run(steady(4_000).without(1_500, 1_501), planned=4_000, montage=COUNTED)
    account.check((0, 4_000), bridged=1)
    same(account.decided, ["segment 0 at 0: start", "bridged 1"])
    same([window.n_bridged for window in account.windows], [0, 1, 0])
    same(["bridged" in window.flags for window in account.windows], [False, True, False])


@row
def hole_of_15_ms(rig: Rig) -> None:
    """15 ms are missing between exact stamps, without a counter: bridged."""
    account = rig.run(steady(4_000).without(1_500, 1_515), planned=4_000)
    account.check((0, 4_000), bridged=15)
    same(account.decided, ["segment 0 at 0: start", "bridged 15"])
    same([window.n_bridged for window in account.windows], [0, 15, 0])


@row
def hole_of_2_s(rig: Rig) -> None:
    """2 s are missing: lost, and a new segment whose filters settle anew."""
    account = rig.run(steady(6_000).without(2_000, 4_000), planned=6_000)
    account.check((0, 2_000), (4_000, 6_000))
    same(account.decided, ["segment 0 at 0: start", "lost 2000: gap", "segment 1 at 4000: gap"])
    same(account.notices, ["2000 samples lost (gap)"])


@row
def hole_of_2_s_counted(rig: Rig) -> None:
    """The same by the counter."""
    account = rig.run(steady(6_000).without(2_000, 4_000), planned=6_000, montage=COUNTED)
    account.check((0, 2_000), (4_000, 6_000))
    same(account.decided, ["segment 0 at 0: start", "lost 2000: gap", "segment 1 at 4000: gap"])


# -- samples come again, or with a clock that jumps ---------------------------------------------------


@row
def chunk_twice(rig: Rig) -> None:
    """A chunk is sent twice, with the same stamps: rejected as duplicates."""
    account = rig.run(steady(3_000).twice(1_500, 1_520), planned=3_000)
    account.check((0, 3_000), rejected={"duplicate": 20})
    same(account.decided, ["segment 0 at 0: start", "reject 20: duplicate"])


@row
def chunk_twice_counted(rig: Rig) -> None:
    """The same by the counter; only the last of them repeats the sample before, the others lie further back."""
    account = rig.run(steady(3_000).twice(1_500, 1_520), planned=3_000, montage=COUNTED)
    account.check((0, 3_000), rejected={"duplicate": 1, "backward": 19})


@row
def clock_back_5_s(rig: Rig) -> None:
    """The device's clock is set back by 5 s: a clock reset, a new segment, nothing lost."""
    account = rig.run(steady(4_000).stamped(2_000, -5.0), planned=4_000)
    account.check((0, 2_000), (2_000, 4_000), clock_resets=1)
    same(account.decided, ["segment 0 at 0: start", "clock reset", "segment 1 at 2000: clock_reset"])
    same(account.states[-1], "LATE")


@row
def clock_back_300_ms(rig: Rig) -> None:
    """Set back by less than a second it might be stragglers: 20 samples are rejected, then it is a clock reset."""
    account = rig.run(steady(4_020).stamped(2_000, -0.3004), planned=4_000)
    account.check((0, 2_000), (2_000, 4_000), rejected={"backward": 20}, clock_resets=1, shift={2_000: 20})
    reset = ["clock reset", "segment 1 at 2000: clock_reset"]
    same(account.decided, ["segment 0 at 0: start", "reject 20: backward", *reset])


@row
def clock_ahead_100_s(rig: Rig) -> None:
    """Beyond 60 s nobody knows what was lost: another clock, a new segment, nothing declared lost."""
    account = rig.run(steady(4_000).stamped(2_000, 100.0), planned=4_000)
    account.check((0, 2_000), (2_000, 4_000), clock_resets=1)
    same(account.decided, ["segment 0 at 0: start", "clock reset", "segment 1 at 2000: clock_reset"])


# -- samples that are no signal -----------------------------------------------------------------------


@row
def no_numbers(rig: Rig) -> None:
    """NaN on one channel for 50 ms: held at its last good value, that channel's filter starts anew, all is received."""
    account = rig.run(steady(4_000).holding(1_500, 1_550, slice(0, 1), np.nan), planned=4_000)
    account.check((0, 4_000))
    same([window.faults[0] for window in account.windows], [(), ("repaired",), ()])
    same([window.channel_quality[0] for window in account.windows], [1.0, 0.9, 1.0])
    assert all(np.isfinite(window.x_uv).all() for window in account.windows)


@row
def flat(rig: Rig) -> None:
    """A lead is off for 1 s: its channel is bad and zeroed for the model, the window keeps most of its weight."""
    account = rig.run(steady(4_000).holding(1_400, 2_400, slice(0, 1), 7.0), planned=4_000)
    account.check((0, 4_000))
    same([window.faults[0] for window in account.windows], [(), ("flat",), ()])
    same([window.channel_quality[0] for window in account.windows], [1.0, 0.0, 1.0])
    same([window.sqi for window in account.windows], [1.0, 0.8, 1.0])


@row
def saturated(rig: Rig) -> None:
    """A channel hangs at the amplifier's rail for 1 s: saturated."""
    account = rig.run(steady(4_000).holding(1_400, 2_400, slice(5, 6), 1_000.0), planned=4_000, montage=RAILED)
    account.check((0, 4_000))
    assert "saturated" in account.windows[1].faults[5]
    same([window.channel_quality[5] for window in account.windows], [1.0, 0.0, 1.0])
    same([window.sqi for window in account.windows], [1.0, 0.5, 1.0])


@row
def swamped_by_mains(rig: Rig) -> None:
    """Mains alone on every channel for 1 s: the window is published with no weight, and is not scored."""
    swamp = mains(1_400, 2_400, 500.0)
    account = rig.run(steady(4_000).holding(1_400, 2_400, slice(0, 7), swamp), planned=4_000)
    account.check((0, 4_000))
    same([window.faults for window in account.windows], [((),) * 7, (("mains",),) * 7, ((),) * 7])
    same([(window.sqi, window.weight) for window in account.windows], [(1.0, 1.0), (0.0, 0.0), (1.0, 1.0)])


# -- another stream -----------------------------------------------------------------------------------


@row
def twin_appears(rig: Rig) -> None:
    """A second outlet of the same name and source_id, with another signal: never listened to."""
    first, twin = rig.amplifiers(2)
    first.open(rig.spec())
    rig.listen(planned=3_000)
    origin_s = first.play(steady(3_000))
    rig.await_sample(500)
    twin.open(rig.spec())
    twin.play(steady(3_000, amp=1), origin_s)
    account = rig.finish()
    assert not twin.heard()
    account.check((0, 3_000))
    same(account.decided, ["segment 0 at 0: start"])
