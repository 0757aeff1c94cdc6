"""Swap: when its processes begin and how long they are waited for; they only sleep here, and time is turned."""

from __future__ import annotations

import pytest

from deploy.supervisor import START_SILENCE_S, ChildSpec
from deploy.swap import WARM_S, NotServed, Swap, Wanted, kept
from inference.building import rewritten
from inference.bundle import Bundle
from inference.errors import BundleError

FOREVER = ("sleep", "1000")


@pytest.fixture
def old(supervisor):
    """Return the process that serves."""
    return supervisor.add(ChildSpec("old", FOREVER))


@pytest.fixture
def swap(supervisor, old, models, settings, clock):
    """Return a change to two new processes."""
    specs = [ChildSpec(name, FOREVER) for name in ("first", "second")]
    return Swap(supervisor, Wanted(models, {}), settings, specs, [old], clock.now_s)


def test_new_processes_begin_one_after_another(swap, supervisor, old, clock):
    """The next when the one before it is heard; what served is told to end when the last is, and not before."""
    swap.look([old.pid], clock.now_s)
    [first] = swap.fresh
    swap.look([first.pid], clock.now_s)
    _, second = swap.fresh
    swap.look([first.pid, old.pid], clock.now_s)
    assert (first.spec.name, second.spec.name, old.retired_s) == ("first", "second", None)
    swap.look([second.pid], clock.now_s)
    assert old.retired_s is not None and not swap.look([first.pid], clock.now_s)
    old.process.wait()
    supervisor.look()
    assert swap.look([], clock.now_s) and not swap.answer.done()


def test_one_that_is_not_heard_is_given_up_before_the_supervisor_does(swap, supervisor, old, clock):
    """Each has its own time; the words are of the one that did not begin, and the others end with it."""
    heard = [swap.fresh[0].pid]
    clock.now_s += WARM_S - 1.0
    swap.look(heard, clock.now_s)
    begun_s = clock.now_s
    while not swap.answer.done():
        clock.sleep(1.0)
        supervisor.look([old.pid, *heard])
        swap.look([], clock.now_s)
    assert WARM_S < clock.now_s - begun_s < START_SILENCE_S
    with pytest.raises(NotServed, match=r"is not served: second was not ready within 45 s\. What served"):
        swap.answer.result()
    assert all(child.retired_s is not None for child in swap.fresh) and old.retired_s is None


def test_a_bundle_in_a_folder_with_a_comma_is_not_kept(models, tmp_path):
    """New processes would be told of two folders that are not there."""
    folder = rewritten(models.eeg_emg, tmp_path / "a,b").path
    sha256 = Bundle.load(folder).sha256
    with pytest.raises(BundleError, match=r"a,b has a comma, by which lists of bundles are parted\. Move"):
        kept({sha256: folder})
