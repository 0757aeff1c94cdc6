"""The very stream that was lost is found again, on the real loopback network; anything else is told why it is not."""

from __future__ import annotations

import socket
import time
import uuid
from contextlib import ExitStack
from dataclasses import replace

import pytest

from acquisition.discovery import ASK_S, MARKERS_WAIT_S, Lookout, SourceSpec, StreamInfo, bind_stream, find_streams
from acquisition.errors import AmbiguousStream, BadInput, RateError, StreamRefused
from acquisition.montage import load_montage
from acquisition.outlet import MarkerOutlet, OutletSpec, SignalOutlet
from acquisition.rediscovery import MarkerSearch, Rediscovery, changes

AMP16 = load_montage("amp16")
KNOWN = StreamInfo("Amp16", "EEG", "amp-1", "bed4-pc", "u1", 16, 1000.0, "float32", AMP16.labels, ("uV",) * 16)


@pytest.fixture
def spec() -> OutletSpec:
    """Return a stream that fits, with an id of its own."""
    return OutletSpec.of(AMP16, "Amp16", uuid.uuid4().hex)


@pytest.fixture
def lost(spec) -> StreamInfo:
    """Return a stream that was there and is gone."""
    with SignalOutlet(spec):
        return bind_stream(SourceSpec(source_id=spec.source_id, hostname=socket.gethostname()), AMP16)[0]


@pytest.fixture
def offer():
    """Return a function that offers streams until the test ends."""
    with ExitStack() as stack:
        yield lambda spec: stack.enter_context(SignalOutlet(spec))


def poll(search, timeout_s: float = 5.0):
    """Return what the search finds in time."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        if (found := search.poll()) is not None:
            return found
        time.sleep(0.02)
    return None


def polled_until_refused(search, refusal: type[Exception], timeout_s: float = 5.0) -> Exception:
    """Poll until what is there is refused; another refusal on the way is not it."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        try:
            search.poll()
        except refusal as error:
            return error
        time.sleep(0.02)
    raise AssertionError(f"no {refusal.__name__}")


def test_a_lost_stream_is_found_again_by_its_source_id(lost, spec, offer):
    """A restarted amplifier has another uid and is the same source."""
    search = Rediscovery(lost, AMP16)
    assert search.poll() is None
    offer(spec)
    info, binding = poll(search)
    assert (info.source_id, info.uid != lost.uid) == (spec.source_id, True)
    assert binding.columns == tuple(range(16))


def test_one_that_states_no_source_id_is_found_by_its_name(spec, offer):
    """Its name and host are all that it has."""
    nameless = replace(spec, name=f"Amp {spec.source_id}", source_id="")
    outlet = offer(nameless)
    info, _ = bind_stream(SourceSpec(name=nameless.name), AMP16)
    outlet.close()
    offer(replace(nameless, name="Another"))
    offer(nameless)
    found, _ = poll(Rediscovery(info, AMP16))
    assert found.name == nameless.name and found.uid != info.uid


def test_a_stream_that_comes_back_changed_is_refused_until_the_right_one_does(lost, spec, offer):
    """A montage is not changed in the middle of a session; what was changed back is taken."""
    search = Rediscovery(lost, AMP16)
    changed = offer(replace(spec, labels=("Cz", *AMP16.labels[1:])))
    refusal = polled_until_refused(search, StreamRefused)
    assert "Stream 'Amp16' on" in str(refusal) and "came back with channel Cz instead of C3." in str(refusal)
    assert "Set it up as it was" in str(refusal)
    changed.close()
    offer(spec)
    assert poll(_patient(search)) is not None


def _patient(search: Rediscovery):
    """Return a search whose refusals of a stream that has just gone are waited out."""

    class Patient:
        def poll(self):
            try:
                return search.poll()
            except BadInput:
                return None

    return Patient()


def test_two_that_are_it_are_refused_and_listed(lost, spec, offer):
    """A copy of a stream is no reason to take the first."""
    offer(spec)
    offer(spec)
    refusal = polled_until_refused(Rediscovery(lost, AMP16), AmbiguousStream)
    assert f"2 streams are source_id {spec.source_id!r} and hostname" in str(refusal)


def test_the_very_outlet_that_was_open_is_taken_whatever_else_has_its_name(spec, offer):
    """A connection that broke, or a bridge that did: the outlet lives on, and is known by its uid."""
    offer(spec)
    offer(spec)
    seen = [info for info in find_streams() if info.source_id == spec.source_id]
    assert len(seen) == 2
    for info in seen:
        assert _until(lambda info=info: poll(_patient(Rediscovery(info, AMP16)))[0].uid == info.uid)


