"""MNE-LSL's player as it is: ``python -m tests.peers.player FILE SOURCE_ID CHUNK``.

It plays the file without end, from its first line on stdout until stdin is closed. MNE-LSL brings a liblsl of its own,
which must not share a process with pylsl's.
"""

from __future__ import annotations

import sys

from mne_lsl.player import PlayerLSL

from tests.peers.peer import READY

if __name__ == "__main__":
    file, source_id, chunk = sys.argv[1:]
    with PlayerLSL(file, int(chunk), name="MNE", source_id=source_id, annotations_encoding="string"):
        print(READY, flush=True)
        sys.stdin.read()
