"""What MNE-LSL makes of a recording that pyxdf has read: ``python -m tests.peers.describer FILE``.

It says so on stdout, then writes the labels, types and units of MNE's ``Info`` as JSON.
"""

from __future__ import annotations

import json
import sys

import pyxdf
from mne_lsl.utils.meas_info import create_info

from tests.peers.peer import READY

if __name__ == "__main__":
    (signal,), _ = pyxdf.load_xdf(sys.argv[1], select_streams=[1])
    about = signal["info"]
    rate_hz = float(about["nominal_srate"][0])
    info = create_info(int(about["channel_count"][0]), rate_hz, about["type"][0] or "", about["desc"][0])
    print(READY, flush=True)
    units = [[int(channel["unit"]), int(channel["unit_mul"])] for channel in info["chs"]]
    print(json.dumps({"labels": info.ch_names, "kinds": info.get_channel_types(), "units": units}))
