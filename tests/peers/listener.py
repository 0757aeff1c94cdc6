"""MNE-LSL's streams as they are: ``python -m tests.peers.listener N_SAMPLES FOLDER NAME...``.

It connects to the one stream of each name, says so on stdout, waits until so many samples of each have come, and writes
them and what it knows of the stream to ``NAME.npz`` in the folder.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from mne_lsl.lsl import resolve_streams
from mne_lsl.stream import StreamLSL

from tests.peers.peer import READY

#: Longest wait for a stream, and between looks at what came, in s.
FIND_S, LOOK_S = 20.0, 0.02


def connect(name: str, n_samples: int) -> StreamLSL:
    """Return an open stream with room for so many samples."""
    (found,) = resolve_streams(FIND_S, name=name)
    return StreamLSL(n_samples / found.sfreq, name=name).connect(timeout=FIND_S)


def save(stream: StreamLSL, path: Path) -> None:
    """Write what has come, and what is known of the stream."""
    samples, stamps = stream.get_data()
    known = {
        "name": stream.name,
        "type": stream.stype,
        "source_id": stream.source_id,
        "rate_hz": stream.info["sfreq"],
        "labels": stream.ch_names,
        "kinds": stream.get_channel_types(),
        "units": [[int(code) for code in unit] for unit in stream.get_channel_units()],
    }
    np.savez(path, samples=samples.T, stamps=stamps, known=json.dumps(known))


if __name__ == "__main__":
    n, folder, *names = sys.argv[1:]
    streams = [connect(name, int(n)) for name in names]
    print(READY, flush=True)
    for stream in streams:
        while stream.n_new_samples < int(n):
            time.sleep(LOOK_S)
        save(stream, Path(folder, f"{stream.name}.npz"))
        stream.disconnect()
