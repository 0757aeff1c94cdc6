"""Two amplifiers on a table: each with its own clock, its own faults, and a channel that carries the true time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, pairwise, zip_longest

import numpy as np

from acquisition.chain import Chain, ChainSpec, Step, drive
from acquisition.decisions import Decision
from acquisition.formats.xdf_header import StreamHeader
from acquisition.items import MARKERS, PARTNER, SIGNAL, ClockOffset, Item, Raw, RawMarker, interleave
from acquisition.ledger import Ledger
from acquisition.montage import Channel, Montage
from acquisition.pairer import Pairer
from acquisition.pairing import partner_columns
from acquisition.session import SessionFolder
from acquisition.stamps import StampDecider
from acquisition.tape import resume_point, tape_of_folder
from acquisition.windowing import Window

RATE = 1000.0
#: Channel 0 of each is the true time of the sample, in samples; the EMG amplifier sends whole counts, 64 to a sample.
EMG_SCALE = 64
EEG_LABELS, EMG_LABELS = ("TIME", "C3", "C4", "C1", "C2"), ("EMGTIME", "RF", "BF")
MONTAGE = Montage(
    "pair",
    RATE,
    (
        *(Channel(label, "eeg") for label in EEG_LABELS),
        *(Channel(label, "emg") for label in EMG_LABELS),
    ),
)
#: Samples that a sender with jitter stamps at once.
JITTER_CHUNK = 20
COLUMNS = partner_columns(EEG_LABELS, EMG_LABELS)
BINDING = MONTAGE.bind(EEG_LABELS + EMG_LABELS, ("uV",) * 8)


def header(name: str, labels: Sequence[str], word: str = "float32") -> StreamHeader:
    """Return a stream's header."""
    return StreamHeader(name, "EEG", word, RATE, len(labels), tuple(labels), ("uV",) * len(labels), source_id=name)


HEADERS = (
    header("Eeg", EEG_LABELS),
    StreamHeader("Cues", "Markers", "string", 0.0, 1),
    header("Emg", EMG_LABELS, "int32"),
)


@dataclass
class Amplifier:
    """One amplifier: what it sends, in the making.

    Parameters
    ----------
    n_samples : int
        That it takes.
    start : float
        True time of its first sample, in samples.
    ppm : float
        By how much it runs fast.
    clock_s : float
        What its clock shows at true time 0.
    n_channels : int
        The true time, then noise.
    dtype : str
        Of its samples; of whole numbers for the EMG amplifier.
    jitter : float
        Most that the stamps of a chunk of ``JITTER_CHUNK`` are late, in samples.
    """

    n_samples: int
    start: float = 0.0
    ppm: float = 0.0
    clock_s: float = 0.0
    n_channels: int = 5
    dtype: str = "float32"
    jitter: float = 0.0
    truth: np.ndarray = field(init=False)
    stamps: np.ndarray = field(init=False)
    samples: np.ndarray = field(init=False)
    #: True time, offset: as measured.
    offsets: list[tuple[float, float]] = field(init=False)
    _clock_s: list[tuple[float, float]] = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.n_samples + self.n_channels)
        self.truth = self.start + np.arange(self.n_samples) / (1 + self.ppm * 1e-6)
        late = np.repeat(rng.uniform(0, self.jitter, self.n_samples), JITTER_CHUNK)[: self.n_samples]
        self.stamps = self.clock_s + (self.truth + late) / RATE
        self.samples = rng.normal(scale=20.0, size=(self.n_samples, self.n_channels))
        self.samples[:, 0] = self.truth * (EMG_SCALE if self.dtype == "int32" else 1)
        self.samples = self.samples.astype(self.dtype)
        self._clock_s = [(-np.inf, self.clock_s)]
        self.offsets = [
            (t, -self.clock_s) for t in np.arange(self.start, self.truth[-1] if len(self.truth) else 0, 5000)
        ]

    def keep(self, chosen: np.ndarray) -> None:
        """Leave samples out, or repeat them."""
        self.truth, self.stamps, self.samples = self.truth[chosen], self.stamps[chosen], self.samples[chosen]

    def drop(self, first: int, n: int) -> None:
        """Never send n samples."""
        self.keep(np.delete(np.arange(len(self.truth)), slice(first, first + n)))

    def repeat(self, first: int, n: int) -> None:
        """Send n samples twice."""
        order = np.arange(len(self.truth))
        self.keep(np.insert(order, min(first + n, len(order)), order[first : first + n]))

    def reset(self, first: int, step_s: float) -> None:
        """Set the clock at a sample; it is measured again 0.3 s later."""
        at = float(self.truth[first])
        self.stamps[first:] += step_s
        self.offsets = [(t, offset_s - step_s * (t >= at)) for t, offset_s in self.offsets]
        self._clock_s.append((at, step_s))
        self.offsets = sorted([*self.offsets, (at + 300, -sum(step for t, step in self._clock_s if t <= at + 300))])

    def chunks(self, sizes: Sequence[int], decider: StampDecider | None = None) -> list[tuple[float, list[Item]]]:
        """Return what its source hands over, judged, each chunk with the true time of its last sample."""
        decider = decider or StampDecider(RATE, part=1)
        offsets = list(self.offsets)
        made: list[tuple[float, list[Item]]] = []
        at = 0
        for size in cycle(sizes):
            if at >= len(self.truth):
                return made
            items: list[Item] = []
            for start, stop in self._between(at, min(at + size, len(self.truth)), offsets):
                while offsets and offsets[0][0] <= self.truth[start]:
                    time, offset_s = offsets.pop(0)
                    items.append(ClockOffset(0, time / RATE, offset_s))
                raw = Raw(self.samples[start:stop], self.stamps[start:stop])
                items += interleave(raw, start, decider.push(raw.stamps))
            at = min(at + size, len(self.truth))
            made.append((float(np.max(self.truth[:at])), items))

    def _between(self, start: int, stop: int, offsets: list[tuple[float, float]]) -> Iterator[tuple[int, int]]:
        """Cut a chunk where an offset was measured, so that each stands at its own sample however the chunks lie."""
        cuts = [int(np.argmax(self.truth >= t)) for t, _ in offsets if (self.truth >= t).any()]
        edges = sorted({start, stop, *(cut for cut in cuts if start < cut < stop)})
        return pairwise(edges)


