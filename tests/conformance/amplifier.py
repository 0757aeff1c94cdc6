"""An amplifier: a process that plays a recording as a real LSL stream, its markers beside it.

``python -m tests.conformance.amplifier RECORDING NAME SOURCE_ID`` sends nothing before somebody listens, and ends after
the last sample when its stdin is closed. What it offers is what the recording says of itself; a recording without
markers is offered without a stream of them.
"""

from __future__ import annotations

import sys
import threading
from contextlib import nullcontext
from pathlib import Path

import pylsl

from acquisition.clock import LiveClock
from acquisition.inlet import lsl_clock_s
from acquisition.outlet import MarkerOutlet, OutletSpec, SignalOutlet
from acquisition.player import play, recording_pieces
from acquisition.recording import read_recording


class Counting(SignalOutlet):
    """A signal outlet that knows whether anybody listens."""

    def heard(self) -> bool:
        """Tell whether an inlet is open."""
        assert isinstance(self._outlet, pylsl.StreamOutlet)
        return bool(self._outlet.have_consumers())


def main(path: Path, name: str, source_id: str) -> None:
    """Play a recording until stdin is closed."""
    recording = read_recording(path)
    units = tuple(unit or "" for unit in recording.units)
    kinds = ("misc",) * len(units)
    spec = OutletSpec(name, source_id, recording.labels, kinds, units, recording.rate_hz, "recorded")
    closed = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), closed.set()), daemon=True).start()
    clock = LiveClock(lsl_clock_s)
    beside = MarkerOutlet(f"{name} markers", source_id) if recording.markers else nullcontext()
    with Counting(spec) as signal, beside as markers:
        play(
            recording_pieces(recording),
            signal,
            markers,
            clock,
            rate_hz=recording.rate_hz,
            go=signal.heard,
            until=closed.is_set,
            stop=closed.is_set,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
