"""EDF and BDF files written for tests, by the specification: no library that writes them is needed."""

from __future__ import annotations

import numpy as np


def channel(label, unit, digital, bdf=False):
    """A channel: what its header says, and its digital values."""
    limit = 8_000_000 if bdf else 32_000
    return label, unit, -limit // 10, limit // 10, -limit, limit, np.asarray(digital)


def write(path, channels, n_per_record, record_s=1.0, onsets=None, kind="", n_records=None, bdf=False):
    """Write a file by the specification; `onsets` adds the channel of annotations, a TAL for each record."""
    value_bytes = 3 if bdf else 2
    n = len(channels[0][6]) // n_per_record if n_records is None else n_records
    tals = None if onsets is None else [tal.ljust(40, b"\0") for tal in onsets]
    rows = [(label, unit, *limits, round(len(d) / n)) for label, unit, *limits, d in channels]
    if tals is not None:
        least = -8388608 if bdf else -32768
        rows.append(("BDF Annotations" if bdf else "EDF Annotations", "", -1, 1, least, -least - 1, 120 // value_bytes))
    header = (b"\xffBIOSEMI" if bdf else b"0".ljust(8)) + b"X".ljust(80) + b"X".ljust(80) + b"01.01.2401.02.03"
    header += str(256 * (len(rows) + 1)).encode().ljust(8) + kind.encode().ljust(44)
    header += str(n).encode().ljust(8) + f"{record_s:g}".encode().ljust(8) + str(len(rows)).encode().ljust(4)
    fields = [(0, 16), ("", 80), (1, 8), (2, 8), (3, 8), (4, 8), (5, 8), ("", 80), (6, 8), ("", 32)]
    for field, width in fields:
        for row in rows:
            text = str(row[field]) if field != "" else ""
            header += text.encode("latin-1")[:width].ljust(width)
    body = b""
    for record in range(n):
        for *_, digital in channels:
            per = round(len(digital) / n)
            part = digital[record * per : (record + 1) * per]
            body += b"".join(int(v).to_bytes(value_bytes, "little", signed=True) for v in part)
        if tals is not None:
            body += tals[record].ljust(120, b"\0")
    path.write_bytes(header + body)
    return path
