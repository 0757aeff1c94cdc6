"""Two streams of one montage: found unnamed where only two will do, told from others, refused with words."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from dataclasses import replace

import pytest

from acquisition.discovery import SourceSpec, StreamInfo
from acquisition.errors import AmbiguousStream, StreamNotFound, StreamRefused
from acquisition.montage import load_montage
from acquisition.outlet import OutletSpec, SignalOutlet
from acquisition.partners import Sources, bind_sources, choose_sources, couples_of, fit_pair, halves

AMP16 = load_montage("amp16")
EEG_LABELS, EMG_LABELS = AMP16.labels[:10], AMP16.labels[10:]
COUNTED = replace(AMP16, counter="COUNT", counter_modulo=256)


def info(name: str, labels: tuple[str, ...], **changes) -> StreamInfo:
    """Return a stream with these channels."""
    source_id = name.lower()
    made = StreamInfo(
        name, "EEG", source_id, "bed4-pc", f"u-{name}", len(labels), 1000.0, "float32", labels, ("uV",) * len(labels)
    )
    return replace(made, **changes)


EEG, EMG = info("Eeg", EEG_LABELS), info("Emg", EMG_LABELS)
WHOLE = info("Whole", AMP16.labels)
ANY = SourceSpec()


def test_two_that_have_the_channels_together_are_taken_where_no_single_one_does() -> None:
    """The one with more EEG is the grid, whichever answered first; channels of no montage do not count."""
    extra = info("Emg", ("X", *EMG_LABELS))
    for seen in ([EEG, extra], [extra, EEG]):
        assert choose_sources(seen, ANY, None, AMP16) == Sources(EEG, extra, EMG_LABELS)
    assert choose_sources([EEG, EMG, WHOLE], ANY, None, AMP16) == Sources(WHOLE)
    assert choose_sources([EMG, EEG], SourceSpec(name="Emg"), None, AMP16).signal is EEG


def test_one_that_was_named_and_does_not_fit_is_refused_where_nobody_completes_it() -> None:
    """The refusal is that of the stream itself; a pair of others is not taken in its place."""
    other = info("Other", ("Cz",))
    with pytest.raises(StreamRefused, match="Stream 'Other' on bed4-pc does not fit: Channels C3"):
        choose_sources([EEG, EMG, other], SourceSpec(name="Other"), None, AMP16)
    with pytest.raises(StreamRefused, match="Stream 'Eeg' on bed4-pc does not fit: Channels RF"):
        choose_sources([EEG], ANY, None, AMP16)
    with pytest.raises(StreamNotFound, match="No stream on the network is name 'Third'; there is 'Eeg'"):
        choose_sources([EEG, EMG], SourceSpec(name="Third"), None, AMP16)


def test_several_pairs_are_refused_and_listed() -> None:
    """Never the first match: another bed's EMG is worse than none."""
    again = info("Emg", EMG_LABELS, source_id="emg-2", hostname="bed5-pc")
    with pytest.raises(AmbiguousStream, match="2 pairs of streams have the channels of montage amp16") as refusal:
        choose_sources([EEG, EMG, again], ANY, None, AMP16)
    for stream in (EEG, EMG, again):
        assert stream.line in refusal.value.message
    assert "--partner-source-id" in refusal.value.remedy
    chosen = choose_sources([EEG, EMG, again], ANY, SourceSpec(source_id="emg-2"), AMP16)
    assert (chosen.signal, chosen.partner) == (EEG, again)
    with pytest.raises(AmbiguousStream):
        choose_sources([EEG, EMG, again], ANY, SourceSpec(name="Emg"), AMP16)


def test_a_partner_that_was_named_is_taken_as_it_was_named() -> None:
    """The order is the user's, a channel that both have is the first one's, and one stream is not enough then."""
    named = choose_sources([EEG, EMG], SourceSpec(name="Emg"), SourceSpec(name="Eeg"), AMP16)
    assert named == Sources(EMG, EEG, EEG_LABELS)
    overlapping = info("Emg", ("C3", *EMG_LABELS))
    assert couples_of([EEG, overlapping], AMP16) == []
    both = choose_sources([EEG, overlapping, WHOLE], SourceSpec(name="Eeg"), SourceSpec(name="Emg"), AMP16)
    assert both.channels == EMG_LABELS


