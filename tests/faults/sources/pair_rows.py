"""Rows of the fault table about a second stream: it drifts, is late, goes away, comes back."""

from __future__ import annotations

from .account import same
from .pair import Pair, PairAccount, eeg, emg
from .rig import Rig
from .rows import row


def slips(account: PairAccount, n_pairings: int = 1) -> list[int]:
    """Return by how much the partner's place moved while it was paired, beyond the pairings' own places.

    On a busy machine the first measurement of a clock may be off: then the first samples find no partner, and a better
    measurement sets the place right, by no more than the session itself leaves in doubt.
    """
    moved = [d.data["n"] for d in account.of_kind("slip")]
    same(moved.count(0), n_pairings)
    rest = [n for n in moved if n]
    assert all(abs(n) <= account.doubt for n in rest), moved
    return rest


@row
def pair(rig: Rig) -> None:
    """Two amplifiers without a fault: every row has its partner, nothing is lost, the time is theirs."""
    both = Pair(rig)
    both.open()
    both.listen(planned=4_000)
    both.play(4_000)
    account = both.finish()
    moved = slips(account)
    assert len(moved) <= 1
    assert account.ledger["received"] >= 4_000 - account.doubt - abs(sum(moved)), account.ledger
    aligned = account.bed.folder.ledger()["alignment"]
    assert aligned["error_s"] < 1e-3 and aligned["uncertainty_s"] < 5e-3 and aligned["slips"] == len(moved)


@row
def partner_fast(rig: Rig) -> None:
    """The partner's clock runs 500 ppm fast: every 2 s one of its samples is not taken, and nothing is lost."""
    both = Pair(rig)
    both.open()
    both.listen(planned=10_000)
    both.play(10_000, ppm=500.0)
    account = both.finish()
    moved, doubt = slips(account), account.doubt
    on = sum(n for n in moved if n > 0)
    assert -5 - doubt <= sum(moved) <= -4 + doubt and on <= doubt, moved
    same(sum(d.data["n"] for d in account.of_kind("unpaired", "slip")), on - sum(moved))
    same(account.ledger["bridged"], on)
    assert account.ledger["declared_lost"] - on <= doubt, account.ledger


@row
def partner_slow(rig: Rig) -> None:
    """It runs 500 ppm slow: every 2 s a row has no partner, and a line stands for it."""
    both = Pair(rig)
    both.open()
    both.listen(planned=10_000)
    both.play(10_000, ppm=-500.0)
    account = both.finish()
    moved, doubt = slips(account), account.doubt
    on = sum(n for n in moved if n > 0)
    assert 4 - doubt <= sum(moved) <= 5 + doubt and on - sum(moved) <= doubt, moved
    same(account.ledger["bridged"], on)
    assert 0 <= account.ledger["rejected"]["unpaired"] - on <= doubt, account.ledger
    assert account.ledger["declared_lost"] - on <= doubt, account.ledger


@row
def partner_late(rig: Rig) -> None:
    """What it takes from 1.5 s to 3 s comes a second late, beyond the 500 ms that a row waits: that span is lost."""
    both = Pair(rig)
    both.open()
    both.listen(planned=8_000)
    both.play(8_000, late=(1.5, 3.0, 1.0))
    account = both.finish()
    lost = sum(d.data["n"] for d in account.of_kind("lost", "partner"))
    late = sum(d.data["n"] for d in account.of_kind("unpaired", "late"))
    assert 1_000 <= lost <= 2_500 and late >= 1_000
    same(account.ledger["rejected"]["unpaired"], lost)
    same(account.ledger["received"], 8_000 - lost)
    # While it catches up, a busy machine may come too late for a few rows more: then there is another gap.
    first, *others = [d.data["reason"] for d in account.of_kind("segment")]
    assert first == "start" and set(others) == {"gap"}


@row
def partner_killed(rig: Rig) -> None:
    """It dies and never comes back: the session goes on to its planned end, what lacks its samples is lost."""
    both = Pair(rig)
    both.open()
    both.listen(planned=5_000)
    both.play(5_000)
    rig.await_sample(2_000)
    both.amplifiers[1].kill()
    account = both.finish()
    assert next(cause for state, cause in account.states if state == "LOST").startswith("Emg: ")
    lost = account.ledger["declared_lost"]
    same(account.ledger["received"] + lost, 5_000)
    same({d.data["reason"] for d in account.of_kind("lost")} - {"absent"}, {"partner"})
    same(account.notices.count("Samples are lost: the second stream lacks theirs"), 1)


