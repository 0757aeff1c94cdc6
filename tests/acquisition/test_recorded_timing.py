"""The timing of a recorded session, from the stamps and offsets of its parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acquisition.formats.xdf_header import StreamHeader
from acquisition.montage import Montage
from acquisition.recorded_timing import recorded_timing
from acquisition.session import SessionFolder

from .test_session import MARKERS, MONTAGE, SIGNAL, info

LIVE = {"kind": "lsl", "name": "Amp16", "source_id": "amp-1", "hostname": "bed4-pc", "channel_count": 16}


def recorded(folder: SessionFolder, seconds: float, *, ppm: float = 0.0, drift_ppm: float = 0.0, hole: int = 0) -> None:
    """Record a part of an amplifier whose crystal is off, on a machine whose clock lies 100 s behind and drifts."""
    index = np.arange(round(seconds * 1000))
    stamps = 5_000.0 + (index + np.where(index >= 2_000, hole, 0)) / (1000.0 * (1 + ppm * 1e-6))
    with folder.open_part([replace(SIGNAL, labels=SIGNAL.labels), MARKERS]) as writer:
        writer.append(0, np.zeros((len(index), 16), np.float32), stamps)
        for passed_s in np.arange(0.0, seconds, 5.0):
            writer.offset(0, 5_000.0 + passed_s, 100.0 - drift_ppm * 1e-6 * passed_s)


def test_rate_offset_and_drift_of_each_part_are_told(tmp_path):
    """A crystal 30 ppm fast on a clock that gains 20 ppm; a part of a second tells no rate."""
    folder = SessionFolder.create(tmp_path, info(source=LIVE))
    recorded(folder, 90.0, ppm=30.0, drift_ppm=20.0, hole=500)
    recorded(folder, 1.0)
    folder.open_part([SIGNAL, MARKERS]).close()
    long, short = recorded_timing(folder)
    assert (long["part"], short["part"]) == (1, 2)
    assert long["rate_ppm"] == pytest.approx(30.0, abs=1.0)
    assert long["rate_hz"] == pytest.approx(1000.03, abs=0.001)
    assert long["offset_s"] == pytest.approx(100.0 - 85.0 * 20e-6)
    assert long["drift_ppm"] == pytest.approx(20.0, abs=0.1)
    assert (short["rate_hz"], short["drift_ppm"], short["offset_s"]) == (None, None, 100.0)
    assert short["allowance"] == 5.0


def test_a_part_that_was_never_measured_has_no_offset(tmp_path):
    """Its bridge died before the first measurement."""
    folder = SessionFolder.create(tmp_path, info(source=LIVE))
    with folder.open_part([SIGNAL]) as writer:
        writer.append(0, np.zeros((20, 16), np.float32), np.arange(20) / 1000.0)
    (timing,) = recorded_timing(folder)
    assert (timing["offset_s"], timing["drift_ppm"]) == (None, None)


def test_a_counter_keeps_holes_out_of_the_rate(tmp_path):
    """Losses that stamps cannot show would pass for a slow crystal; the sample counter shows them."""
    counted = Montage("counted", 1000.0, MONTAGE.channels, counter="Count", counter_modulo=256)
    header = StreamHeader(
        "Amp16", "EEG", "float32", 1000.0, 17, (*MONTAGE.labels, "Count"), ("uV",) * 16 + (None,), source_id="amp-1"
    )
    index = np.arange(60_000)
    index += index // 3_000 * 3
    samples = np.zeros((len(index), 17), np.float32)
    samples[:, 16] = index % 256
    folder = SessionFolder.create(tmp_path, info(source=LIVE, montage=counted.to_json()))
    with folder.open_part([header]) as writer:
        writer.append(0, samples, 100.0 + index / 1000.0)
    (timing,) = recorded_timing(folder)
    assert timing["rate_ppm"] is None or abs(timing["rate_ppm"]) < 1.0


@pytest.mark.parametrize("more", [{"source": {"kind": "file"}}, {"source": LIVE, "decisions": {"path": "a"}}])
def test_what_was_no_amplifier_has_no_timing(tmp_path, more):
    """A file's stamps are counted, a replay's are the player's."""
    folder = SessionFolder.create(tmp_path, info(**more))
    recorded(folder, 1.0)
    assert recorded_timing(folder) == []
