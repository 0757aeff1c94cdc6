"""Two streams of one file read as one: found, paired by the file's clock offsets, the error told (law 10)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition.chain import Chain, drive
from acquisition.errors import MontageError, RateError, RecordingError, UnitError
from acquisition.formats.xdf_header import StreamHeader
from acquisition.montage import Channel
from acquisition.parts import PartWriter
from acquisition.recording import read_recording
from acquisition.resampling import resample
from acquisition.tape import decide, open_decisions, tape_of
from tests.acquisition.conftest import SMALL
from tests.acquisition.two_amplifiers import EEG_LABELS, EMG_LABELS, EMG_SCALE, MONTAGE, RATE, Amplifier, header

N = 12_000
EEG = replace(header("Eeg", EEG_LABELS), hostname="eeg-pc")
EMG = replace(header("Emg", EMG_LABELS, "int32"), hostname="emg-pc")
#: What may come to stand where a stamp or an offset stood.
RUBBISH = st.sampled_from([np.nan, np.inf, -1e300, 1e9, 0.0, -5.0, 100.5]).map(
    lambda value: np.float64(value).tobytes()
)
CUES = StreamHeader("Cues", "Markers", "string", 0.0, 1, hostname="eeg-pc")


def amplifiers(**changes):
    """Return an EEG and an EMG amplifier; the second begins later and runs fast."""
    one = Amplifier(N, clock_s=100.0)
    return one, Amplifier(
        N, **{"start": 40.3, "ppm": 90.0, "clock_s": 7e5, "n_channels": 3, "dtype": "int32", **changes}
    )


def write(path, *streams, markers=((3.0, "flexion"), (6.0, "rest"))):
    """Write what LabRecorder would: the streams in this order, and markers on the EEG's machine."""
    with PartWriter.create(path, [*(head for head, _ in streams), CUES]) as writer:
        for number, (_, amplifier) in enumerate(streams):
            for time, offset_s in amplifier.offsets:
                writer.offset(number, time / RATE - offset_s, offset_s)
            writer.append(number, amplifier.samples, amplifier.stamps)
        for time_s, text in markers:
            writer.append(len(streams), [text], np.array([100.0 + time_s]))
    return path


def chained(recording, montage=MONTAGE):
    """Return the windows and the ledger of a recording."""
    binding = montage.bind(recording.labels, recording.units)
    chain = Chain(montage, spec=SMALL)
    tape = tape_of(recording, binding, decide(recording, montage, binding))
    return [window for step in drive(chain, tape) for window in step.windows], chain.ledger


def off(recording):
    """Return how far the partner's true time lies off the row's, where there is one."""
    rows = recording.samples[recording.samples[:, 5] != 0]
    return np.abs(rows[:, 5] / EMG_SCALE - rows[:, 0])


@pytest.mark.parametrize("turned", [False, True])
def test_two_streams_that_have_a_montage_together_are_read_as_one(tmp_path, turned) -> None:
    """The one with more EEG is the grid, in whatever order the file has them; true time agrees to a sample."""
    one, two = amplifiers()
    two.drop(5_000, 300)
    streams = [(EEG, one), (EMG, two)]
    recording = read_recording(write(tmp_path / "a.xdf", *(streams[::-1] if turned else streams)), montage=MONTAGE)
    assert recording.labels == EEG_LABELS + EMG_LABELS and recording.partner_from == len(EEG_LABELS)
    assert (recording.name, recording.source_id) == ("Eeg", "Eeg") and len(recording.stamps) == N
    assert off(recording).max() <= 1
    assert [(m.stamp_s, m.text) for m in recording.markers] == [(103.0, "flexion"), (106.0, "rest")]
    decisions = recording.decided
    assert {decision.stream for decision in decisions} == {0} and decisions[-1].kind == "end"
    assert [d.data["sample"] for d in decisions if d.kind == "marker"] == [3_000, 6_000]
    windows, ledger = chained(recording)
    assert ledger.balanced and len(windows) == 10
    assert ledger.received == N - ledger.rejected["unpaired"] == N - ledger.rejected["partner"] - 300
    assert {phase for window in windows for phase, *_ in window.phases} == {"flexion", "rest"}


def test_the_alignment_error_is_told(tmp_path) -> None:
    """What was assumed names both streams, how they were paired, and how far off they lie."""
    path = write(tmp_path / "a.xdf", (EEG, Amplifier(N)), (EMG, Amplifier(N, start=0.4, n_channels=3, dtype="int32")))
    (told,) = read_recording(path, montage=MONTAGE).assumed
    assert told == (
        "streams 'Eeg' and 'Emg' are read as one, by the file's clock offsets: samples of 'Emg' lie 0.40 ms off those "
        "that they stand beside, 95 % of them less than 0.40 ms."
    )


