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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from inference.batching import batches
from inference.beacon import Beacon
from inference.bundle import Bundle
from inference.engines.choice import DEFAULT_ORDER, open_engine
from inference.engines.engine import Engine
from inference.errors import EngineError
from inference.patience import RETRY_S, Patience
from inference.scoring import score
from streaming.committer import Committer
from streaming.connection import connect
from streaming.consumer import Consumer
from streaming.delivery import Delivery
from streaming.heartbeat import INTERVAL_S, Heartbeat
from streaming.records import ResultRecord
from streaming.sessions import Registry

#: Seconds to wait for a new window; a stop is noticed at most this late.
BLOCK_S = 0.5
#: Windows scored at once. The paper's LSTM on a busy core: 120 ms for one, 76 ms each for four, 75 ms each for eight;
#: and a batch must end long before its windows are handed to another scorer.
TOGETHER = 4
#: Seconds after which windows that still wait for their batch are held, a third of the time that frees them for others.
HOLD_S = 1.0

log = structlog.get_logger("scorer")


@dataclass(frozen=True)
class Served:
    """A bundle and the engine that runs it in this process."""

    bundle: Bundle
    engine: Engine


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
    clock : callable
        Monotonic seconds.
    retry_s, beat_s : float
        Seconds between attempts while Redis is away, and between heartbeats.
    """

    def __init__(
        self,
        consumer: Consumer,
        committer: Committer,
        served: Sequence[Served],
        heartbeat: Heartbeat,
        stop: threading.Event,
        *,
        clock: Callable[[], float] = time.monotonic,
        retry_s: float = RETRY_S,
        beat_s: float = INTERVAL_S,
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
        self._held_s = clock()

    def run(self) -> None:
        """Score until told to stop."""
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
            self._backlog.extend(batches(self._consumer.read(BLOCK_S), TOGETHER))
            self._held_s = self._clock()
        while self._backlog:
            self._hold()
            self._unsent.extend(self._score(self._backlog.popleft()))
            self._commit()
            self._beacon.mark()

    def _score(self, batch: Sequence[Delivery]) -> list[tuple[Delivery, ResultRecord]]:
        """Return the results of a batch; if the engine fails on it, of each window that it does not fail on."""
        begun_s = self._clock()
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
        taken_s = self._clock() - begun_s
        return [
            (delivery, result.with_stage("score", taken_s)) for delivery, result in zip(batch, results, strict=True)
        ]

    def _results(self, batch: Sequence[Delivery]) -> list[ResultRecord]:
        """Score each window by the model that its session is bound to, in the order of the batch."""
        by_model: dict[str, list[Delivery]] = {}
        for delivery in batch:
            by_model.setdefault(delivery.record.bundle_sha256, []).append(delivery)
        found: dict[int, ResultRecord] = {}
        for sha256, deliveries in by_model.items():
            one = self._served.get(sha256, self._first)
            results = score(one.engine, one.bundle, [delivery.record for delivery in deliveries])
            found.update({id(delivery): result for delivery, result in zip(deliveries, results, strict=True)})
        return [found[id(delivery)] for delivery in batch]

    def _commit(self) -> None:
        """Commit each result by itself; one that an outage interrupts is committed again, which is harmless."""
        while self._unsent:
            delivery, result = self._unsent[0]
            first = self._committer.commit(delivery, result)
            self._unsent.popleft()
            self._tally[result.state if first else "repeated"] += 1

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
        }


def open_scorer(
    url: str,
    bundles: Sequence[Bundle],
    stop: threading.Event,
    *,
    order: Sequence[str] = DEFAULT_ORDER,
    name: str = "",
) -> Scorer:
    """Return a scorer with its own clients and warm, checked engines.

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

    Raises
    ------
    EngineUnavailable
        If no backend runs a bundle, or one fails its self-check.
    """
    name = name or f"{socket.gethostname()}:{os.getpid()}"
    served = [Served(bundle, open_engine(bundle, order)) for bundle in bundles]
    registry = Registry(connect(url, "scorer-registry"))
    return Scorer(
        Consumer(connect(url, "scorer", blocking=True), name, registry.to_drain),
        Committer(connect(url, "scorer-commit")),
        served,
        Heartbeat(connect(url, "scorer-beacon"), "scorer", name),
        stop,
    )
