"""Kill anything at any time: every window has exactly one result in the end (law 5).

A model of the whole backbone: a session folder, bridges that die and come back as zombies, scorers that die between
every two steps, and a real server that is killed, wiped, or loses the tail of what it held.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import wraps
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from streaming import keys
from streaming.committer import Committer
from streaming.connection import connect
from streaming.consumer import Consumer
from streaming.errors import Fenced, Full, Refused, TransportDown
from streaming.lease import Holder, Lease
from streaming.publisher import Publisher
from streaming.records import ResultRecord
from streaming.results import ResultReader

from .makers import SESSION, make_record, make_result, until

#: Windows that may wait; small, so that the machine often runs into it.
MAX_WAITING = 4


def patient(act):
    """Repeat an act for as long as a busy machine keeps the server from answering; every act bears that (law 5)."""

    @wraps(act)
    def repeated(*args, **more):
        for _ in range(20):
            try:
                return act(*args, **more)
            except TransportDown as error:
                last = error
        raise last

    return repeated


@dataclass
class Folder:
    """What a session folder remembers."""

    term: int = 0
    made: int = 0
    results: dict[int, ResultRecord] = field(default_factory=dict)


class Bridge:
    """What a bridge does with Redis, in the order that the publisher's module prescribes."""

    def __init__(self, redis, folder, life):
        self.folder, self._redis = folder, redis
        # Its process is gone as soon as it began, as far as the kernel knows: a successor need not wait.
        holder = replace(Holder.of_this_process(SESSION), pid=2**22 + life, started="1")
        self.lease = Lease(redis, "bed", "amp", SESSION, holder=holder)
        self.begin()

    @patient
    def begin(self):
        self.folder.term = self.lease.acquire(self.folder.term)
        self.publisher = Publisher(self._redis, SESSION, self.folder.term, max_waiting=MAX_WAITING)
        done = self.publisher.open(self.folder.results.values())
        self.waiting = [index for index in range(self.folder.made) if index not in done]
        self.reader = ResultReader(self._redis, SESSION)
        self.collect()

    def make(self):
        self.waiting.append(self.folder.made)
        self.folder.made += 1

    @patient
    def publish(self):
        """Publish what waits, in order; begin anew after a refusal."""
        try:
            self.publisher.check()
        except Refused:
            self.begin()
        while self.waiting and self.send(self.waiting[0]):
            self.waiting.pop(0)

    @patient
    def send(self, index):
        """Publish one window; False if it must wait, or everything is to begin anew."""
        try:
            self.publisher.publish(make_record(index, term=self.publisher.term, n_samples=1))
        except Full:
            return False
        except Refused:
            self.begin()
            return False
        return True

    @patient
    def collect(self):
        for result in self.reader.read():
            self.folder.results.setdefault(result.index, result)


class Backbone(RuleBasedStateMachine):
    """Everything that may happen, in any order."""

    deliveries = Bundle("deliveries")

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.redis = connect(server.url, "bridge")
        self.redis.flushall()
        self.folder, self.lives, self.zombies = Folder(), 1, []
        self.bridge = Bridge(self.redis, self.folder, self.lives)
        # A second passes whenever anybody looks: nothing in the model waits for a real one.
        self.clock = count().__next__
        self.scorers = {name: self.scorer(name) for name in ("a", "b")}
        self.tail = None

    def scorer(self, name):
        client = connect(self.server.url, name, blocking=True)
        return Consumer(client, name, lambda: [SESSION], 2, min_idle_s=0.0, clock=self.clock, wait=lambda s: None)

    @rule(n=st.integers(1, 3))
    def bridge_makes_windows(self, n):
        for _ in range(n):
            self.bridge.make()
        self.bridge.publish()

    @rule(back=st.integers(1, 3))
    def bridge_sends_again(self, back):
        """A reply was lost: the same window is published once more."""
        index = self.folder.made - back
        if index >= 0 and index not in self.bridge.waiting:
            self.bridge.send(index)

    @rule()
    def bridge_collects(self):
        self.bridge.collect()

    @rule()
    def bridge_is_replaced(self):
        """The old one may wake up at any time."""
        self.zombies.append(self.bridge)
        self.lives += 1
        self.bridge = Bridge(self.redis, self.folder, self.lives)

    @rule()
    def zombies_publish(self):
        for zombie in self.zombies:
            with pytest.raises((Fenced, Refused)):
                patient(zombie.publisher.publish)(
                    make_record(self.folder.made, term=zombie.publisher.term, n_samples=1)
                )

    @rule(target=deliveries, name=st.sampled_from(["a", "b"]))
    def scorer_reads(self, name):
        return patient(self.scorers[name].read)(0)

    @rule(batch=consumes(deliveries), logit=st.floats(-2, 2), twice=st.booleans())
    def scorer_commits(self, batch, logit, twice):
        for delivery in batch:
            for _ in range(1 + twice):
                patient(Committer(self.redis).commit)(delivery, make_result(delivery.index, logit=logit))

    @rule(batch=consumes(deliveries))
    def scorer_loses_a_batch(self, batch):
        """It died before the commit."""

    @rule(name=st.sampled_from(["a", "b"]))
    def scorer_is_started_anew(self, name):
        self.scorers[name] = self.scorer(name)

    @rule()
    @patient
    def server_is_wiped(self):
        self.redis.flushall()

    @rule()
    def server_is_killed(self):
        os.kill(self.server.pid, signal.SIGKILL)
        until(lambda: not self.server.alive)
        self.server.start()

    @rule()
    @patient
    def moment_passes(self):
        """What the server has now may be all that it has after a power cut."""
        self.tail = {key: self.redis.dump(key) for key in self.redis.scan_iter()}

    @rule()
    @patient
    def server_loses_its_tail(self):
        """A power cut: what was written last is gone, and the server starts with what it had."""
        if self.tail is None:
            return
        self.redis.flushall()
        for key, value in self.tail.items():
            self.redis.restore(key, 0, value)
        self.server_is_killed()

    @invariant()
    @patient
    def no_window_has_two_results(self):
        counts = Counter(result.index for result in ResultReader(self.redis, SESSION).read())
        assert not [index for index, n in counts.items() if n > 1]
        assert {str(index).encode() for index in counts} == set(self.redis.hkeys(keys.done(SESSION)))

    def teardown(self):
        """Left alone, the backbone finishes: every window has its one result, in Redis and in the folder."""
        for _ in range(20 + 4 * self.folder.made):
            self.bridge.publish()
            for scorer in self.scorers.values():
                self.scorer_commits(patient(scorer.read)(0), 0.5, False)
            self.bridge.collect()
        assert sorted(self.folder.results) == list(range(self.folder.made))
        self.no_window_has_two_results()
        assert self.redis.xlen(keys.windows(SESSION)) == 0
        assert self.redis.hlen(keys.done(SESSION)) == self.folder.made


@pytest.mark.faults
def test_every_window_has_exactly_one_result_in_the_end(server):
    """Whatever is killed, wiped, repeated or taken over, in any order (laws 2 and 5)."""
    run_state_machine_as_test(
        lambda: Backbone(server),
        settings=settings(
            max_examples=int(os.environ.get("FLEXION_EXAMPLES", "12")),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
