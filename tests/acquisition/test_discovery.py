"""One stream is meant: found, told from others, refused with words. On the real loopback network where it matters."""

import uuid
from contextlib import ExitStack
from dataclasses import replace

import pylsl
import pytest

from acquisition.discovery import (
    SourceSpec,
    StreamInfo,
    bind_markers,
    bind_stream,
    choose,
    find_streams,
    fit,
)
from acquisition.errors import AmbiguousStream, MontageError, StreamNotFound, StreamRefused, UnitError
from acquisition.montage import load_montage
from acquisition.outlet import MarkerOutlet, OutletSpec, SignalOutlet

AMP16 = load_montage("amp16")
GOOD = StreamInfo("Amp16", "EEG", "amp-1", "bed4-pc", "u1", 16, 1000.0, "float32", AMP16.labels, ("uV",) * 16)
MARKERS = StreamInfo("Cues", "Markers", "cues", "bed4-pc", "u2", 1, 0.0, "str")


@pytest.fixture
def offer():
    """Return a function that offers streams until the test ends; every source_id is its own."""
    with ExitStack() as stack:

        def offered(name: str = "Amp16", montage=AMP16, source_id: str = "", **changes) -> SignalOutlet:
            spec = replace(OutletSpec.of(montage, name, source_id or uuid.uuid4().hex), **changes)
            return stack.enter_context(SignalOutlet(spec))

        yield offered


def test_a_stream_that_fits_is_bound_by_its_source_id(offer):
    """Everything that a session must know of its stream is read from its description."""
    offer("Another")
    outlet = offer()
    info, binding = bind_stream(SourceSpec(source_id=outlet.spec.source_id), AMP16)
    assert (info.name, info.source_id, info.channel_count) == ("Amp16", outlet.spec.source_id, 16)
    assert (info.rate_hz, info.dtype, info.origin) == (1000.0, "float32", "simulated")
    assert (info.labels, info.units) == (AMP16.labels, ("uV",) * 16)
    assert info.hostname in info.xml
    assert binding.columns == tuple(range(16))


def test_two_that_fit_are_refused_and_listed(offer):
    """Never the first match: the wrong patient is worse than none."""
    one, two = offer(), offer()
    with pytest.raises(AmbiguousStream, match="2 streams are name 'Amp16'") as refusal:
        bind_stream(SourceSpec(name="Amp16"), AMP16)
    assert one.spec.source_id in str(refusal.value)
    assert two.spec.source_id in str(refusal.value)
    assert "by source_id and hostname" in refusal.value.remedy
    assert refusal.value.exit_code == 3


def test_one_that_fits_is_preferred_to_others_that_do_not(offer):
    """A stream of other channels in the same room is no reason to ask."""
    offer(montage=load_montage("paper22"), labels=tuple(f"X{i}" for i in range(22)))
    fitting = offer()
    info, _ = bind_stream(SourceSpec(name="Amp16"), AMP16)
    assert info.source_id == fitting.spec.source_id


def test_none_within_the_wait_is_refused_with_what_there_is(offer):
    """The words name what was asked for and what was seen."""
    outlet = offer()
    with pytest.raises(StreamNotFound, match=r"is source_id 'nobody'; there is .*Amp16") as refusal:
        bind_stream(SourceSpec(source_id="nobody"), AMP16, wait_s=1.0)
    assert outlet.spec.source_id in refusal.value.message
    assert "16571" in refusal.value.remedy


def test_all_streams_are_listed_with_their_channels(offer):
    """`streams` shows what is there."""
    for i in range(3):
        offer(f"Amp-{i}")
    found = [info for info in find_streams() if info.name.startswith("Amp-")]
    assert [info.name for info in found] == ["Amp-0", "Amp-1", "Amp-2"]
    assert all(info.labels == AMP16.labels for info in found)


def test_the_markers_beside_a_signal_are_found_by_its_source_id(offer):
    """`<source_id>-markers` is the signal's own, whatever else there is."""
    outlet = offer()
    info, _ = bind_stream(SourceSpec(source_id=outlet.spec.source_id), AMP16)
    with MarkerOutlet("Cues", outlet.spec.source_id), MarkerOutlet("Other", "other"):
        found = bind_markers(info)
        assert found is not None
        assert found.source_id == outlet.spec.source_id + "-markers"
        assert found.is_text
        named = bind_markers(info, SourceSpec(name="Other"))
        assert named is not None
        assert named.name == "Other"
        with pytest.raises(StreamNotFound, match="is name 'Third'"):
            bind_markers(info, SourceSpec(name="Third"))
        with pytest.raises(AmbiguousStream, match="2 streams are type 'Markers'"):
            bind_markers(info, SourceSpec(type="Markers"))


