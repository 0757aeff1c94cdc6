"""Two live streams as one source: found one after the other, told as one, on real LSL where it matters."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace

import numpy as np
import pytest

from acquisition.clock import FakeClock, LiveClock
from acquisition.decisions import Decision
from acquisition.discovery import SourceSpec
from acquisition.errors import StreamNotFound
from acquisition.inlet import lsl_clock_s
from acquisition.items import PARTNER, Item, Raw
from acquisition.montage import Channel, Montage
from acquisition.outlet import OutletSpec, SignalOutlet
from acquisition.pair_source import BY_BADNESS, PairSource
from acquisition.pairer import Pairer
from acquisition.partners import halves
from acquisition.source import StampJudge
from acquisition.stamps import StampDecider
from acquisition.stream_source import StreamSource
from acquisition.timing import Timing

MONTAGE = Montage("pair", 1000.0, (Channel("C3", "eeg"), Channel("C4", "eeg"), Channel("RF", "emg", "mV")))
EEG, EMG = halves(MONTAGE, ("RF",))


class Desk:
    """Two amplifiers that are switched on and off by hand, and the source that listens to them."""

    def __init__(self) -> None:
        self.ids = {"Eeg": uuid.uuid4().hex, "Emg": uuid.uuid4().hex}
        self.outlets: dict[str, SignalOutlet] = {}
        self._sent_s: dict[str, float] = {}

    def on(self, name: str) -> None:
        """Switch one on."""
        half = {"Eeg": EEG, "Emg": EMG}[name]
        dtype = {"Eeg": "float32", "Emg": "int16"}[name]
        labels = half.labels
        spec = OutletSpec(name, self.ids[name], labels, half.kinds, ("uV",) * len(labels), 1000.0, dtype=dtype)
        self.outlets[name] = SignalOutlet(spec)
        self._sent_s[name] = lsl_clock_s()

    def off(self, name: str) -> None:
        """Switch one off."""
        self.outlets.pop(name).close()

    def send(self) -> None:
        """Send what those that are on have taken since the last time: the millisecond in which each was taken."""
        now_s = lsl_clock_s()
        for name, outlet in self.outlets.items():
            first, stop = math.ceil(self._sent_s[name] * 1000), math.ceil(now_s * 1000)
            self._sent_s[name] = now_s
            times = np.arange(first, stop)
            rows = np.repeat((times % 10_000)[:, None], len(outlet.spec.labels), axis=1)
            outlet.push(rows.astype(np.float32 if name == "Eeg" else np.int16), times / 1000)

    def source(self, *, patience_s: float = 15.0, **more) -> PairSource:
        """Return the source of both."""
        clock = LiveClock(lsl_clock_s)
        streams = [
            StreamSource(
                SourceSpec(name, self.ids[name]),
                half,
                StampJudge(StampDecider(1000.0, part=1, any_rate=True), half),
                clock,
                patience_s=patience_s,
                marked=name == "Eeg",
            )
            for name, half in (("Eeg", EEG), ("Emg", EMG))
        ]
        return PairSource(*streams, MONTAGE, lambda columns: Pairer(1000.0, columns), clock, **more)


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Return two amplifiers that are off."""
    made = Desk()
    yield made
    for name in list(made.outlets):
        made.off(name)


def pull_until(source: PairSource, desk: Desk, seen, tries: int = 1000) -> list[Item]:
    """Let the amplifiers send and the source pull until something is among what came."""
    items: list[Item] = []
    for _ in range(tries):
        desk.send()
        items += source.pull(0.02)
        if seen(items):
            return items
    raise AssertionError(f"it never came; the source is {source.state}")


def paired(n_samples: int = 1):
    """Return whether so many rows with their partners are there."""
    return lambda items: sum(len(i) for i in items if isinstance(i, Raw) and i.partner is not None) >= n_samples


