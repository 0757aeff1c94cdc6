"""Scorer: the process that takes windows from Redis, scores them and commits each result by itself (law 5).

It may be killed at any time: what was read and not committed is handed over again. A window that makes the engine fail
is tried alone, so that it takes no neighbour with it, and is left for the consumer to hand over again; after three
deliveries it becomes a dead letter.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import structlog
from redis import Redis

from inference.batching import batches, gather_s
from inference.beacon import Beacon
from inference.bundle import Bundle
from inference.canary import INTERVAL_S as CANARY_S
from inference.canary import Canary
from inference.engines.choice import DEFAULT_ORDER, choose
from inference.engines.engine import Engine, EngineInfo
from inference.engines.parity import Parity
from inference.engines.registry import ON_GPU
from inference.errors import EngineDrift, EngineError
from inference.patience import RETRY_S, Patience
from inference.proving import Proving
from inference.scoring import score
from inference.stages import Histograms, Watch
from inference.standby import Standby
from streaming.committer import Committer
from streaming.connection import connect
from streaming.consumer import Consumer
from streaming.delivery import Delivery
from streaming.errors import TransportDown
from streaming.events import EventLog
from streaming.heartbeat import INTERVAL_S, Heartbeat
from streaming.records import ResultRecord
from streaming.sessions import Registry

#: Seconds to wait for a new window; a stop is noticed at most this late.
BLOCK_S = 0.5
#: Windows scored at once on a core. The paper's LSTM on a busy one: 120 ms for one, 76 ms each for four, 75 ms each for
#: eight; and a batch must end long before its windows are handed to another scorer.
TOGETHER = 4
#: Seconds after which windows that still wait for their batch are held, a third of the time that frees them for others.
HOLD_S = 1.0

log = structlog.get_logger("scorer")


@dataclass(frozen=True)
class Served:
    """A bundle, the engine that runs it in this process, and what is left of that one's self-check."""

    bundle: Bundle
    engine: Engine
    further: Iterator[Parity] = field(default_factory=lambda: iter(()))


