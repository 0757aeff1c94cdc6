"""Real processes, really killed: scorers, zombies and the server itself (law 5)."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter

import pytest

from streaming.committer import Committer
from streaming.connection import connect
from streaming.consumer import Consumer
from streaming.errors import Full, Refused, TransportDown
from streaming.publisher import Publisher
from streaming.results import ResultReader

from .makers import SESSION, make_record, make_result, run_server, until

#: Windows, and faults on the way; hundreds of each were tried by hand.
WINDOWS, FAULTS = int(os.environ.get("FLEXION_WINDOWS", "60")), int(os.environ.get("FLEXION_FAULTS", "12"))


def score(url, name):
    """Be a scorer until the end: read, take a moment, commit; bear a server that comes and goes."""
    client = connect(url, name, blocking=True)
    consumer = Consumer(client, name, lambda: [SESSION], 2, min_idle_s=0.2)
    committer = Committer(client)
    while True:
        try:
            for delivery in consumer.read(0.1):
                time.sleep(0.002)
                committer.commit(delivery, make_result(delivery.index))
        except TransportDown:
            time.sleep(0.01)


class Ward:
    """A server, its scorers, and a bridge that publishes window after window."""

    def __init__(self, server):
        self.server, self.term, self.n_scorers, self.published = server, 0, 0, 0
        self.results = {}
        self.redis = connect(server.url, "bridge")
        self.scorers = [self.scorer() for _ in range(2)]
        self.retrying(self.begin)

    def scorer(self):
        """Start a scorer under a name of its own."""
        self.n_scorers += 1
        process = multiprocessing.get_context("fork").Process(
            target=score, args=[self.server.url, f"s{self.n_scorers}"]
        )
        process.start()
        return process

    def begin(self):
        """Take the next term, put back what the server lacks."""
        self.term += 1
        self.publisher = Publisher(self.redis, SESSION, self.term, max_waiting=8)
        self.done = self.publisher.open(self.results.values())
        self.reader = ResultReader(self.redis, SESSION)
        self.published = 0

    def step(self):
        """Bring results home, publish the next window that has none."""
        for result in self.reader.read():
            self.results.setdefault(result.index, result)
        while self.published in self.done:
            self.published += 1
        if self.published == WINDOWS:
            return self.publisher.check()
        self.publisher.publish(make_record(self.published, self.term, n_samples=10))
        self.published += 1

    def retrying(self, act):
        """Do what a bridge does about each refusal."""
        while True:
            try:
                return act()
            except Refused:
                act = self.begin
            except (Full, TransportDown):
                time.sleep(0.01)
                return None

    def fault(self, random):
        """Let something happen to somebody."""
        victim = random.randrange(2)
        process = self.scorers[victim]
        match random.choice(["kill", "kill", "stop", "server", "wipe"]):
            case "kill":
                process.kill()
                self.scorers[victim] = self.scorer()
            case "stop":
                os.kill(process.pid, signal.SIGSTOP)
                time.sleep(0.25)
                os.kill(process.pid, signal.SIGCONT)
            case "server":
                os.kill(self.server.pid, signal.SIGKILL)
                until(lambda: not self.server.alive)
                self.server.start()
            case "wipe":
                self.redis.flushall()

    def close(self):
        """End every scorer."""
        for process in self.scorers:
            process.kill()
            process.join()


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["system", "bundled"])
def test_nothing_is_lost_or_doubled_when_processes_die(tmp_path, kind):
    """Scorers are killed and frozen, the server is killed and wiped: each window has one result (law 5)."""
    chance = random.Random(7)
    with run_server(tmp_path / "redis", kind) as server:
        ward = Ward(server)
        try:
            for turn in range(100_000):
                ward.retrying(ward.step)
                if turn % 5 == 0 and turn < 5 * FAULTS:
                    ward.retrying(lambda: ward.fault(chance))
                if len(ward.results) == WINDOWS and turn >= 5 * FAULTS:
                    break
                time.sleep(0.002)
        finally:
            ward.close()
        assert sorted(ward.results) == list(range(WINDOWS))
        counts = Counter(result.index for result in ResultReader(ward.redis, SESSION).read())
        assert set(counts.values()) == {1}