def test_two_streams_are_handed_over_in_one_order(desk: Desk) -> None:
    """Both in their own types, side by side as the montage has them; what was taken at one time is in one row."""
    desk.on("Eeg")
    with ExitStack() as stack:
        source = desk.source()
        stack.callback(source.close)
        for _ in range(20):
            desk.send()
            assert source.pull(0.02) == [] and source.headers == (), "nothing before both were found"
        desk.on("Emg")
        items = pull_until(source, desk, paired(1000))
        assert [header.name for header in source.headers] == ["Eeg", "Eeg markers", "Emg"]
        rows = [item for item in items if isinstance(item, Raw) and item.partner is not None]
        assert {(r.samples.dtype.name, r.partner.samples.dtype.name, r.rows.dtype.name) for r in rows} == {
            ("float32", "int16", "float32")
        }
        together = np.concatenate([source.binding.to_uv(row.rows) for row in rows])
        assert np.abs(together[:, 0] - together[:, 2]).max() <= 1
        first = next(item for item in items if isinstance(item, Decision) and item.stream != PARTNER)
        assert (first.kind, first.data["reason"]) == ("segment", "start"), "its partner was there before the first row"
        early = [i.data["reason"] for i in items if isinstance(i, Decision) and i.kind == "unpaired"]
        assert set(early) <= {"absent"}, "what the partner sent before has no row"
        assert source.calibration_at(0) is None and not source.finished


def test_how_they_stand_is_known_once_both_clocks_are(desk: Desk) -> None:
    """The error is what is left after whole samples, the uncertainty that of both clocks' offsets."""
    desk.on("Eeg")
    desk.on("Emg")
    source = desk.source()
    assert (source.pairing.error_s, source.pairing.uncertainty_s) == (None, None)
    pull_until(source, desk, paired(500))
    now = source.pairing
    assert now.state in ("LIVE", "SETTLING") and abs(now.error_s) < 1e-3 and 0 < now.uncertainty_s < 0.1
    assert len(source.timing) == 2
    source.close()


def test_a_partner_that_never_comes_is_given_up_with_its_name(desk: Desk) -> None:
    """It was there when the session was opened: after its patience the search says what it looked for."""
    desk.on("Eeg")
    source = desk.source(patience_s=0.0)
    with pytest.raises(StreamNotFound, match=desk.ids["Emg"]):
        pull_until(source, desk, lambda _: False)
    source.close()


def test_a_partner_that_an_earlier_life_knew_is_not_waited_for(desk: Desk) -> None:
    """A bridge that was started again goes on without it: what lacks its samples is lost until it is there (law 3)."""
    desk.on("Eeg")
    desk.on("Emg")
    earlier = desk.source()
    pull_until(earlier, desk, paired())
    header = earlier.headers[2]
    earlier.close()
    desk.off("Emg")
    source = desk.source(partner_header=header)
    items = pull_until(source, desk, lambda items: any(isinstance(i, Decision) and i.kind == "reject" for i in items))
    assert source.state[0] == "SEARCHING" and source.state[1].startswith("second stream: searching")
    assert [i.data["reason"] for i in items if isinstance(i, Decision)][:2] == ["unpaired", "partner"]
    desk.on("Emg")
    pull_until(source, desk, paired())
    source.close()


@pytest.mark.parametrize("worse", range(len(BY_BADNESS)))
def test_the_worse_of_both_is_told(worse: int) -> None:
    """The partner's cause names it; of two that are equally bad both are told."""
    silent = SimpleNamespace(state=(BY_BADNESS[worse], "why"), info=SimpleNamespace(name="Emg"))
    for better in range(worse):
        live = SimpleNamespace(state=(BY_BADNESS[better], "what"), info=None)
        assert _told(live, silent) == (BY_BADNESS[worse], "Emg: why")
        assert _told(silent, live) == (BY_BADNESS[worse], "why")
    assert _told(silent, silent) == (BY_BADNESS[worse], "why; Emg: why")


def test_an_uncertainty_that_is_half_known_is_none() -> None:
    """One clock's offset alone says nothing of the distance between two."""
    known, unknown = (SimpleNamespace(state=("LIVE", ""), timing=(Timing(uncertainty_s=u),)) for u in (0.1, None))
    assert _pair(known, known).pairing.uncertainty_s == 0.2
    assert _pair(known, unknown).pairing.uncertainty_s is None


def _told(signal: SimpleNamespace, partner: SimpleNamespace) -> tuple[str, str]:
    return _pair(signal, partner).state


def _pair(signal: SimpleNamespace, partner: SimpleNamespace) -> PairSource:
    return PairSource(signal, partner, MONTAGE, lambda columns: Pairer(1000.0, columns), FakeClock())