class Scorer:
    """The loop consumer -> score -> commit.

    Parameters
    ----------
    consumer : Consumer
        Hands windows over.
    committer : Committer
        Stores results.
    served : sequence of Served
        The models of this process, at least one; a window of another bundle gets a result that says so.
    heartbeat : Heartbeat
        On a client of its own, since it beats from a thread.
    stop : threading.Event
        Ends the loop; what was read is finished first.
    standby : Standby, optional
        Says when this scorer is needed; without one it always takes windows.
    tell : callable
        Takes the error of an engine that has changed, before this process ends by it.
    clock : callable
        Monotonic seconds.
    retry_s, beat_s, canary_s : float
        Seconds between attempts while Redis is away, between heartbeats, and between two looks at an engine.
    """

    def __init__(
        self,
        consumer: Consumer,
        committer: Committer,
        served: Sequence[Served],
        heartbeat: Heartbeat,
        stop: threading.Event,
        *,
        standby: Standby | None = None,
        tell: Callable[[EngineError], None] = lambda error: None,
        clock: Callable[[], float] = time.monotonic,
        retry_s: float = RETRY_S,
        beat_s: float = INTERVAL_S,
        canary_s: float = CANARY_S,
    ) -> None:
        self._consumer = consumer
        self._committer = committer
        self._served = {one.bundle.sha256: one for one in served}
        self._first = served[0]
        self._clock = clock
        self._patience = Patience("scorer", stop, retry_s=retry_s)
        self._beacon = Beacon(heartbeat, self._info, clock=clock, interval_s=beat_s)
        self._backlog: deque[list[Delivery]] = deque()
        self._unsent: deque[tuple[Delivery, ResultRecord]] = deque()
        self._tally: Counter[str] = Counter()
        self._standby = standby
        self._waits = standby is not None
        self._tell = tell
        self._canaries = [Canary(one.bundle, one.engine, clock=clock, interval_s=canary_s) for one in served]
        self._provings = [Proving(one.bundle, one.engine, one.further, TOGETHER) for one in served]
        self._stages = Histograms()
        self._drifted = self._fallback = 0
        self._held_s = self._came_s = clock()

    def run(self) -> None:
        """Score until told to stop; its first heartbeat says that every engine has passed its golden windows.

        Raises
        ------
        EngineError
            If a canary finds that an engine has changed: nothing in this process is to be trusted any more.
        DeviceLost
            If the GPU failed under an engine; what was read and not committed goes to another scorer.
        """
        bundles = [one.bundle.words for one in self._served.values()]
        log.info("scorer_begun", bundles=bundles, engine=self._first.engine.info.to_json())
        with self._beacon:
            self._patience.repeat(self._turn, on_loss=self._beacon.mark)
        log.info("scorer_ended", **self._tally)

    def _turn(self) -> None:
        """Read, score, commit; what an outage interrupted is finished first."""
        self._beacon.mark()
        self._commit()
        if not self._backlog:
            self._backlog.extend(batches(self._gather(), self._size))
        while self._backlog:
            self._hold()
            self._unsent.extend(self._score(self._backlog.popleft()))
            self._commit()
            self._beacon.mark()
        self._look_at_engines()

    def _gather(self) -> list[Delivery]:
        """Read windows, and on a GPU those that come within a moment and can share their batch.

        Should Redis go away meanwhile, what was read is handed to this scorer again when it is back.
        """
        if not self._is_needed():
            return []
        found = self._consumer.read(BLOCK_S)
        self._held_s = self._came_s = self._clock()
        while wait_s := gather_s(found, self._consumer.n_sessions, self._room, self._clock() - self._came_s):
            found += self._consumer.read(wait_s)
        return found

    def _is_needed(self) -> bool:
        """Return whether to take windows; what this scorer has already it scores in any case."""
        waits = self._standby is not None and not self._standby.needed(BLOCK_S)
        if waits != self._waits:
            log.info("scorer_waits" if waits else "scorer_takes_over", engine=self._first.engine.info.to_json())
        self._waits = waits
        return not waits

    def _size(self, sha256: str) -> int:
        """Return the most windows of a model in one batch: one, unless its engine has shown that batches are safe."""
        info = self._engine_of(sha256)
        return info.max_batch if info.backend in ON_GPU else min(TOGETHER, info.max_batch)

    def _room(self, sha256: str) -> int:
        """Return the windows of a model that are worth waiting for: those of a batch on a GPU, on a core one.

        On a core a window of a batch costs most of what it costs alone, and two beds seldom give theirs within a
        moment: nearly every window would wait for nobody.
        """
        return self._size(sha256) if self._engine_of(sha256).backend in ON_GPU else 1

    def _engine_of(self, sha256: str) -> EngineInfo:
        """Return what runs a model; for a model that is not served here, what would say so."""
        return self._served.get(sha256, self._first).engine.info

    def _look_at_engines(self) -> None:
        """Let self-checks go on and canaries look; this process ends by what they find, and says so before."""
        try:
            for proving in self._provings:
                proving.go_on()
            self._look_at_canaries()
        except EngineDrift as error:
            self._beacon.beat()
            self._tell(error)
            log.error("engine_changed", cause=str(error))
            raise

    def _look_at_canaries(self) -> None:
        try:
            for canary in self._canaries:
                canary.look()
        except EngineDrift:
            self._drifted += 1
            raise

    def _score(self, batch: Sequence[Delivery]) -> list[tuple[Delivery, ResultRecord]]:
        """Return the results of a batch; if the engine fails on it, of each window that it does not fail on."""
        waited_s = self._clock() - self._came_s
        try:
            results = self._results(batch)
        except EngineError as error:
            if len(batch) > 1:
                return [pair for delivery in batch for pair in self._score([delivery])]
            [delivery] = batch
            self._tally["failed"] += 1
            log.error("window_failed", session=delivery.session, index=delivery.index, cause=str(error),
                      deliveries=delivery.deliveries)  # fmt: skip
            return []
        timed = [result.with_stage("queue", waited_s) for result in results]
        for result in timed:
            self._stages.add(result.stages_s)
        return list(zip(batch, timed, strict=True))

    def _results(self, batch: Sequence[Delivery]) -> list[ResultRecord]:
        """Score the windows of a batch, all of one model; one that is not served says so in their results."""
        one, watch = self._served.get(batch[0].model, self._first), Watch(self._clock)
        results = score(one.engine, one.bundle, [delivery.record for delivery in batch], watch)
        return [replace(result, stages_s=watch.seconds) if result.engine else result for result in results]

    def _commit(self) -> None:
        """Commit each result by itself; one that an outage interrupts is committed again, which is harmless."""
        while self._unsent:
            delivery, result = self._unsent[0]
            first = self._committer.commit(delivery, result)
            self._unsent.popleft()
            self._tally[result.state if first else "repeated"] += 1
            self._fallback += bool(first and result.engine and result.engine["degraded"])

    def _hold(self) -> None:
        """Keep the windows whose turn comes late from being handed to another scorer meanwhile."""
        if self._clock() - self._held_s > HOLD_S:
            self._consumer.hold(delivery for batch in self._backlog for delivery in batch)
            self._held_s = self._clock()

    def _info(self) -> Mapping[str, Any]:
        return {
            "bundles": [one.bundle.to_json() for one in self._served.values()],
            "engine": self._first.engine.info.to_json(),
            "windows": dict(self._tally),
            "waiting": len(self._unsent) + sum(map(len, self._backlog)),
            "trouble": self._patience.trouble,
            "standby": self._waits,
            "fallback": self._fallback,
            "stages": self._stages.to_json(),
            "canary": {"looks": sum(canary.looks for canary in self._canaries), "drifted": self._drifted},
        }


