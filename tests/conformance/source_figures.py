"""How soon a source that dies or freezes is noticed, and how soon one that returns is taken, over real LSL.

``python -m tests.conformance.source_figures`` prints the figures of docs/sources.md, in four minutes. An amplifier is a
process of its own, the source is pulled as a bridge pulls it. Times are LSL's, the same in all processes.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import structlog

from acquisition.clock import LiveClock
from acquisition.discovery import SourceSpec
from acquisition.inlet import lsl_clock_s
from acquisition.items import Item, Raw
from acquisition.montage import load_montage
from acquisition.outlet import OutletSpec, SignalOutlet
from acquisition.source import StampJudge
from acquisition.stamps import StampDecider
from acquisition.stream_source import StreamSource

#: Times that each thing is done.
N = 20
#: Seconds of one pull, as the bridge's; and between an amplifier's chunks.
PULL_S = CHUNK_S = 0.02
#: Seconds in which anything that comes at all has come.
PATIENCE_S = 30.0
MONTAGE = load_montage("amp16")


def amplify(source_id: str, orders: Connection) -> None:
    """Be an amplifier: each order opens or closes its outlet and is answered by the moment."""
    outlet, next_s = None, 0.0
    while True:
        if orders.poll(0 if outlet else None):
            orders.recv()
            next_s = lsl_clock_s()
            if outlet is None:
                outlet = SignalOutlet(OutletSpec.of(MONTAGE, "Figures", source_id))
            else:
                outlet.close()
                outlet = None
            orders.send(next_s)
        if outlet is not None:
            n = int((lsl_clock_s() - next_s) * MONTAGE.rate_hz)
            outlet.push(np.zeros((n, MONTAGE.n_channels), np.float32), next_s + np.arange(n) / MONTAGE.rate_hz)
            next_s += n / MONTAGE.rate_hz
            time.sleep(CHUNK_S)


class Amplifier:
    """The handle of one such process."""

    def __init__(self, source_id: str) -> None:
        self._orders, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self.process: BaseProcess = context.Process(target=amplify, args=(source_id, theirs), daemon=True)
        self.process.start()

    def turn(self) -> float:
        """Open its outlet, or close it; return when that was."""
        self._orders.send(None)
        return float(self._orders.recv())

    def send(self, number: signal.Signals) -> float:
        """Send the process a signal; return when that was."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)
        return lsl_clock_s()

    def end(self) -> None:
        """End it, frozen or not."""
        self.process.kill()
        self.process.join()


class Listener:
    """A source, pulled."""

    def __init__(self, source_id: str) -> None:
        judge = StampJudge(StampDecider(MONTAGE.rate_hz, part=1), MONTAGE)
        clock = LiveClock(lsl_clock_s)
        self.source = StreamSource(SourceSpec(source_id=source_id), MONTAGE, judge, clock, patience_s=PATIENCE_S)
        self.longest_pull_s = 0.0

    def until(self, seen: Callable[[list[Item]], bool]) -> float:
        """Pull until something is seen, and return when."""
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:
            begun_s = time.monotonic()
            items = self.source.pull(PULL_S)
            self.longest_pull_s = max(self.longest_pull_s, time.monotonic() - begun_s)
            if seen(items):
                return lsl_clock_s()
        raise AssertionError(f"it never came: {self.source.state}")

    def is_(self, state: str) -> float:
        """Pull until the source is in a state."""
        return self.until(lambda _: self.source.state[0] == state)

    def sampled(self) -> float:
        """Pull until a sample was taken."""
        return self.until(lambda items: any(isinstance(item, Raw) and len(item) for item in items))

    def go_on(self, seconds: float) -> None:
        """Pull for some time."""
        end_s = time.monotonic() + seconds
        self.until(lambda _: time.monotonic() >= end_s)


def main() -> None:
    """Print each figure."""
    config = Path(tempfile.mkdtemp()) / "lsl_api.cfg"
    config.write_text(
        f"[multicast]\nResolveScope = machine\n[lab]\nSessionID = {uuid.uuid4().hex}\n[log]\nlevel = -3\n"
    )
    os.environ["LSLAPICFG"] = str(config)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    rng = random.Random(0)
    source_id = uuid.uuid4().hex
    one, listener = Amplifier(source_id), Listener(source_id)
    began_s = one.turn()
    print(f"first found, its markers waited for in vain, sampled: {listener.sampled() - began_s:.2f} s")
    _restarts(one, listener, rng)
    _freezes(one, listener, rng)
    _replacements(one, listener, source_id)
    print(f"longest pull of all: {listener.longest_pull_s * 1000:.0f} ms")
    listener.source.close()


def _restarts(one: Amplifier, listener: Listener, rng: random.Random) -> None:
    died, returned = [], []
    for _ in range(N):
        listener.go_on(0.5)
        at_s = one.turn()
        died.append(listener.is_("LOST") - at_s)
        listener.go_on(rng.uniform(0.2, 4.0))
        at_s = one.turn()
        returned.append(listener.sampled() - at_s)
    tell("an outlet that closes: to LOST", died)
    tell("an outlet of its name that is opened: to its first sample taken", returned)


def _freezes(one: Amplifier, listener: Listener, rng: random.Random) -> None:
    froze, went_on = [], []
    for _ in range(N):
        listener.go_on(0.5)
        at_s = one.send(signal.SIGSTOP)
        froze.append(listener.is_("STALLED") - at_s)
        listener.go_on(rng.uniform(0.2, 1.0))
        at_s = one.send(signal.SIGCONT)
        went_on.append(listener.sampled() - at_s)
    tell("a process that freezes: to STALLED", froze)
    tell("and goes on: to its first sample taken", went_on)


def _replacements(one: Amplifier, listener: Listener, source_id: str) -> None:
    taken = []
    for _ in range(N // 4):
        other = Amplifier(source_id)
        listener.go_on(3.0)  # it has loaded its libraries by then
        one.send(signal.SIGSTOP)
        listener.is_("STALLED")
        at_s = other.turn()
        taken.append(listener.sampled() - at_s)
        one.end()
        one = other
    tell("one that is opened while the old one is frozen: to its first sample taken", taken)
    one.end()


def tell(what: str, seconds: list[float]) -> None:
    """Print a distribution."""
    ordered = sorted(seconds)
    print(
        f"{what}: median {statistics.median(ordered):.2f} s ({ordered[0]:.2f} to {ordered[-1]:.2f}, n {len(ordered)})"
    )


if __name__ == "__main__":
    main()
