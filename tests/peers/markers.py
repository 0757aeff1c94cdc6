"""MNE-LSL's inlet of texts: ``python -m tests.peers.markers NAME N``.

It opens the one stream of that name, says so on stdout, and writes the next N texts with their stamps as JSON.
"""

from __future__ import annotations

import json
import sys

from mne_lsl.lsl import StreamInlet, resolve_streams

from tests.peers.peer import READY

#: Longest wait for the stream, and for each text, in s.
WAIT_S = 20.0

if __name__ == "__main__":
    (found,) = resolve_streams(WAIT_S, name=sys.argv[1])
    inlet = StreamInlet(found)
    inlet.open_stream(WAIT_S)
    print(READY, flush=True)
    heard = [inlet.pull_sample(WAIT_S) for _ in range(int(sys.argv[2]))]
    print(json.dumps([[text, stamp_s] for (text,), stamp_s in heard]))