@dataclass
class Network:
    """How long what an amplifier sent is under way, in samples of true time.

    Parameters
    ----------
    delay : float
        Always.
    stalls : sequence of (float, float)
        From a moment on for so long nothing comes through; then all of it at once.
    """

    delay: float = 5.0
    stalls: Sequence[tuple[float, float]] = ()

    def arrival(self, sent: float) -> float:
        """Return when what was sent at a moment arrives."""
        due = sent + self.delay
        for start, length in self.stalls:
            due = start + length if start <= due < start + length else due
        return due


def all_there(one: Amplifier, two: Amplifier, sizes=(1000,), other_sizes=(1000,), **settings: object) -> list[Item]:
    """Pair two amplifiers whose samples are all there, chunk by chunk."""
    pairer = Pairer(RATE, COLUMNS, patience_s=np.inf, **settings)
    out: list[Item] = []
    for first, second in zip_longest(one.chunks(sizes), two.chunks(other_sizes), fillvalue=(0.0, [])):
        out += pairer.push(first[1], second[1], 0.0)
    return out + pairer.finish()


def live(
    one: list[tuple[float, list[Item]]],
    two: list[tuple[float, list[Item]]],
    networks: Sequence[Network] = (Network(), Network()),
    pairer: Pairer | None = None,
    until: float = 0.0,
) -> Iterator[list[Item]]:
    """Pair what ``Amplifier.chunks`` gives as it arrives, asked every 20 ms as a bridge does."""
    pairer = pairer or Pairer(RATE, COLUMNS)
    waiting = sorted(
        (network.arrival(sent), which, n, items)
        for which, (chunks, network) in enumerate(zip((one, two), networks, strict=True))
        for n, (sent, items) in enumerate(chunks)
    )
    now = waiting[0][0] if waiting else 0.0
    while waiting or now < until:
        due = [entry for entry in waiting if entry[0] <= now]
        waiting = waiting[len(due) :]
        first, second = ([item for _, which, _, items in due if which == side for item in items] for side in (0, 1))
        yield pairer.push(first, second, now / RATE)
        now += 20


