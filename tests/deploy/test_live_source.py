"""A session that goes on after a restart of the bridge, of its machine, or of the amplifier's: what was lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acquisition.chain import Chain, drive
from acquisition.clock import FakeClock
from acquisition.clock_map import mark
from acquisition.decisions import Decision
from acquisition.formats.xdf_header import StreamHeader
from acquisition.inlet import Chunk
from acquisition.items import Raw
from acquisition.seeker import Seeker
from acquisition.session import SessionFolder
from acquisition.stream_source import Opened
from acquisition.tape import resume_point, tape_of_folder
from deploy import live_source
from deploy.live_source import Searches, open_live
from tests.acquisition.scripted import INFO, MONTAGE, ScriptedInlet, ScriptedSearch
from tests.streaming.bridging import make_info

#: When the first part began, by the wall; and where our LSL clock and the sender's stood then.
BEGUN = datetime(2026, 1, 1, 12, tzinfo=UTC)
OURS_S, SENDERS_S = 50_000.0, 7_000.0
#: Samples that the first life recorded.
N = 5_000
SOURCE = {"kind": "lsl", "name": "Amp", "source_id": "amp-1", "hostname": "bed4-pc", "channel_count": 2}
HEADER = StreamHeader(
    "Amp", "EEG", "float32", 1000.0, 2, INFO.labels, INFO.units, source_id="amp-1", hostname="bed4-pc", uid="u1"
)


@pytest.fixture
def search(monkeypatch) -> ScriptedSearch:
    """Return the search that is begun for the stream."""
    begun = ScriptedSearch(None, {}, "")

    def seek(*_: Any, known: Any) -> ScriptedSearch:
        begun.known = known
        return begun

    monkeypatch.setattr(live_source, "seek_stream", seek)
    return begun


@pytest.fixture
def folder(tmp_path) -> SessionFolder:
    """Return a session of five seconds whose bridge died."""
    info = make_info(mode="live", origin="live", source=SOURCE, montage=MONTAGE.to_json())
    made = SessionFolder.create(tmp_path, info)
    record(made, 1, N, boot="old")
    return made


def record(
    folder: SessionFolder, part: int, n: int, *, boot: str, passed_s: float = 0.0, offsets: bool = True,
    stamped_s: float = SENDERS_S,
) -> None:  # fmt: skip
    """Record a life that began so long after the first; it opens a segment for its own."""
    writer = folder.open_part([HEADER, StreamHeader("Amp markers", "Markers", "string", 0.0, 1)])
    clock = FakeClock(lsl_s=OURS_S + passed_s, utc=BEGUN + timedelta(seconds=passed_s), boot=boot)
    folder.update(clock=(*folder.info.clock, mark(part, clock)))
    grid = round(passed_s * 1000)
    if part > 1:
        folder.append_decision(Decision("lost", part, 0, 0, {"n": grid - N, "reason": "resume"}))
    segment = {"segment": part - 1, "first_sample": grid, "reason": "start" if part == 1 else "resume"}
    folder.append_decision(Decision("segment", part, 0, 0, segment))
    writer.append(0, np.zeros((n, 2), np.float32), stamped_s + passed_s + np.arange(n) / 1000.0)
    if offsets:
        writer.offset(0, stamped_s + passed_s, OURS_S - SENDERS_S)
    writer.sync()


def go_on(
    folder: SessionFolder, search: ScriptedSearch, away_s: float, *, ours_s: float, senders_s: float, boot: str
) -> list[Decision]:
    """Let a later life hear the stream for a second, so long after the last sample; return what it decides."""
    wall = BEGUN + timedelta(seconds=N / 1000 + away_s)
    clock = FakeClock(lsl_s=ours_s, utc=wall, boot=boot)
    point = resume_point(folder)
    source = open_live(folder, MONTAGE, point, clock, Searches(folder, MONTAGE), settled=lambda: True)
    inlet = ScriptedInlet(clock, INFO)
    search.found = Opened(INFO, MONTAGE.bind(INFO.labels, INFO.units), inlet)
    source.pull(0.0)
    writer = None
    decisions = []
    for _ in range(50):
        clock.sleep(0.02)
        now_s = senders_s + clock.elapsed_s
        inlet.chunks.append(Chunk(np.zeros((20, 2), np.float32), now_s - np.arange(20, 0, -1) / 1000.0))
        for item in source.pull(0.02):
            writer = writer or folder.open_part(source.headers)
            if isinstance(item, Raw):
                writer.append(0, item.samples, item.stamps)
            elif isinstance(item, Decision) and item.kind != "marker":
                folder.append_decision(item)
                decisions.append(item)
    assert writer is not None and search.known.uid == "u1"
    writer.close()
    return decisions


def lost_of(decisions: list[Decision]) -> int:
    """Return how many samples were lost."""
    return sum(decision.data["n"] for decision in decisions if decision.kind == "lost")


def kinds(decisions: list[Decision]) -> list[str]:
    """Return the kinds of decisions."""
    return [decision.kind for decision in decisions]


def check(folder: SessionFolder, lost: int) -> None:
    """The folder reads back whole: no sample lies far away, none was thrown out, every one is accounted for (law 3)."""
    chain = Chain(MONTAGE)
    list(drive(chain, tape_of_folder(SessionFolder.open(folder.path))))
    ledger = chain.ledger
    assert ledger.received == N + 1_000 and ledger.declared_lost == lost and sum(ledger.rejected.values()) == 0
    assert chain.next_sample == N + 1_000 + lost


@pytest.mark.parametrize("away_s", [4.0, 600.0])
def test_a_bridge_that_was_away_loses_what_the_stamps_say(folder, search, away_s: float):
    """Both machines ran on: to the sample, however long."""
    place = {"ours_s": OURS_S + N / 1000 + away_s, "senders_s": SENDERS_S + N / 1000 + away_s, "boot": "old"}
    decisions = go_on(folder, search, away_s, **place)
    assert kinds(decisions) == ["lost", "segment"]
    assert lost_of(decisions) == round(away_s * 1000)
    check(folder, lost_of(decisions))


def test_a_bridge_whose_machine_was_started_again_loses_what_the_stamps_say(folder, search):
    """Our LSL clock began anew; the amplifier's computer did not, and UTC agrees with it, a second more or less."""
    decisions = go_on(folder, search, 90.4, ours_s=35.0, senders_s=SENDERS_S + 5.0 + 90.0, boot="new")
    assert kinds(decisions) == ["lost", "segment"] and lost_of(decisions) == 90_000
    check(folder, 90_000)