def open_scorer(
    url: str,
    bundles: Sequence[Bundle],
    stop: threading.Event,
    *,
    order: Sequence[str] = DEFAULT_ORDER,
    name: str = "",
    standby: bool = False,
) -> Scorer:
    """Return a scorer with its own clients and engines that are warm and past their golden windows.

    Parameters
    ----------
    url : str
        Redis.
    bundles : sequence of Bundle
        Of kind ``eeg_emg``; at least one.
    stop : threading.Event
        Ends its loop.
    order : sequence of str
        Backends, first choice first.
    name : str
        Unique among the scorers that run; host and process by default.
    standby : bool
        Whether another scorer has the GPU, and this one takes windows only while that one is not heard.

    Raises
    ------
    EngineUnavailable
        If no backend runs a bundle and passes its golden windows.
    """
    name = name or f"{socket.gethostname()}:{os.getpid()}"
    served = [_serve(bundle, order, standby=standby) for bundle in bundles]
    registry = Registry(connect(url, "scorer-registry"))
    return Scorer(
        Consumer(connect(url, "scorer", blocking=True), name, registry.to_drain),
        Committer(connect(url, "scorer-commit")),
        served,
        Heartbeat(connect(url, "scorer-beacon"), "scorer", name),
        stop,
        standby=Standby(connect(url, "scorer-standby", blocking=True)) if standby else None,
        tell=partial(tell_open_sessions, connect(url, "scorer-notices")),
    )


def _serve(bundle: Bundle, order: Sequence[str], *, standby: bool) -> Served:
    """Open a bundle's engine; what was passed over is said, as a warning where that makes it a lesser one."""
    choice = choose(bundle, order, spare_gpu=standby, at_once=True)
    say = log.warning if choice.engine.info.degraded else log.info
    for cause in choice.passed_over:
        say("engine_passed_over", bundle=bundle.words, cause=cause, serves=choice.engine.info.backend)
    return Served(bundle, choice.engine, choice.further)


def tell_open_sessions(redis: Redis, error: EngineError) -> None:
    """Say on the page of every open session that an engine has changed; it may have scored any of them."""
    notice = {"level": "warning", "text": error.message, "remedy": error.remedy}
    try:
        for entry in Registry(redis).entries():
            if entry.is_open:
                EventLog(redis, entry.session).append("notice", notice)
    except TransportDown:
        # The page misses the scorer anyway; the log has the words.
        return
