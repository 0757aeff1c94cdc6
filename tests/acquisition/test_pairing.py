"""What was recorded of two streams reads back as one recording, wherever a crash has cut it (laws 2 and 3)."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acquisition.chain import Chain
from acquisition.decisions import Decision
from acquisition.errors import RecordingError
from acquisition.formats.xdf_header import StreamHeader
from acquisition.formats.xdf_writer import MAGIC
from acquisition.items import RawMarker
from acquisition.pairing import join, partner_columns, zipped
from acquisition.parts import PartWriter
from acquisition.recording import Recording
from acquisition.session import SessionFolder
from acquisition.source import FileSource, flatten_decisions, headers_of
from acquisition.stamps import LastSample
from acquisition.tape import resume_point, tape_of, tape_of_folder
from tests.acquisition.conftest import SMALL
from tests.acquisition.test_session import info
from tests.acquisition.two_amplifiers import (
    EEG_LABELS,
    EMG_LABELS,
    EMG_SCALE,
    HEADERS,
    MONTAGE,
    Amplifier,
    Life,
    Network,
    bits,
    live,
    read_back,
)

#: Both amplifiers' samples arrive as they are sent.
AT_ONCE = (Network(), Network())


def reject(at, n, reason="unpaired"):
    """Return a decision that leaves out rows of the signal."""
    return Decision("reject", 1, 0, at, {"n": n, "reason": reason})


def unpaired(at, n, reason="slip"):
    """Return a decision that leaves out samples of the partner."""
    return Decision("unpaired", 1, 2, at, {"n": n, "reason": reason})


def recording(path, labels, samples, **changes):
    """Return one stream of a part."""
    stamps = np.arange(len(samples)) / 1000.0
    made = Recording(path, "", "xdf", tuple(labels), ("uV",) * len(labels), 1000.0, np.asarray(samples), stamps)
    return replace(made, **changes)


@pytest.fixture
def session(tmp_path):
    """Return an empty session of two amplifiers."""
    return SessionFolder.create(tmp_path, info(montage=MONTAGE.to_json()))


def amplifiers(n=6_000, start=0.0, **changes):
    """Return an EEG and an EMG amplifier; the second begins later, runs fast, loses some and repeats some."""
    one = Amplifier(n, start=start, clock_s=100.0)
    two = Amplifier(n, **{"start": start + 37.4, "clock_s": 9_000.0, "n_channels": 3, "dtype": "int32", **changes})
    return one, two


def lived(folder, one, two, networks=AT_ONCE, *, finish=True):
    """Record a life of two amplifiers."""
    life = Life(folder, SMALL)
    chunks = one.chunks((150,), life.decider)
    life.take([RawMarker("preparation", 100.0)])
    for items in live(chunks, two.chunks((130,)), networks, life.pairer, until=chunks[-1][0]):
        life.take(items)
    if finish:
        life.take(life.pairer.finish())
    return life


def chunk_ends(path):
    """Return where each chunk of an XDF file ends."""
    content, at, ends = path.read_bytes(), len(MAGIC), []
    while at < len(content):
        width = content[at]
        at += 1 + width + int.from_bytes(content[at + 1 : at + 1 + width], "little")
        ends.append(at)
    return ends


def places(folder):
    """Return the grid place and the values of every sample that the chain takes from a folder."""
    chain, found, values = Chain(MONTAGE, spec=SMALL), [np.empty(0, int)], [np.empty((0, 8))]
    for item in tape_of_folder(folder):
        if isinstance(item, Decision):
            chain.obey(item)
            continue
        before = chain.ledger.received
        chain.push(item.x_uv)
        n = chain.ledger.received - before
        found.append(np.arange(chain.next_sample - n, chain.next_sample))
        values.append(item.x_uv[len(item.x_uv) - n :])
    return np.concatenate(found), np.concatenate(values)


def test_the_kth_sample_taken_of_each_belong_together() -> None:
    """What decisions leave out of either is left out; those on the partner come back on the rows of the signal."""
    decisions = [reject(2, 3), unpaired(1, 2), Decision("slip", 1, 2, 3, {}), unpaired(8, 1), reject(7, 1, "duplicate")]
    made = zipped(10, 9, decisions, subject="x")
    assert made.rows.tolist() == [0, 1, 5, 6, 8, 9]
    assert made.partners.tolist() == [0, 3, 4, 5, 6, 7]
    assert [(d.kind, d.stream, d.at) for d in made.decisions] == [
        ("unpaired", 0, 1), ("slip", 0, 1), ("reject", 0, 2), ("reject", 0, 7), ("unpaired", 0, 10),
    ]  # fmt: skip


def test_a_cut_part_has_what_there_is() -> None:
    """Decisions reach no further than its samples; partners whose row was not written are unpaired by the reader."""
    end = Decision("end", 1, 0, 4, {"reason": "test"})
    made = zipped(4, 9, [reject(2, 1_000), unpaired(8, 5), end], subject="x")
    assert made.rows.tolist() == made.partners.tolist() == [0, 1]
    assert [(d.kind, d.at, d.data.get("n")) for d in made.decisions] == [
        ("reject", 2, 2), ("unpaired", 4, 1), ("unpaired", 4, 6), ("end", 4, None),
    ]  # fmt: skip
    assert made.decisions[2].data["reason"] == "absent" and made.decisions[2].stream == 0


def test_rows_that_were_paired_without_a_partner_are_no_record() -> None:
    """The partner is written first, so a crash cannot make this; somebody changed the file (law 10)."""
    with pytest.raises(RecordingError, match="x has 5 samples that were paired, and 4 of their partner"):
        zipped(5, 4, [], subject="x")


def test_columns_stand_side_by_side_in_a_type_that_holds_both(tmp_path) -> None:
    """Labels never double, units stay, rows that were not taken have 0 of the partner."""
    own = recording(tmp_path, ("C3", "Trigger"), np.array([[1, 9], [2, 9], [3, 9]], np.int32))
    partner = recording(tmp_path, ("TRIGGER ", "RF"), np.array([[7, 0.5], [7, 1.5]], np.float32), units=(None, "mV"))
    joined, decisions = join(own, partner, [reject(1, 1)])
    assert (joined.labels, joined.units, joined.partner_from) == (("C3", "Trigger", "RF"), ("uV", "uV", "mV"), 2)
    assert joined.samples.dtype == np.float64 and joined.samples.tolist() == [[1, 9, 0.5], [2, 9, 0], [3, 9, 1.5]]
    assert decisions == [reject(1, 1)] and np.array_equal(joined.stamps, own.stamps)
    assert partner_columns(own.labels, partner.labels) == (1,)


def test_a_session_of_two_streams_is_read_as_one(session) -> None:
    """Rows, columns, markers, decisions and ledger, through every reader that there is (law 1)."""
    one, two = amplifiers()
    two.drop(2_000, 300)
    one.drop(4_000, 7)
    life = lived(session, one, two, (Network(), Network(20)))
    life.take([Decision("end", 1, 0, 0, {"reason": "test"})])
    again = SessionFolder.open(session.path)
    (part,) = again.parts()
    assert part.labels == EEG_LABELS + EMG_LABELS and part.partner_from == len(EEG_LABELS)
    assert part.samples.dtype == np.float64 and len(part.stamps) == len(one.truth)
    assert [marker.text for marker in part.markers] == ["preparation"]
    assert {decision.stream for decision in again.decisions()} == {0}
    windows, ledger = read_back(again, SMALL)
    assert bits(windows) == bits(life.windows) and ledger == life.chain.ledger and len(windows) == 4
    assert set(ledger.rejected) == {"duplicate", "backward", "unpaired", "partner"}
    found, values = places(again)
    assert np.abs(values[:, 5] / EMG_SCALE - values[:, 0]).max() <= 1
    assert np.abs(found - values[:, 0]).max() <= 1
    assert replayed(again) == bits(windows)


def replayed(folder):
    """Return the windows of a replay: the recording played as one stream, its decisions obeyed."""
    parts, chain = folder.parts(), Chain(MONTAGE, spec=SMALL)
    binding = MONTAGE.bind(parts[0].labels, parts[0].units)
    source = FileSource(parts, binding, flatten_decisions(parts, folder.decisions()))
    assert [header.channel_count for header in source.headers] == [8, 1] and source.headers == headers_of(parts[0])
    windows, at = [], 0
    while not source.finished:
        for item in source.pull(0.0):
            if isinstance(item, Decision):
                chain.obey(item)
            elif not isinstance(item, RawMarker):
                x_uv = binding.to_uv(item.rows)
                while len(x_uv):
                    step = chain.push(x_uv)
                    windows += step.windows
                    at, x_uv = at + step.n_taken, x_uv[step.n_taken :]
                    if step.calibration is not None:
                        chain.obey(source.calibration_at(at))
    return bits(windows)


def test_a_part_may_be_cut_at_any_chunk(session, tmp_path) -> None:
    """After a crash anywhere: balanced, every whole sample accounted for, the windows those that were made (law 3)."""
    one, two = amplifiers(ppm=-150)
    two.drop(1_500, 900)
    two.repeat(4_200, 3)
    life = lived(session, one, two, (Network(), Network(20, [(4_500, 900)])))
    path = session.part_path(1)
    known = bits(life.windows)
    headers = chunk_ends(path)[: 1 + len(HEADERS)]
    for end in chunk_ends(path)[len(headers) :]:
        copy = shutil.copytree(session.path, tmp_path / f"cut-{end}")
        with open(copy / path.name, "rb+") as file:
            file.truncate(end)
        cut = SessionFolder.open(copy)
        cut.recover()
        windows, ledger = read_back(cut, SMALL)
        assert ledger.balanced and bits(windows) == known[: len(windows)]
        file = cut._part_file(1)
        rows, partners = (len(file.streams[stream].stamps) for stream in (0, 2))
        assert rows == ledger.received + sum(n for why, n in ledger.rejected.items() if why != "partner")
        assert partners == ledger.received + ledger.rejected.get("partner", 0)
        shutil.rmtree(copy)


@pytest.mark.parametrize("share", [0.3, 0.45, 0.6, 0.75, 1.0])
def test_the_next_life_goes_on_where_the_grid_stands(session, share) -> None:
    """After a crash, with the partner there, away, or late: places of the grid are still the time that passed."""
    one, two = amplifiers()
    two.drop(2_000, 2_500)
    lived(session, one, two, finish=False)
    ends = chunk_ends(session.part_path(1))
    with open(session.part_path(1), "rb+") as file:
        file.truncate(ends[round(share * (len(ends) - 1))])
    again = SessionFolder.open(session.path)
    one, two = amplifiers(3_000, start=9_000.0)
    lived(again, one, two)
    found, values = places(again)
    assert len(again.parts()) == 2 and values[-1, 0] > 11_900
    assert np.abs(found - values[:, 0]).max() <= 1
    assert np.abs(values[:, 5] / EMG_SCALE - values[:, 0]).max() <= 1
    assert read_back(again, SMALL)[1].balanced


def test_a_clock_that_was_reset_while_the_partner_was_away_is_the_one_to_go_by(session) -> None:
    """The next sample follows the newest row then: the last that had its partner is on a clock that is no more."""
    one, two = amplifiers()
    two.keep(np.arange(2_000))
    one.reset(3_000, 700.0)
    lived(session, one, two)
    previous = resume_point(session).previous
    assert previous is not None and previous.stamp_s == pytest.approx(100.0 + 5.999 + 700.0)


def test_the_counter_of_the_partner_tells_nothing_of_the_grid(session) -> None:
    """A counter among the signal's channels is resumed from; with the partner's it would be another count."""
    lived(session, *amplifiers(2_000))
    counting = replace(MONTAGE, channels=MONTAGE.channels[1:], counter="TIME")
    session.update(montage=counting.to_json())
    assert resume_point(session).previous == LastSample(pytest.approx(101.999), 1_999)
    session.update(montage=replace(counting, channels=MONTAGE.channels[:5], counter="EMGTIME").to_json())
    assert resume_point(session).previous == LastSample(pytest.approx(101.999), None)


def test_a_session_whose_partner_never_came_has_its_columns(session) -> None:
    """Nothing is paired then, and nothing is in a window; the part can still be read."""
    one, two = amplifiers(2_000)
    two.keep(np.arange(0))
    lived(session, one, two)
    (part,) = session.parts()
    assert part.labels == EEG_LABELS + EMG_LABELS and not part.samples[:, 5:].any()
    windows, ledger = read_back(session, SMALL)
    assert windows == [] and ledger.received == 0 and ledger.rejected["unpaired"] == 2_000
    assert resume_point(session).previous == LastSample(pytest.approx(101.999))


def test_a_part_whose_third_stream_is_no_signal_is_refused(session) -> None:
    """Nobody of ours writes that (law 10)."""
    headers = [*HEADERS[:2], StreamHeader("Other", "Markers", "string", 0.0, 1)]
    PartWriter.create(session.part_path(1), headers).close()
    with pytest.raises(RecordingError, match="has texts as its third stream"):
        session.part(1)


def test_decisions_of_other_parts_stay_where_they_are(session) -> None:
    """A life that only took a term, after one of two streams, reads as it was written."""
    lived(session, *amplifiers(1_000))
    term = Decision("term", 2, 0, 0, {"term": 3})
    session.append_decision(term)
    assert session.decisions()[-1] == term
    (part,) = session.parts()
    tape = tape_of(part, MONTAGE.bind(part.labels, part.units), session.decisions())
    assert [item.kind for item in tape if isinstance(item, Decision)][-1] != "term"


def test_a_session_that_is_still_written_can_be_read(session, monkeypatch) -> None:
    """Samples that a bridge decides on and writes while somebody reads are not there yet, and are no contradiction."""
    writer = session.open_part(HEADERS)
    rows, partners = np.zeros((10, 5), np.float32), np.zeros((10, 3), np.int32)
    stamps = np.arange(10) / 1000.0
    session.append_decision(Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"}))
    writer.append(2, partners, stamps)
    writer.append(0, rows, stamps)
    read = Path.read_bytes

    def meanwhile(path: Path) -> bytes:
        content = read(path)
        if path.name == "decisions.jsonl":
            session.append_decision(reject(10, 10))
            writer.append(0, rows, stamps)
            monkeypatch.undo()
        return content

    for reader in (lambda folder: folder.decisions(), lambda folder: folder.part(1)):
        monkeypatch.setattr(Path, "read_bytes", meanwhile)
        reader(SessionFolder.open(session.path))
    writer.close()
