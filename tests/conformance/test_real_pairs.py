"""Real recordings as two streams: two recorded side by side, and one split over two clocks (laws 2 and 10)."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.formats.xdf_header import StreamHeader
from acquisition.montage import Channel, Montage
from acquisition.parts import PartWriter
from acquisition.recording import read_recording

pytestmark = pytest.mark.conformance

MUSE = ("sub-P001_ses-S001_task-Default_run-001_eeg.xdf", "sub-P002_ses-S001_task-Default_run-001_eeg.xdf")


@pytest.mark.parametrize("name", MUSE)
def test_a_headband_s_motion_is_one_recording(shared_data, name):
    """Accelerometer and gyroscope, two streams with stamps of their own: paired to within a sample of 19 ms."""
    (path,) = (shared_data / "xdf-muse").rglob(name)
    channels = (Channel("ACC_X", "eeg", "uV"), Channel("GYRO_X", "emg", "uV"))
    recording = read_recording(path, montage=Montage("motion", 52.0, channels), unit="uV")
    taken = recording.samples[:, -3:].any(axis=1)
    assert recording.labels == ("ACC_X", "ACC_Y", "ACC_Z", "GYRO_X", "GYRO_Y", "GYRO_Z")
    assert np.count_nonzero(taken) > 0.95 * len(taken)
    told = recording.assumed[-1]
    assert float(told.rpartition("less than ")[2].removesuffix(" ms.")) < 1000 / 52


def test_a_recording_split_over_two_clocks_is_put_together_again(shared_data, tmp_path):
    """Sixteen real EEG channels, half of them on a clock that is a day off and 60 ppm fast: each in its row again."""
    path = sorted((shared_data / "xdf-bciess-gusbamp16").glob("*.xdf"))[0]
    whole = read_recording(path)
    labels = tuple(f"E{column}" for column in range(16))
    montage = Montage("split", whole.rate_hz, tuple(Channel(label, "eeg", "uV") for label in labels))
    n = len(whole.stamps)
    regular_s = np.arange(n) / whole.rate_hz
    fast_s = 86_400.0 + regular_s * (1 + 60e-6)
    headers = [
        StreamHeader(
            f"half {pc}", "EEG", "double64", whole.rate_hz, 8, labels[8 * pc : 8 * pc + 8], hostname=f"pc-{pc}"
        )
        for pc in range(2)
    ]
    with PartWriter.create(tmp_path / "two.xdf", headers) as writer:
        for half, stamps_s in enumerate((regular_s, fast_s)):
            for at in range(0, n, round(5 * whole.rate_hz)):
                writer.offset(half, stamps_s[at], regular_s[at] - stamps_s[at])
            writer.append(half, whole.samples[:, 8 * half : 8 * half + 8].astype(np.float64), stamps_s)
    joined = read_recording(tmp_path / "two.xdf", montage=montage)
    assert np.array_equal(joined.samples, whole.samples[:, :16].astype(np.float64))
    assert [d.kind for d in joined.decided if d.kind in ("reject", "unpaired", "bridged", "lost")] == []