@pytest.mark.parametrize(
    ("criteria", "partner", "error", "words"),
    [
        (ANY, SourceSpec(name="None"), StreamNotFound, "No stream on the network is name 'None'; there is 'Eeg'"),
        (SourceSpec(name="None"), SourceSpec(name="Emg"), StreamNotFound, "No stream on the network is name 'None'"),
        (SourceSpec(name="Eeg"), SourceSpec(name="Eeg"), StreamRefused, "Stream 'Eeg' on bed4-pc was named twice"),
        (SourceSpec(name="Eeg"), SourceSpec(name="Slow"), StreamRefused, "'Slow' on bed4-pc runs at 500 Hz"),
        (SourceSpec(name="Eeg"), SourceSpec(name="Few"), StreamRefused, "stream 'Few' on bed4-pc together lack RF, BF"),
        (SourceSpec(name="Whole"), SourceSpec(name="Eeg"), StreamRefused, "one too many: stream 'Eeg' .* adds nothing"),
        (SourceSpec(name="Few"), SourceSpec(name="Whole"), StreamRefused, "does not fit: The unit of channel RFP"),
        (SourceSpec(), SourceSpec(name="Few"), StreamRefused, "None of 4 pairs of streams fits"),
    ],
)
def test_two_that_were_named_and_do_not_fit_are_refused_with_the_reason(criteria, partner, error, words) -> None:
    """What is missing, what is one too many, what does not fit by itself (law 10)."""
    few = info("Few", ("VM", "RFP", "ST", "GMAX"), units=(None,) * 4)
    slow = info("Slow", EMG_LABELS, rate_hz=500.0)
    with pytest.raises(error, match=words):
        choose_sources([EEG, EMG, few, slow, WHOLE], criteria, partner, AMP16)


def test_the_sample_counter_is_the_signal_s_and_each_stream_s_own() -> None:
    """The grid is counted by its own counter; the partner's is used where it has one."""
    counted = [replace(one, labels=(*one.labels, "count"), units=(*one.units, None)) for one in (EEG, EMG)]
    counted = [replace(one, channel_count=len(one.labels)) for one in counted]
    both = fit_pair(*counted, COUNTED)
    assert both.channels == (*EMG_LABELS, "COUNT")
    first, second = halves(COUNTED, both.channels)
    assert (first.counter, second.counter, second.counter_modulo) == ("COUNT", "COUNT", 256)
    assert (first.labels, second.labels) == (EEG_LABELS, EMG_LABELS)
    alone = fit_pair(counted[0], EMG, COUNTED)
    assert halves(COUNTED, alone.channels)[1].counter is None
    with pytest.raises(StreamRefused, match="COUNT is missing"):
        fit_pair(EEG, counted[1], COUNTED)


def test_two_real_streams_are_found_and_bound() -> None:
    """On the network, by their descriptions, with nothing named but the two ids."""
    eeg_id, emg_id = uuid.uuid4().hex, uuid.uuid4().hex
    with ExitStack() as stack:
        for source_id, labels, kind in ((emg_id, EMG_LABELS, "emg"), (eeg_id, EEG_LABELS, "eeg")):
            spec = OutletSpec("Half", source_id, labels, (kind,) * len(labels), ("uV",) * len(labels), 1000.0)
            stack.enter_context(SignalOutlet(spec))
        found = bind_sources(SourceSpec(source_id=eeg_id), None, AMP16)
        assert found.partner is not None
        assert (found.signal.source_id, found.partner.source_id) == (eeg_id, emg_id)
        named = bind_sources(SourceSpec(source_id=emg_id), SourceSpec(source_id=eeg_id), AMP16)
        assert (named.signal.source_id, named.channels) == (emg_id, EEG_LABELS)
        assert found.line == f"{found.signal.line} with {found.partner.line}"
