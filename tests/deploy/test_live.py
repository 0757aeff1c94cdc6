"""``flexion live``: one session that begins by itself, or none until somebody begins one on the pages."""

from __future__ import annotations

import pytest

from deploy.cli import main, running
from deploy.cli.live import _begins
from deploy.errors import WrongUse
from deploy.settings import load


def test_a_session_begins_by_itself_where_it_is_said_whose_it_is():
    """Its stream may be named or found; without a patient and a bed nothing begins."""
    assert _begins("P1", "B1", None, "CAP")
    assert not _begins(None, None, None, None)


@pytest.mark.parametrize(
    ("patient", "bed", "stream", "subject"),
    [("P1", None, None, "--bed"), (None, "B1", None, "--patient"), (None, None, "CAP", "--bed")],
)
def test_half_a_session_is_refused(patient, bed, stream, subject):
    """A forgotten option must not leave a patient waiting at a bed where nothing begins."""
    with pytest.raises(WrongUse, match="A session needs its patient and its bed") as refusal:
        _begins(patient, bed, stream)
    assert refusal.value.subject == subject


class Opened(Exception):
    """A ward would have been opened."""


def test_it_takes_other_bundles_while_it_runs(monkeypatch, tmp_path, bundle_variables):
    """It alone, and it goes before other work: what a ward does that nobody says it of."""
    given = []

    def open_ward(settings, models, **how):
        given.append(how["swaps"])
        raise Opened

    first = []
    monkeypatch.setattr("deploy.priority.go_first", lambda: first.append(True))

    monkeypatch.setattr(running, "open_ward", open_ward)
    for name, value in bundle_variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Opened):
        main.run(["live", "--no-browser", "--data", str(tmp_path)])
    with pytest.raises(Opened):
        running.run(load({"data_dir": tmp_path}), [], [], browser=False, stay=False, as_json=False, lasting=False)
    assert given == [True, False] and first == [True]