def test_of_streams_that_share_an_id_the_name_tells(lost, spec, offer):
    """A device that gives its motion sensor the id of its electrodes."""
    offer(replace(spec, name="Motion", labels=tuple(f"X{i}" for i in range(16))))
    offer(spec)
    assert poll(_patient(Rediscovery(lost, AMP16)))[0].name == "Amp16"


def test_a_stream_that_was_barred_is_told_until_it_is_started_again(lost, spec, offer):
    """One that ran at a wrong rate is not taken a second time."""
    wrong = offer(spec)
    uid = poll(Rediscovery(lost, AMP16))[0].uid
    barred = RateError("It runs at 985 Hz.")
    search = Rediscovery(lost, AMP16, barred={uid: barred})
    assert polled_until_refused(search, RateError) is barred
    wrong.close()
    offer(spec)
    assert poll(_patient(search))[0].uid != uid


def test_a_silent_stream_that_answers_is_the_only_one(lost, spec, offer):
    """It is no news itself, and another one of its name is one too many; once it has gone the other is it."""
    silent = offer(spec)
    uid = poll(Rediscovery(lost, AMP16))[0].uid
    search = Rediscovery(lost, AMP16, silent=uid)
    assert poll(search, 4 * ASK_S) is None
    offer(spec)
    assert "2 streams are" in str(polled_until_refused(search, AmbiguousStream))
    silent.close()
    assert poll(_patient(search))[0].uid != uid


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rate_hz": 500.0}, "500 Hz instead of 1000"),
        ({"dtype": "int16"}, "samples of type int16 instead of float32"),
        ({"channel_count": 8, "labels": AMP16.labels[:8]}, "8 channels instead of 16"),
        ({"units": ("mV", *("uV",) * 15)}, "unit mV instead of uV"),
        ({"units": (None, *("uV",) * 15)}, "unit none instead of uV"),
        ({"labels": AMP16.labels[1::-1] + AMP16.labels[2:]}, "channel C1 instead of C3, C3 instead of C1"),
        ({"labels": tuple(f"X{i}" for i in range(16))},
         "channel X0 instead of C3, X1 instead of C1, X2 instead of C2 and 13 more"),
        ({"rate_hz": 500.0, "dtype": "int16"}, "500 Hz instead of 1000 and samples of type int16 instead of float32"),
        ({"uid": "u2", "name": "Amp17", "type": "ExG"}, None),
    ],
)  # fmt: skip
def test_what_a_stream_has_become_is_said(change, words):
    """Rate, count, type, labels, units: what it was and what it is; a name may change."""
    assert changes(KNOWN, replace(KNOWN, **change)) == words


def test_what_was_never_known_may_be_anything():
    """A session of an earlier version names its stream and says no more of it."""
    bare = replace(KNOWN, dtype="", labels=(), units=(), rate_hz=0.0)
    assert changes(bare, replace(KNOWN, dtype="int16", units=("mV",) * 16)) is None


def test_a_lookout_sees_who_comes_and_forgets_who_goes(spec):
    """It asks again and again; nobody waits."""
    lookout = Lookout()
    assert spec.source_id not in {info.source_id for info in lookout.look()}
    sees = lambda: spec.source_id in {info.source_id for info in lookout.look()}  # noqa: E731
    with SignalOutlet(spec):
        assert _until(sees)
    assert _until(lambda: not sees())


def _until(true, timeout_s: float = 5.0) -> bool:
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        if true():
            return True
        time.sleep(0.02)
    return False


def test_a_signal_s_own_markers_are_found_at_once_and_late(lost, spec):
    """Called after its source_id; whenever they come."""
    search = MarkerSearch(lost)
    assert search.poll() is None
    with MarkerOutlet("Cues", spec.source_id), MarkerOutlet("Other", "other"):
        assert poll(search).name == "Cues"


def test_the_only_markers_of_the_host_are_taken_when_all_have_answered(lost):
    """Once; those that are called after another signal are that signal's."""
    began_s = time.monotonic()
    search = MarkerSearch(lost)
    with MarkerOutlet("Alone", uuid.uuid4().hex):
        assert poll(search).name == "Alone"
        assert time.monotonic() - began_s >= MARKERS_WAIT_S
        assert search.poll() is None
    other = OutletSpec.of(AMP16, "Bed 5", uuid.uuid4().hex)
    with SignalOutlet(other), MarkerOutlet("Cues of bed 5", other.source_id):
        assert poll(MarkerSearch(lost), MARKERS_WAIT_S + 4 * ASK_S) is None


def test_markers_that_were_named_are_the_only_ones(lost, spec):
    """The session's own description says which."""
    named = uuid.uuid4().hex
    search = MarkerSearch(lost, SourceSpec(source_id=f"{named}-markers"))
    with MarkerOutlet("Own", spec.source_id):
        assert poll(search, 4 * ASK_S) is None
        with MarkerOutlet("Named", named):
            assert poll(search).name == "Named"