class Life:
    """One life of a bridge: resumed from the folder, then written and obeyed item by item."""

    def __init__(self, folder: SessionFolder, spec: ChainSpec) -> None:
        self.folder = folder
        folder.recover()
        self.point = resume_point(folder)
        self.chain = Chain(MONTAGE, spec=spec)
        self.steps: list[Step] = list(drive(self.chain, tape_of_folder(folder), folder.append_decision))
        self.writer = folder.open_part(HEADERS)
        place = {"next_sample": self.point.next_sample, "next_segment": self.point.next_segment}
        self.pairer = Pairer(RATE, COLUMNS, part=self.writer.part, **place)
        self.decider = StampDecider(RATE, part=self.writer.part, previous=self.point.previous, **place)

    @property
    def windows(self) -> list[Window]:
        """The windows so far."""
        return [window for step in self.steps for window in step.windows]

    def take(self, items: Iterable[Item]) -> None:
        """Record and obey."""
        for item in items:
            if isinstance(item, Decision):
                self._decide(item.kind, item.stream, item.data)
            elif isinstance(item, RawMarker):
                self.writer.append(MARKERS, [item.text], np.array([item.stamp_s]))
            elif isinstance(item, ClockOffset):
                self.writer.offset(item.stream, item.time_s, item.offset_s)
            elif item.stream == PARTNER:
                self.writer.append(PARTNER, item.samples, item.stamps)
            else:
                self._push(item)

    def _decide(self, kind: str, stream: int, data: Mapping[str, object]) -> None:
        decision = Decision(kind, self.writer.part, stream, self.writer.n_samples(stream), data)
        self.folder.append_decision(decision)
        self.steps.append(self.chain.obey(decision))

    def _push(self, raw: Raw) -> None:
        start = 0
        while start < len(raw):
            piece = raw.part(start, min(start + self.chain.room, len(raw)))
            if piece.partner is not None:
                self.writer.append(PARTNER, piece.partner.samples, piece.partner.stamps)
            self.writer.append(SIGNAL, piece.samples, piece.stamps)
            step = self.chain.push(BINDING.to_uv(piece.rows))
            self.steps.append(step)
            start += step.n_taken
            if step.calibration is not None:
                self._decide("calibration", SIGNAL, step.calibration.to_json())


def read_back(folder: SessionFolder, spec: ChainSpec) -> tuple[list[Window], Ledger]:
    """Return the windows and the ledger that a folder gives to everybody."""
    chain = Chain(MONTAGE, spec=spec)
    windows = [window for step in drive(chain, tape_of_folder(folder)) for window in step.windows]
    return windows, chain.ledger


def bits(windows: Iterable[Window]) -> list[dict[str, object]]:
    """Return all that windows consist of, comparable."""
    return [{**vars(window), "x_uv": window.x_uv.tobytes()} for window in windows]


def by_stream(items: Iterable[Item], stream: int) -> tuple[list[bytes], np.ndarray, np.ndarray]:
    """Return what is recorded of one stream: its decisions, its stamps, and which rows have a partner."""
    decisions, stamps, paired = [], [np.empty(0)], [np.empty(0, bool)]
    for item in items:
        if isinstance(item, Decision) and item.stream == stream:
            decisions.append(item.to_line())
        elif isinstance(item, Raw):
            part = item if item.stream == stream else item.partner
            if part is not None:
                stamps.append(part.stamps)
                paired.append(np.full(len(part), item.partner is not None))
    return decisions, np.concatenate(stamps), np.concatenate(paired)


def distances(items: Iterable[Item]) -> np.ndarray:
    """Return by how many samples of true time each row's partner is after it."""
    rows = [item.joined for item in items if isinstance(item, Raw) and item.partner is not None]
    joined = np.concatenate([np.empty((0, 8)), *rows])
    return joined[:, 5].astype(np.float64) / EMG_SCALE - joined[:, 0].astype(np.float64)


def decided(items: Iterable[Item], kind: str, **data: object) -> list[Decision]:
    """Return the decisions of a kind that say these things."""
    found = [item for item in items if isinstance(item, Decision) and item.kind == kind]
    return [decision for decision in found if data.items() <= dict(decision.data).items()]