@pytest.mark.parametrize("lacking", ["host", "offsets"])
def test_stamps_of_one_clock_need_no_offsets(tmp_path, lacking) -> None:
    """On one machine stamps agree, also after its clock was set; without offsets there is nothing else to go by."""
    one, two = amplifiers(clock_s=100.0)
    one.reset(4_000, -50.0)
    two.reset(int(np.argmax(two.truth >= 4_000)), -50.0)
    for amplifier in (one, two):
        amplifier.offsets = [] if lacking == "offsets" else [(0.0, 1.0), (5_000.0, 1.5)]
    emg = replace(EMG, hostname="eeg-pc") if lacking == "host" else EMG
    recording = read_recording(write(tmp_path / "a.xdf", (EEG, one), (emg, two)), montage=MONTAGE)
    assert "by their stamps, as those of one clock" in recording.assumed[0]
    assert off(recording).max() <= 1.1 and len(off(recording)) > N - 400


def test_one_clock_that_was_set_in_one_of_two_streams_is_refused(tmp_path) -> None:
    """Nobody knows then how the two lie to each other."""
    one, two = amplifiers(clock_s=100.0)
    one.reset(4_000, -50.0)
    emg = replace(EMG, hostname="eeg-pc")
    with pytest.raises(RecordingError, match="set 1 times in 'Eeg' and 0 times in 'Emg', not alike"):
        read_recording(write(tmp_path / "a.xdf", (EEG, one), (emg, two)), montage=MONTAGE)
    two.reset(4_000, 90.0)
    with pytest.raises(RecordingError, match="set 1 times in 'Eeg' and 1 times in 'Emg', not alike"):
        read_recording(write(tmp_path / "b.xdf", (EEG, one), (emg, two)), montage=MONTAGE)


def test_clocks_that_were_reset_are_measured_anew(tmp_path) -> None:
    """Offsets stand beside the samples of the clock that they are of, before and after it was set."""
    one, two = amplifiers()
    one.reset(3_000, 9_000.0)
    two.reset(8_000, -400.0)
    recording = read_recording(write(tmp_path / "a.xdf", (EEG, one), (EMG, two)), montage=MONTAGE)
    assert off(recording).max() <= 1.1 and len(off(recording)) > N - 400


def test_rubbish_among_stamps_and_offsets_is_left_out(tmp_path) -> None:
    """What is no time says nothing of where samples belong."""
    one, two = amplifiers()
    one.stamps[[50, 3_000]] = np.nan, 1e300
    two.stamps[7_000] = -np.inf
    two.offsets.insert(0, (0.0, np.nan))
    recording = read_recording(write(tmp_path / "a.xdf", (EEG, one), (EMG, two)), montage=MONTAGE)
    assert off(recording).max() <= 1 and len(off(recording)) > N - 100
    two.stamps[:] = np.nan
    with pytest.raises((RecordingError, RateError)):
        read_recording(write(tmp_path / "b.xdf", (EEG, one), (EMG, two)), montage=MONTAGE)


@settings(max_examples=100, deadline=None)
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.one_of(st.binary(min_size=1, max_size=1), RUBBISH)), max_size=20))
def test_damage_anywhere_never_crashes(tmp_path_factory, changes) -> None:
    """Bytes that change, stamps and offsets that become rubbish: a refusal, or a recording whose ledger balances."""
    path = tmp_path_factory.getbasetemp() / "damaged.xdf"
    one, two = (Amplifier(1_500, **place) for place in ({}, {"start": 40.3, "n_channels": 3, "dtype": "int32"}))
    content = bytearray(write(path, (EEG, one), (EMG, two)).read_bytes())
    for at, change in changes:
        place = int(at * (len(content) - len(change)))
        content[place : place + len(change)] = change
    path.write_bytes(content)
    try:
        _, ledger = chained(read_recording(path, montage=MONTAGE))
    except (RecordingError, MontageError, RateError, UnitError):
        return
    assert ledger.balanced


