"""The fault table: each row plays one fault into a session on a real LSL stream, and says what must come of it.

What holds of every session (``Account.of``) is checked in every row: the folder gives ledger and windows again bit for
bit, no window spans a gap, every recorded sample is one that was sent.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from acquisition.discovery import SourceSpec, bind_stream
from acquisition.errors import AmbiguousStream, RateError

from .account import Account, same
from .amplifier import Amplifier
from .rig import Rig
from .script import COUNTED, LABELS, MONTAGE, RAILED, mains, steady

Row = Callable[[Rig], None]
#: Every row by its name, in the order of the docs.
TABLE: dict[str, Row] = {}


def row(play: Row) -> Row:
    """Enter a row into the table."""
    TABLE[play.__name__.replace("_", "-")] = play
    return play


# -- the source goes away -----------------------------------------------------------------------------


def begin(rig: Rig, amplifiers: int, *, planned: int, played: int = 1_500) -> tuple[list[Amplifier], float]:
    """Return amplifiers, of which the first has played so many samples of a session, and when it began."""
    first, *others = rig.amplifiers(amplifiers)
    first.open(rig.spec())
    rig.listen(planned=planned)
    origin_s = first.play(steady(planned))
    rig.await_sample(played)
    return [first, *others], origin_s


def check_away(account: Account) -> None:
    """After its first stretch nothing of the source was taken, up to the planned end."""
    ((_, stop),) = account.spans()
    account.check((0, stop))
    same(account.decided, ["segment 0 at 0: start", f"lost {account.planned - stop}: absent"])
    same(account.notices, [f"{account.planned - stop} samples lost (absent)"])
    assert account.saw("LIVE", "LOST"), account.states


def check_back(account: Account) -> None:
    """Two stretches came, the second to the planned end; what lay between is lost by its stamps."""
    (_, stop), (back, end) = account.spans()
    same(end, account.planned)
    account.check((0, stop), (back, end))
    lost = f"lost {back - stop}: gap"
    same(account.decided, ["segment 0 at 0: start", lost, f"segment 1 at {back}: gap"])
    same(account.notices, [f"{back - stop} samples lost (gap)"])


@row
def killed(rig: Rig) -> None:
    """Never heard of again: what it did not send until the planned end is lost, and the session ends by itself."""
    (amplifier,), _ = begin(rig, 1, planned=3_000)
    amplifier.kill()
    check_away(rig.finish())


@row
def restarted(rig: Rig) -> None:
    """Back under its source_id, with a new uid: a new segment, what lay between is lost by its stamps."""
    (first, second), origin_s = begin(rig, 2, planned=6_000)
    first.kill()
    rig.await_state("LOST")
    second.open(rig.spec())
    second.play(steady(6_000, amp=1), origin_s)
    account = rig.finish()
    check_back(account)
    assert account.saw("LIVE", "LOST", "SETTLING", "LIVE"), account.states


@row
def cut_off(rig: Rig) -> None:
    """The connection breaks and the outlet lives on: the same uid is taken again at once, what nobody heard is lost."""
    begin(rig, 1, planned=5_000)
    uid = rig.uid
    rig.cut()
    rig.await_state("LOST")
    rig.await_state("SETTLING", "LIVE")
    same(rig.uid, uid)
    account = rig.finish()
    check_back(account)
    assert account.saw("LIVE", "LOST", "SETTLING", "LIVE"), account.states


@row
def restarted_as_another(rig: Rig) -> None:
    """Back under another source_id: not the same source, never taken; the session waits for its own."""
    (first, second), origin_s = begin(rig, 2, planned=4_000)
    first.kill()
    second.open(rig.spec(source_id=f"{rig.source_id}-other"))
    second.play(steady(4_000, amp=1), origin_s)
    account = rig.finish()
    assert not second.heard()
    check_away(account)


@row
def back_at_another_rate(rig: Rig) -> None:
    """Back with another nominal rate: refused with both rates, never taken."""
    (first, second), origin_s = begin(rig, 2, planned=4_000)
    first.kill()
    second.open(rig.spec(rate_hz=500.0))
    second.play(steady(4_000, amp=1).paced(500.0), origin_s)
    rig.await_cause("came back with 500 Hz instead of 1000")
    account = rig.finish()
    assert not second.heard()
    check_away(account)


@row
def back_with_another_label(rig: Rig) -> None:
    """Back with a channel of another name: refused with both names; set right and started again, it is taken."""
    (first, wrong, right), origin_s = begin(rig, 3, planned=8_000)
    first.kill()
    wrong.open(rig.spec(labels=("Cz", *LABELS[1:])))
    rig.await_cause("came back with channel Cz instead of C3")
    assert not wrong.heard()
    wrong.kill()
    right.open(rig.spec())
    right.play(steady(8_000, amp=1), origin_s)
    check_back(rig.finish())


@row
def back_twice(rig: Rig) -> None:
    """Two are there under its name and source_id when it dies: neither is taken until one of them is gone."""
    (first, second, third), origin_s = begin(rig, 3, planned=10_000)
    second.open(rig.spec())
    third.open(rig.spec())
    rig.wait(1.0)
    first.kill()
    rig.await_cause("2 streams are")
    assert not second.heard() and not third.heard()
    third.kill()
    second.play(steady(10_000, amp=1), origin_s)
    check_back(rig.finish())


@row
def rebooted(rig: Rig) -> None:
    """Back with a clock that began anew: a clock reset, and what is lost is the time that passed by our clock."""
    (first, second), origin_s = begin(rig, 2, planned=12_000)  # longer than a slow machine takes to find it again
    first.kill()
    rig.await_state("LOST")
    second.open(rig.spec())
    second.play(steady(15_000, amp=1).stamped(0, -origin_s + 10.0), origin_s)
    account = rig.finish()
    (_, stop), (back, end) = account.spans()
    # Found again at once, it has lost so little that our clock may see nothing of it.
    lost = sum(decision.data["n"] for decision in account.decisions if decision.kind == "lost")
    again = stop + lost
    assert abs(again - back) < 1_000, f"lost {lost} where {back - stop} were missing"
    account.check((0, stop), (again, 12_000), clock_resets=1, shift={back: back - again})
    same(end, 12_000 + back - again)
    reset = ["clock reset", f"segment 1 at {again}: clock_reset"]
    same(account.decided, ["segment 0 at 0: start", *([f"lost {lost}: gap"] if lost else []), *reset])


@row
def frozen(rig: Rig) -> None:
    """Its process stopped for 5 s, the connection up: stalled, then late if catching up takes more than one pull."""
    (amplifier,), _ = begin(rig, 1, planned=8_000)
    amplifier.freeze()
    rig.wait(5.0)
    amplifier.thaw()
    account = rig.finish()
    account.check((0, 8_000))
    same(account.decided, ["segment 0 at 0: start"])
    same(account.notices, [])
    assert account.saw("LIVE", "STALLED", "LIVE"), account.states


@row
def frozen_and_replaced(rig: Rig) -> None:
    """Started again while the old process hangs, its connection up: the new one is taken, the old one let go."""
    (first, second), origin_s = begin(rig, 2, planned=7_000)
    first.freeze()
    rig.await_state("STALLED")
    second.open(rig.spec())
    second.play(steady(7_000, amp=1), origin_s)
    account = rig.finish()
    check_back(account)
    assert account.saw("LIVE", "STALLED", "SETTLING", "LIVE"), account.states


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
    assert account.saw("LIVE", "SETTLING", "LIVE"), account.states


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


# -- another rate, another stream -----------------------------------------------------------------------


@row
def rate_untrue(rig: Rig) -> None:
    """It states 1000 Hz and runs at 980: refused with both figures before the first window."""
    with pytest.raises(RateError, match="states 1000 Hz, but by its own stamps it runs at 980.00 Hz"):
        rig.run(steady(4_000).paced(980.0), planned=4_000)


@row
def rate_untrue_when_back(rig: Rig) -> None:
    """Back at 900 Hz where it states 1000, later than its session may be refused: left again with both figures."""
    (first, second), origin_s = begin(rig, 2, planned=60_000, played=15_000)
    first.kill()
    rig.await_state("LOST")
    second.open(rig.spec())
    second.play(steady(20_000, amp=1).paced(900.0), origin_s)
    rig.await_cause("states 1000 Hz, but by its own stamps it runs at 900.00 Hz")
    rig.end()
    account = rig.finish()
    assert not second.heard()
    assert account.decided[-1].endswith("absent"), account.decided


@row
def two_of_a_name(rig: Rig) -> None:
    """Two outlets of one name before the start: refused with both in the words, none is listened to."""
    first, second = rig.amplifiers(2)
    first.open(rig.spec())
    second.open(rig.spec(source_id=f"{rig.source_id}-other"))
    with pytest.raises(AmbiguousStream, match=rig.source_id) as refusal:
        bind_stream(SourceSpec(name=rig.name), MONTAGE)
    assert f"{rig.source_id}-other" in refusal.value.message and "source_id" in refusal.value.remedy
    assert not first.heard() and not second.heard()


@row
def twin_appears(rig: Rig) -> None:
    """A second outlet of the same name and source_id, with another signal, while the first plays: never heard."""
    (_, twin), origin_s = begin(rig, 2, planned=4_000)
    twin.open(rig.spec())
    twin.play(steady(4_000, amp=1), origin_s)
    account = rig.finish()
    assert not twin.heard()
    account.check((0, 4_000))
    same(account.decided, ["segment 0 at 0: start"])
