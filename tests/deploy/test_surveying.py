"""The files of a folder: each is read or refused with words, and nothing is written (law 10)."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from acquisition.errors import RecordingError
from acquisition.formats.text import write_table
from acquisition.reading import Reading
from deploy.surveying import survey, words_of


@pytest.fixture
def folder(tmp_path, recording):
    """Return a folder of all sorts of files, some of them in a folder below."""
    below = tmp_path / "files" / "below"
    below.mkdir(parents=True)
    (below / "patient.xdf").write_bytes(recording.read_bytes())
    (below / "patient.xdf.decisions.jsonl").write_text("{}\n")
    write_table(below / "b.txt", np.ones((500, 2)), ["C3", "RF"], rate_hz=500.0)
    (below / "bare.csv").write_text("C3|x\n1|2\n2|3\n")
    (below / "LICENSE").write_text("MIT\n")
    (below / "also").write_text("none\n")
    os.mkfifo(below / "pipe.xdf")
    return tmp_path / "files"


def test_every_file_is_answered(folder):
    """In order of their names, below the folder that was named; what Flexion keeps beside recordings is left out."""
    entries = {entry.file: entry for entry in survey([folder])}
    assert list(entries) == [f"below/{n}" for n in ("LICENSE", "also", "b.txt", "bare.csv", "patient.xdf", "pipe.xdf")]
    assert {name for name, entry in entries.items() if entry.seen} == {"below/b.txt", "below/patient.xdf"}
    seen = entries["below/patient.xdf"].seen
    assert [s.reason for s in seen.segments] == ["start", "gap"] and seen.n_lost == 1000
    assert "LICENSE has no ending" in words_of(entries["below/LICENSE"])
    assert "pipe" in words_of(entries["below/pipe.xdf"])
    assert "--delimiter" in words_of(entries["below/bare.csv"])


def test_no_path_of_this_machine_is_told(folder):
    """The table may be shown to others: files are named below the folder, or by their own name."""
    for entry in [*survey([folder]), *survey([folder / "below" / "also"])]:
        assert str(folder.parent) not in json.dumps(entry.to_json()) + words_of(entry)
    assert [entry.file for entry in survey([folder / "below" / "b.txt"])] == ["b.txt"]


def test_what_the_user_says_counts_for_all(folder):
    """The same options as for scoring."""
    reading = Reading(rate_hz=100.0, labels=("C3", "RF"))
    (entry,) = survey([folder / "below" / "bare.csv"], reading, "uV")
    assert entry.refusal.kind == "recording"
    table = folder / "below" / "c.csv"
    table.write_text("1,2\n3,4\n")
    (entry,) = survey([table], reading, "uV")
    assert entry.to_json()["labels"] == ["C3", "RF"] and entry.to_json()["duration_s"] == 0.02
    assert "not for a decimal comma. No column tells" in words_of(entry)
    assert words_of(entry).endswith("All columns are taken as uV.")


def test_a_column_that_counts_samples_is_used(folder):
    """Its losses are exact; a file without that column is refused with those that it has."""
    table = folder / "counted.csv"
    table.write_text("# rate_hz: 100\n# unit: uV\nN,C3\n" + "".join(f"{n % 256},{n}\n" for n in range(400) if n != 300))
    (entry,) = survey([table])
    assert entry.seen.n_bridged == 0 and "with --counter 'N:256' losses are exact" in words_of(entry)
    (entry,) = survey([table], Reading(counter="n:256"))
    assert (entry.seen.n_bridged, entry.seen.notes) == (1, ())
    (entry,) = survey([table], Reading(counter="M:256"))
    assert "no column 'M' that could count samples; there is N, C3." in words_of(entry)


def test_a_path_that_is_not_there_is_refused(tmp_path):
    """As everywhere."""
    with pytest.raises(RecordingError, match="There is no .*none"):
        list(survey([tmp_path / "none"]))


def test_the_command_shows_a_table(flexion, folder):
    """For people, as Markdown and as one object; files that are refused for one reason are one row."""
    done = flexion("recordings", str(folder), "--markdown")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("| file | read as |") and lines[1].startswith("| --- |")
    assert "| below/b.txt | text | 2: C3, RF | 500 Hz | 1.0 s | uV | 0 | 1 |" in done.stdout
    assert "| below/LICENSE, below/also | refused |" in done.stdout
    assert "2, 1000 lost" in done.stdout
    found = json.loads(flexion("recordings", str(folder), "--json").stdout)["recordings"]
    assert [entry["file"] for entry in found if "error" not in entry] == ["below/b.txt", "below/patient.xdf"]
    assert "Recordings" in flexion("recordings", str(folder)).stdout
    assert not list(folder.rglob("b.txt.decisions.jsonl"))


def test_nothing_that_can_be_read_is_bad_input(flexion, folder):
    """So that a script can ask whether a file is a recording."""
    assert flexion("recordings", str(folder / "below" / "also")).returncode == 3
    assert flexion("recordings", str(folder / "below" / "none")).returncode == 3
    assert flexion("recordings", str(folder / "below" / "b.txt"), "--delimiter", "ab").returncode == 3


def test_a_damaged_file_can_be_repaired(flexion, folder):
    """The copy has what is whole, and the damaged file stays as it is; a copy is made of one file at a time."""
    torn = folder / "torn.xdf"
    torn.write_bytes((folder / "below" / "patient.xdf").read_bytes()[:200_000])
    done = flexion("recordings", str(torn), "--repair", str(folder / "copy.xdf"))
    assert done.returncode == 0 and "copy.xdf has all that is whole of" in done.stderr
    assert torn.stat().st_size == 200_000
    again = flexion("recordings", str(folder / "copy.xdf"), "--repair", str(folder / "b.xdf"))
    assert again.returncode == 0 and "copy.xdf is whole; no copy was written" in again.stderr
    assert flexion("recordings", str(folder), "--repair", str(folder / "b.xdf")).returncode == 2
    assert flexion("recordings", str(torn), "--repair", str(torn)).returncode == 3


def test_a_pipe_in_a_cell_does_not_break_the_table(folder, flexion):
    """Names and texts come from files by others."""
    (folder / "a|b.txt").write_text("# rate_hz: 10\n# unit: uV\nC|3\n1\n")
    assert r"a\|b.txt | text | 1: C\|3 |" in flexion("recordings", str(folder), "--markdown").stdout
