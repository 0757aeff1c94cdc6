"""Who may write, and under which term (law 5)."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from streaming import keys
from streaming.errors import Fenced, LeaseHeld, LeaseLost
from streaming.lease import Holder, Lease, started_at

from .makers import until

OTHER = Holder("other", "ward-2", "boot", "pid:[1]", 7, "99")


@pytest.fixture
def lease(redis, session):
    """Return the lease of this process."""
    return Lease(redis, "Bed-4", "amp-4", session)


def other(redis, bed="bed-4", source="amp-4", holder=OTHER, **more):
    """Return a lease of another process."""
    return Lease(redis, bed, source, holder.session, holder=holder, **more)


def test_terms_rise_above_redis_and_folder(redis, session, lease):
    """Each life of a bridge writes under a higher term than all before it (law 5)."""
    assert lease.acquire(0) == 1
    assert lease.acquire(0) == 2
    assert lease.acquire(7) == 8
    redis.flushall()
    assert lease.acquire(8) == 9
    assert redis.get(keys.term(session)) == b"9"


def test_a_lease_that_is_held_names_its_holder(redis, lease):
    """Neither bed nor source can be had twice; bed names do not regard case."""
    other(redis).acquire(0)
    with pytest.raises(LeaseHeld, match=r"held by process 7 on ward-2, session other.* wait 10 s") as caught:
        lease.acquire(0)
    assert "process 7" in caught.value.holder
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(("bed", "source"), [("bed-4", "amp-9"), ("bed-9", "amp-4")])
def test_both_or_none(redis, session, lease, bed, source):
    """When one of the two is held, the other is left alone, and no term is granted."""
    other(redis, bed, source).acquire(0)
    with pytest.raises(LeaseHeld):
        lease.acquire(0)
    assert redis.get(keys.term(session)) is None
    free = {keys.bed_lease("bed-4"), keys.source_lease("amp-4")} - {keys.bed_lease(bed), keys.source_lease(source)}
    assert redis.exists(*free) == 0


@pytest.mark.parametrize("taken", ["amp-4", "emg-4"])
def test_a_second_source_is_leased_with_the_first(redis, session, taken):
    """Of two amplifiers neither can be had by another session, and neither is taken without the other."""
    pair = Lease(redis, "bed-4", "amp-4", session, partner_id="emg-4")
    other(redis, "bed-9", taken).acquire(0)
    with pytest.raises(LeaseHeld):
        pair.acquire(0)
    assert redis.exists(keys.bed_lease("bed-4"), keys.source_lease("amp-4"), keys.source_lease("emg-4")) == 1
    other(redis, "bed-9", taken).release()
    pair.acquire(0)
    with pytest.raises(LeaseHeld, match=f"source {taken}"):
        other(redis, "bed-9", taken).acquire(0)
    pair.release()
    assert redis.exists(keys.bed_lease("bed-4"), keys.source_lease("amp-4"), keys.source_lease("emg-4")) == 0


def test_renewing_keeps_it(redis, lease):
    """A renewal gives ten more seconds, and changes nothing else."""
    lease.acquire(0)
    redis.pexpire(keys.bed_lease("bed-4"), 1000)
    assert lease.renew() is True
    assert 9000 < redis.pttl(keys.bed_lease("bed-4")) <= 10_000
    assert 9000 < redis.pttl(keys.source_lease("amp-4")) <= 10_000


def test_a_lease_that_ran_out_may_be_had_again(redis, lease):
    """Wiped or expired: renewing says so, and acquiring gives a new term."""
    term = lease.acquire(0)
    redis.delete(keys.source_lease("amp-4"))
    assert lease.renew() is False
    assert lease.acquire(term) == term + 1
    assert lease.renew() is True


def test_a_lease_that_another_has_is_lost(redis, lease):
    """A bridge that slept too long finds its successor, and is fenced."""
    lease.acquire(0)
    redis.delete(keys.bed_lease("bed-4"), keys.source_lease("amp-4"))
    other(redis).acquire(0)
    with pytest.raises(LeaseLost, match="went to process 7 on ward-2") as caught:
        lease.renew()
    assert isinstance(caught.value, Fenced)
    assert caught.value.holder == "process 7 on ward-2, session other"


def test_releasing_leaves_the_successors_lease(redis, session, lease):
    """Only what is still ours is given back."""
    lease.acquire(0)
    lease.release()
    assert other(redis).acquire(0) == 1
    lease.release()
    assert redis.exists(keys.bed_lease("bed-4"), keys.source_lease("amp-4")) == 2


def test_a_source_without_a_name_takes_the_bed_alone(redis, session):
    """A source that has no identifier cannot be told from another."""
    assert Lease(redis, "bed-4", "", session).acquire(0) == 1
    assert Lease(redis, "bed-5", "", session).acquire(0) == 2


def test_a_successor_need_not_wait_for_a_process_that_is_gone(redis, session):
    """On the same machine, a lease whose process has ended is taken at once."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    holder = replace(Holder.of_this_process("old"), pid=child.pid, started=started_at(child.pid))
    other(redis, holder=holder).acquire(0)
    with pytest.raises(LeaseHeld):
        Lease(redis, "bed-4", "amp-4", session).acquire(0)
    child.kill()
    child.wait()
    assert Lease(redis, "bed-4", "amp-4", session).acquire(5) == 6


def test_bed_and_source_may_be_left_by_two_that_are_gone(redis, session):
    """Each dead holder is found out in turn."""
    gone = replace(Holder.of_this_process("old"), started="1")
    other(redis, "bed-4", "amp-8", holder=gone).acquire(0)
    other(redis, "bed-8", "amp-4", holder=replace(gone, session="older")).acquire(0)
    assert Lease(redis, "bed-4", "amp-4", session).acquire(0) == 1


@pytest.mark.parametrize("change", [{"host": "x"}, {"boot_id": "x"}, {"pid_space": "x"}, {"started": ""}])
def test_nothing_is_known_of_processes_elsewhere(change):
    """Another machine, another start of it, another container: its lease must run out by itself."""
    gone = replace(Holder.of_this_process("s"), pid=2**22 + 1, started="1")
    assert gone.is_gone()
    assert not replace(gone, **change).is_gone()


def test_a_zombie_process_is_gone():
    """A process that ended, and that its parent has not looked at, holds nothing."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert started_at(child.pid) is None
    assert child.wait() == 0


def test_a_lease_runs_out(redis, session):
    """Nobody needs to give a lease back: after its time another may have it."""
    other(redis, ttl_s=0.02).acquire(0)
    lease = Lease(redis, "bed-4", "amp-4", session)
    until(lambda: not redis.exists(keys.bed_lease("bed-4"), keys.source_lease("amp-4")))
    assert lease.acquire(0) == 1