def test_one_machine_that_was_started_again_loses_the_time_by_the_wall(folder, search):
    """Amplifier and bridge on one computer: stamps begin near 0, and lie neither hours away nor in the past."""
    decisions = go_on(folder, search, 180.0, ours_s=35.0, senders_s=35.0, boot="new")
    assert kinds(decisions) == ["lost", "clock_reset", "segment"]
    assert abs(lost_of(decisions) - 180_000) < 100
    check(folder, lost_of(decisions))


def test_a_machine_that_has_run_longer_than_before_is_not_believed(folder, search):
    """Stamps that happen to lie 30 s on, where by the wall ten minutes have passed."""
    decisions = go_on(folder, search, 600.0, ours_s=SENDERS_S + 35.0, senders_s=SENDERS_S + 35.0, boot="new")
    assert kinds(decisions) == ["lost", "clock_reset", "segment"]
    assert abs(lost_of(decisions) - 600_000) < 100


def test_a_wall_clock_that_was_set_back_loses_nothing_by_it(folder, search):
    """After a restart with an empty battery: nobody knows, and 0 is declared lost."""
    decisions = go_on(folder, search, -86_400.0 * 300, ours_s=35.0, senders_s=35.0, boot="new")
    assert kinds(decisions) == ["clock_reset", "segment"]
    check(folder, 0)


def test_a_session_of_long_ago_loses_a_day(folder, search):
    """Past its plan, which ends it: what is sent now is another patient's."""
    decisions = go_on(folder, search, 86_400.0 * 900, ours_s=35.0, senders_s=35.0, boot="new")
    assert kinds(decisions) == ["lost", "clock_reset", "segment"]
    assert abs(lost_of(decisions) - 86_400_000) < 100


def test_a_life_that_was_too_short_to_measure_goes_by_the_one_before(folder, search):
    """It was killed within its first second; its machine is the same start of it."""
    record(folder, 2, 200, boot="old", passed_s=10.0, offsets=False)
    place = {"ours_s": OURS_S + 510.2, "senders_s": SENDERS_S + 510.2, "boot": "old"}
    decisions = go_on(folder, search, 505.2, **place)
    assert kinds(decisions) == ["lost", "segment"] and lost_of(decisions) == 500_000


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: folder.update(clock=()),
        lambda folder: record(folder, 2, 200, boot="new", passed_s=10.0, offsets=False),
        lambda folder: record(folder, 2, 200, boot="old", passed_s=10.0, stamped_s=SENDERS_S + 10_000.0),
    ],
    ids=["no map", "never measured", "stamps of another clock"],
)
def test_where_nothing_tells_the_time_the_stamps_do(folder, search, spoil: Callable[[SessionFolder], None]):
    """As before there was a map: up to a minute on, and beyond it a reset with 0 lost."""
    spoil(folder)
    last_s = float(folder.part(folder.part_numbers()[-1]).stamps[-1])
    decisions = go_on(folder, search, 505.2, ours_s=OURS_S + 510.2, senders_s=last_s + 30.0, boot="old")
    assert kinds(decisions) == ["lost", "segment"] and lost_of(decisions) == 29_999


def test_a_session_of_an_open_search_is_closed_with_it(tmp_path: Path, search):
    """What nobody takes is not left looking."""
    made = SessionFolder.create(tmp_path, make_info(source=SOURCE))
    searches = Searches(made, MONTAGE)
    assert search.known is None and not isinstance(search, Seeker)
    searches.close()
    assert search.stopped