def test_a_text_stream_with_the_signal_s_own_source_id_holds_its_markers(offer):
    """MNE-LSL offers annotations so; one with `-markers`, such as the cues, goes before it."""
    outlet = offer()
    own_id = outlet.spec.source_id
    info, _ = bind_stream(SourceSpec(source_id=own_id), AMP16)
    described = pylsl.StreamInfo("Annotations", "annotations", 1, pylsl.IRREGULAR_RATE, "string", own_id)
    annotations = pylsl.StreamOutlet(described)
    found = bind_markers(info)
    assert found is not None
    assert found.name == "Annotations"
    with MarkerOutlet("Cues", own_id):
        found = bind_markers(info)
        assert found is not None
        assert found.name == "Cues"
    del annotations


def test_a_lone_marker_stream_on_the_signal_s_host_is_taken_two_are_not(offer):
    """Without the suffix the only one of type Markers is meant; of two neither is."""
    info, _ = bind_stream(SourceSpec(source_id=offer().spec.source_id), AMP16)
    assert bind_markers(info) is None
    with MarkerOutlet("Cues", uuid.uuid4().hex):
        lone = bind_markers(info)
        assert lone is not None
        assert lone.name == "Cues"
        assert bind_markers(replace(info, hostname="elsewhere")) is None
        with MarkerOutlet("More", uuid.uuid4().hex):
            assert bind_markers(info) is None


def test_a_stream_without_labels_is_refused_with_the_remedy():
    """Channels are matched by label; a count that happens to agree is not a match."""
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo("Bare", "EEG", 16, 1000, "float32", uuid.uuid4().hex))
    with pytest.raises(StreamRefused, match="Stream 'Bare' on .* has 16 channels and labels 0 of them") as refusal:
        bind_stream(SourceSpec(name="Bare"), AMP16)
    assert "Label every channel" in refusal.value.remedy
    del outlet


@pytest.mark.parametrize(
    ("info", "words"),
    [
        (MARKERS, "Stream 'Cues' on bed4-pc carries texts, not a signal."),
        (replace(GOOD, rate_hz=512.0), "Stream 'Amp16' on bed4-pc runs at 512 Hz; montage amp16 needs 1000 Hz."),
        (replace(GOOD, rate_hz=0.0), "Stream 'Amp16' on bed4-pc runs at 0 Hz; montage amp16 needs 1000 Hz."),
        (replace(GOOD, labels=AMP16.labels[:15]), "Stream 'Amp16' on bed4-pc has 16 channels and labels 15 of them."),
    ],
)
def test_what_does_not_fit_is_refused_with_its_value(info: StreamInfo, words: str):
    """Kind, rate and labels each have their sentence."""
    with pytest.raises(StreamRefused) as refusal:
        fit(info, AMP16)
    assert refusal.value.message == words
    assert refusal.value.subject == info.name
    assert refusal.value.remedy


def test_a_channel_or_unit_that_does_not_fit_keeps_its_cause_and_remedy():
    """The montage's own words follow the stream's name."""
    with pytest.raises(StreamRefused, match="does not fit: Channel RF is missing") as missing:
        fit(replace(GOOD, labels=tuple("XX" if label == "RF" else label for label in AMP16.labels)), AMP16)
    assert isinstance(missing.value.__cause__, MontageError)
    with pytest.raises(StreamRefused, match="does not fit: ") as unknown:
        fit(replace(GOOD, units=("furlong",) + ("uV",) * 15), AMP16)
    assert isinstance(unknown.value.__cause__, UnitError)
    assert unknown.value.remedy == unknown.value.__cause__.remedy != ""


def test_a_marker_stream_of_the_same_name_does_not_hide_the_signal():
    """Texts are never a signal, so they make nothing ambiguous."""
    assert choose([replace(MARKERS, name="Amp16"), GOOD], [], SourceSpec(name="Amp16"), AMP16)[0] is GOOD
    with pytest.raises(StreamRefused, match="carries texts"):
        choose([MARKERS], [MARKERS], SourceSpec(name="Cues"), AMP16)


def test_several_that_do_not_fit_are_all_named():
    """Each has its reason."""
    slow, bare = replace(GOOD, name="Slow", rate_hz=250.0), replace(GOOD, name="Bare", labels=())
    with pytest.raises(StreamRefused, match="None of 2 streams fits montage amp16: Stream 'Slow'.*Stream 'Bare'"):
        choose([slow, bare], [], SourceSpec(), AMP16)


def test_nothing_at_all_is_said_so():
    """An empty network is named."""
    with pytest.raises(StreamNotFound, match="No stream on the network is any signal; there is none at all"):
        choose([], [], SourceSpec(), AMP16)


@pytest.mark.parametrize(
    ("criteria", "is_it"),
    [
        (SourceSpec(), True),
        (SourceSpec(name="Amp16", hostname="bed4-pc"), True),
        (SourceSpec(name="amp16"), False),
        (SourceSpec(hostname="bed5-pc"), False),
        (SourceSpec(source_id="amp-1", type="EEG"), True),
    ],
)
def test_criteria_match_to_the_letter_and_all_of_them(criteria: SourceSpec, is_it: bool):
    """What is not asked for may be anything."""
    assert criteria.matches(GOOD) is is_it