def test_counters_find_what_stamps_hide(tmp_path) -> None:
    """Each stream's own counter, where it has the montage's."""
    one, two = amplifiers(ppm=0.0)
    counts = [np.arange(N) % 256 for _ in range(2)]
    heads = []
    for amplifier, count, head, dropped in zip((one, two), counts, (EEG, EMG), (3_000, 6_000), strict=True):
        amplifier.samples = np.column_stack([amplifier.samples, count]).astype(amplifier.dtype)
        amplifier.drop(dropped, 2)
        labels = (*head.labels, "COUNT")
        heads.append(replace(head, labels=labels, channel_count=len(labels), units=("uV",) * len(labels)))
    counting = replace(MONTAGE, counter="COUNT", counter_modulo=256)
    path = write(tmp_path / "a.xdf", *zip(heads, (one, two), strict=True))
    recording = read_recording(path, montage=counting)
    assert recording.labels == (*EEG_LABELS, "COUNT", *EMG_LABELS)
    assert sorted(d.at for d in recording.decided if d.kind == "bridged") == [3_000, 6_040]


def test_what_a_single_stream_has_is_not_paired(tmp_path) -> None:
    """A stream that has the whole montage is the signal; one that is named is meant alone."""
    one, two = amplifiers()
    path = write(tmp_path / "a.xdf", (EEG, one), (EMG, two))
    small = replace(MONTAGE, channels=MONTAGE.channels[1:3])
    assert read_recording(path, montage=small).labels == EEG_LABELS
    assert read_recording(path, montage=MONTAGE, stream="Emg").partner_from is None
    with pytest.raises(MontageError, match="has 2 streams and none has the channels of montage"):
        read_recording(path, montage=replace(MONTAGE, channels=(*MONTAGE.channels, Channel("GMAX", "emg"))))


def test_more_than_one_pair_is_refused_with_a_list(tmp_path) -> None:
    """Never the first match (law 10)."""
    one, two = amplifiers()
    other = replace(EMG, name="Emg 2")
    path = write(tmp_path / "a.xdf", (EEG, one), (EMG, two), (other, two))
    with pytest.raises(RecordingError, match="2 pairs of streams that have .* together: 1: 'Eeg' .* 3: 'Emg 2'"):
        read_recording(path, montage=MONTAGE)


def test_streams_at_two_rates_are_refused(tmp_path) -> None:
    """A pair has one grid; both rates are named."""
    one, two = amplifiers()
    path = write(tmp_path / "a.xdf", (EEG, one), (replace(EMG, rate_hz=2_000.0), two))
    with pytest.raises(RateError, match="in two streams, at 1000 and 2000 Hz: 1: 'Eeg'"):
        read_recording(path, montage=MONTAGE)


def test_streams_of_different_times_are_refused(tmp_path) -> None:
    """Two recordings in one file are no simultaneous one."""
    one, two = amplifiers(start=1e6)
    path = write(tmp_path / "a.xdf", (EEG, one), (EMG, two))
    with pytest.raises(RecordingError, match="no sample of 'Eeg' that belongs to one of 'Emg'"):
        read_recording(path, montage=MONTAGE)


def test_a_pair_at_another_rate_is_resampled_as_one(tmp_path) -> None:
    """Paired at the rate that it was recorded at, then brought to the montage's with its decisions."""
    one, two = amplifiers()
    two.drop(5_000, 300)
    path = write(tmp_path / "a.xdf", (EEG, one), (EMG, two))
    fast = replace(MONTAGE, rate_hz=2_000.0)
    recording = read_recording(path, montage=fast)
    doubled = resample(recording, fast, fast.bind(recording.labels, recording.units))
    windows, ledger = chained(doubled, fast)
    assert ledger.balanced and windows and set(ledger.rejected) == {"duplicate", "backward", "unpaired", "partner"}
    slips = [d.data["sample"] for d in recording.decided if d.kind == "slip"]
    assert [d.data["sample"] for d in doubled.decided if d.kind == "slip"] == [2 * sample for sample in slips]
    assert "without a partner" in doubled.problems[0]


def test_decisions_beside_a_pair_are_those_of_the_pair(tmp_path) -> None:
    """They are kept and read again, and taken anew when the samples are joined otherwise."""
    one, two = amplifiers()
    path = write(tmp_path / "a.xdf", (EEG, one), (EMG, two))
    recording = read_recording(path, montage=MONTAGE)
    binding = MONTAGE.bind(recording.labels, recording.units)
    kept = open_decisions(recording, MONTAGE, binding)
    assert kept.kept and kept.decisions == open_decisions(recording, MONTAGE, binding).decisions
    otherwise = replace(recording, decided=recording.decided[1:])
    assert open_decisions(otherwise, MONTAGE, binding).decisions != kept.decisions
