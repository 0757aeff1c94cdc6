"""Half of a montage's channels on an amplifier of its own: a process that can be killed and started again.

``python -m tests.faults.half eeg SOURCE_ID PPM`` sends the EEG of the default montage, at a rate that is so many ppm
off, until its stdin is closed.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Self

import numpy as np

from acquisition.inlet import lsl_clock_s
from acquisition.montage import load_montage
from acquisition.outlet import OutletSpec, SignalOutlet

MONTAGE = load_montage("amp16")
#: Samples of one push: 20 ms.
CHUNK = 20


class Half:
    """The handle of the process; use as a context manager.

    Parameters
    ----------
    kind : {"eeg", "emg"}
        Which channels.
    source_id : str
        Of its stream.
    ppm : float
        How much faster than it should it takes samples.
    """

    def __init__(self, kind: str, source_id: str, ppm: float = 0.0) -> None:
        command = [sys.executable, "-m", __name__, kind, source_id, str(ppm)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None and self._process.stdout.readline() == b"open\n"

    def kill(self) -> None:
        """End the process as a crash does."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()


def spec_of(kind: str, source_id: str) -> OutletSpec:
    """Return what the stream says of itself."""
    labels = tuple(channel.label for channel in MONTAGE.channels if channel.kind == kind)
    n = len(labels)
    return OutletSpec(f"Half {kind}", source_id, labels, (kind,) * n, ("uV",) * n, MONTAGE.rate_hz, type=kind.upper())


def main(kind: str, source_id: str, ppm: float) -> None:
    """Send until stdin is closed."""
    closed = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), closed.set()), daemon=True).start()
    spec = spec_of(kind, source_id)
    rate_hz = spec.rate_hz * (1 + ppm * 1e-6)
    noise = np.random.default_rng(len(kind) + len(spec.labels))
    with SignalOutlet(spec) as outlet:
        print("open", flush=True)
        begun_s, n_sent = lsl_clock_s(), 0
        while not closed.is_set():
            time.sleep(max(0.0, begun_s + (n_sent + CHUNK) / rate_hz - lsl_clock_s()))
            index = n_sent + np.arange(CHUNK)
            rhythm = 15 * np.sin(2 * np.pi * 10 * index / rate_hz)[:, None]
            samples = noise.normal(0, 20, (CHUNK, len(spec.labels))) + rhythm
            outlet.push(samples.astype(np.float32), begun_s + index / rate_hz)
            n_sent += CHUNK


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