@row
def partner_restarted(rig: Rig) -> None:
    """It dies and is started again: a new segment begins where both are there again."""
    both = Pair(rig, 3)
    both.open()
    both.listen(planned=9_000)
    origin_s = both.play(9_000)
    rig.await_sample(2_000)
    both.amplifiers[1].kill()
    rig.await_state("LOST")
    both.amplifiers[2].open(both.emg_spec)
    both.amplifiers[2].play(emg(11_000), origin_s)
    account = both.finish()
    same([d.data["reason"] for d in account.of_kind("segment")], ["start", "gap"])
    same({d.data["reason"] for d in account.of_kind("lost")}, {"partner"})
    assert len(slips(account, n_pairings=2)) <= 1
    assert 0 < account.ledger["declared_lost"] < 6_000


@row
def partner_frozen(rig: Rig) -> None:
    """It freezes for 3 s with its connections up, and then sends everything at once: what waited too long is lost."""
    both = Pair(rig)
    both.open()
    both.listen(planned=12_000)
    both.play(12_000)
    rig.await_sample(2_000)
    both.amplifiers[1].freeze()
    rig.await_state("STALLED")
    rig.wait(2.0)
    both.amplifiers[1].thaw()
    account = both.finish()
    assert any(state == "STALLED" and cause.startswith("Emg: ") for state, cause in account.states)
    same([d.data["reason"] for d in account.of_kind("segment")], ["start", "gap"])
    assert account.of_kind("unpaired", "late")


@row
def signal_frozen(rig: Rig) -> None:
    """The first stream freezes for 2 s and then sends everything at once: its partner has waited, nothing is lost."""
    both = Pair(rig)
    both.open()
    both.listen(planned=7_000)
    both.play(7_000)
    rig.await_sample(2_000)
    both.amplifiers[0].freeze()
    rig.await_state("STALLED")
    rig.wait(1.0)
    both.amplifiers[0].thaw()
    account = both.finish()
    assert account.ledger["received"] >= 7_000 - account.doubt - abs(sum(slips(account))), account.ledger
    same([d.data["reason"] for d in account.of_kind("segment")], ["start"])


@row
def both_killed(rig: Rig) -> None:
    """Both die, and come back one after the other: one new segment, from where both are there."""
    both = Pair(rig, 4)
    both.open()
    both.listen(planned=10_000)
    origin_s = both.play(10_000)
    rig.await_sample(2_000)
    for amplifier in both.amplifiers[:2]:
        amplifier.kill()
    rig.await_state("LOST")
    both.amplifiers[3].open(both.emg_spec)
    both.amplifiers[3].play(emg(12_000), origin_s)
    rig.wait(1.0)
    both.amplifiers[2].open(both.eeg_spec)
    both.amplifiers[2].play(eeg(12_000), origin_s)
    account = both.finish()
    same(account.ledger["received"] + account.ledger["declared_lost"], 10_000)
    same([d.data["reason"] for d in account.of_kind("segment")], ["start", "gap"])


@row
def partner_away_at_the_end(rig: Rig) -> None:
    """A person ends the session while the partner is away: what it lacks is lost up to that moment."""
    both = Pair(rig)
    both.open()
    both.listen(planned=60_000)
    both.play(10_000)
    rig.await_sample(2_000)
    both.amplifiers[1].kill()
    rig.await_state("LOST")
    rig.wait(2.0)
    rig.end()
    account = both.finish()
    assert 1_500 <= account.ledger["declared_lost"] < 60_000 - account.ledger["received"]
    same({d.data["reason"] for d in account.of_kind("lost")}, {"partner", "absent"})
    same([d.data["reason"] for d in account.of_kind("end")], ["user"])


@row
def bridge_restarted_without_partner(rig: Rig) -> None:
    """Another life of the bridge begins while the partner is away: the session goes on, and finds it again."""
    both = Pair(rig, 3)
    both.open()
    both.listen(planned=14_000)
    origin_s = both.play(14_000)
    rig.await_sample(2_000)
    both.amplifiers[1].kill()
    rig.await_state("LOST")
    rig.restart()
    rig.await_cause("Emg: ")
    rig.await_sample(5_000)
    both.amplifiers[2].open(both.emg_spec)
    both.amplifiers[2].play(emg(16_000), origin_s)
    account = both.finish()
    same(account.bed.again().folder.part_numbers(), [1, 2])
    same(account.ledger["received"] + account.ledger["declared_lost"], 14_000)
    same({d.data["reason"] for d in account.of_kind("lost")}, {"partner", "resume"})
    same([d.data["reason"] for d in account.of_kind("segment")], ["start", "resume"])
    back = account.of_kind("segment")[1].data["first_sample"]
    assert 5_000 <= back < 14_000
    same([d.data["n"] for d in account.of_kind("bridged")], [])
    assert 0 <= account.ledger["received"] - (14_000 - back) - 2_000 < 1_000
