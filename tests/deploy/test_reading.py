"""Reading: what the user says about a recording reaches every process that reads it (law 1)."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acquisition.errors import RateError
from acquisition.formats.text import write_table
from acquisition.formats.text_rows import Dialect
from acquisition.formats.xdf_header import StreamHeader
from acquisition.montage import load_montage
from acquisition.parts import PartWriter
from acquisition.reading import AS_IT_IS, Reading, decided
from acquisition.recording import read_recording
from deploy.errors import WrongUse
from deploy.opening import Plan
from deploy.recorded import played_again
from deploy.replaying import plan_replay
from tests.acquisition.edf_files import channel, write

MONTAGE = load_montage("amp16")
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def slow(recording, tmp_path) -> Path:
    """Return a recording at 250 Hz."""
    return at_rate(tmp_path / "slow.xdf", recording, 250.0)


def at_rate(path, recording, rate_hz):
    """Write every so-manieth sample of a recording as if it were one of a slower amplifier."""
    made = read_recording(recording)
    step = round(made.rate_hz / rate_hz)
    header = StreamHeader("Slow", "EEG", "float32", rate_hz, 16, made.labels, ("uV",) * 16)
    with PartWriter.create(path, [header]) as writer:
        writer.append(0, made.samples[::step], 50.0 + np.arange(len(made.samples[::step])) / rate_hz)
    return path


def test_nothing_said_leaves_no_trace():
    """A session whose recording states everything says nothing about its reading."""
    assert AS_IT_IS.in_source() == {}
    assert Reading.of(None) == Reading.of({"kind": "file"}) == AS_IT_IS


def test_what_was_said_travels_with_the_session(settings, slow, models):
    """Whatever session.json holds says the same again, for player and bridge alike."""
    said = Reading(resample=True, stream="Slow", labels=MONTAGE.labels)
    table = Reading(250.0, counter="i:256", dialect=Dialect(",", ".", 3, "7"))
    assert Reading.of(json.loads(json.dumps(table.in_source()))) == table
    for through_lsl in (False, True):
        plan = plan_replay(slow, settings, patient=None, bed="b", through_lsl=through_lsl, reading=said)
        info = plan.to_info(models)
        kept = json.loads(json.dumps(info.to_json()))
        assert Reading.of(kept["source"]) == said
        assert (info.resampled_from_hz, info.rate_hz) == (250.0, 1000.0)


def test_every_process_reads_the_same_resampled_samples(slow, settings, models):
    """Player and bridge open what scoring does: at the montage's rate, sample by sample."""
    said = Reading(resample=True)
    scored, binding = said.open(slow, MONTAGE, None)
    plan = plan_replay(slow, settings, patient=None, bed="b", through_lsl=False, reading=said)
    played = played_again(slow, plan.to_info(models))
    assert scored.rate_hz == 1000.0 and scored.resampled_from_hz == 250.0
    assert scored.samples.tobytes() == played.parts[0].samples.tobytes()
    assert list(played.decisions) == decided(scored, MONTAGE, binding, 50.0).decisions


def test_another_rate_is_refused_unless_it_may_be_changed(slow):
    """The refusal names the option that resamples."""
    with pytest.raises(RateError, match=r"slow\.xdf is at 250 Hz; montage amp16 needs 1000 Hz\. .*--resample"):
        AS_IT_IS.open(slow, MONTAGE, None)


def test_a_calibration_holds_for_its_own_mains(recording):
    """What is kept beside a recording for 50 Hz is not taken for 60 Hz."""
    opened, binding = AS_IT_IS.open(recording, MONTAGE, None)
    first = decided(opened, MONTAGE, binding, 50.0)
    marker = replace(first.decisions[0], kind="calibration", data={})
    first.add(marker)
    assert marker in decided(opened, MONTAGE, binding, 50.0).decisions
    assert marker not in decided(opened, MONTAGE, binding, 60.0).decisions


def test_a_table_takes_rate_and_labels_from_the_user(tmp_path, recording):
    """A bare table becomes a recording by what the user says, and only by it."""
    samples = read_recording(recording).samples[:200]
    bare = tmp_path / "bare.csv"
    np.savetxt(bare, samples, delimiter=",")
    with pytest.raises(RateError, match="does not state its sampling rate.*--rate"):
        Reading(labels=MONTAGE.labels).open(bare, MONTAGE, "uV")
    opened, _ = Reading(rate_hz=1000.0, labels=MONTAGE.labels).open(bare, MONTAGE, "uV")
    assert (opened.labels, opened.rate_hz) == (MONTAGE.labels, 1000.0)


def test_how_a_table_is_written_is_said_too(tmp_path, recording):
    """Delimiter, decimal comma, header lines and marker column reach the reader."""
    samples = read_recording(recording).samples[:200]
    rows = [[f"{value:.4f}".replace(".", ",") for value in row] for row in samples]
    table = tmp_path / "a.csv"
    table.write_text("1|2\n" + "\n".join("|".join([*row, str(k // 100 * 7)]) for k, row in enumerate(rows)) + "\n")
    dialect = Dialect(delimiter="|", decimal=",", header_lines=1, markers="17")
    said = Reading(rate_hz=1000.0, labels=(*MONTAGE.labels, "cue"), dialect=dialect)
    opened, binding = said.open(table, MONTAGE, "uV")
    np.testing.assert_allclose(binding.to_uv(opened.samples), samples, atol=1e-4)
    assert [(m.stamp_s, m.text) for m in opened.markers] == [(0.1, "7")]


@pytest.mark.parametrize(
    ("said", "counter"), [(None, (None, None)), ("i", ("i", None)), ("i:256", ("i", 256)), ("a:b", ("a:b", None))]
)
def test_a_sample_counter_is_named_for_the_montage(said, counter):
    """Label, and where it begins again if it does."""
    montage = Reading(counter=said).counted(MONTAGE)
    assert (montage.counter, montage.counter_modulo) == counter and montage.channels == MONTAGE.channels


def test_a_counter_makes_losses_exact(flexion, bundle_variables, recording, tmp_path):
    """A table without stamps whose counter leaps: what never came is declared lost (law 3)."""
    made = read_recording(recording)
    kept = np.r_[0:4000, 4100 : len(made.stamps)]
    values = np.column_stack([made.samples[kept], kept % 256])
    path = tmp_path / "a.txt"
    write_table(path, values, [*MONTAGE.labels, "i"], rate_hz=1000.0)
    done = flexion("score", str(path), "--counter", "i:256", "--json", **bundle_variables)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ledger"]["declared_lost"] == 100
    assert json.loads(flexion("score", str(path), "--json", **bundle_variables).stdout)["ledger"]["declared_lost"] == 0


def test_a_session_s_folder_needs_no_word(settings, tmp_path):
    """It states everything itself: whoever says otherwise is told."""
    plan = Plan("demo", "simulated", "P1", "B1", MONTAGE, {"kind": "lsl"})
    assert plan.resampled_from_hz is None
    with pytest.raises(
        WrongUse, match="is a session's folder, .* Leave all .* out: --rate, --labels, --stream, --resample"
    ):
        plan_replay(tmp_path, settings, patient=None, bed="b", through_lsl=False, reading=Reading(resample=True))


def test_scoring_resamples_and_says_so(flexion, bundle_variables, slow):
    """``--resample`` scores a slower recording; without it there is a refusal."""
    done = flexion("score", str(slow), "--resample", "--json", **bundle_variables)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "slow.xdf: resampled from 250 to 1000 Hz: nothing above 125 Hz.\n"
    assert json.loads(done.stdout)["windows"]["scored"] >= 1
    assert flexion("score", str(slow), "--json", **bundle_variables).returncode == 3


def test_a_recording_of_another_kind_is_scored(flexion, bundle_variables, recording, tmp_path):
    """An EDF file of the same signal, without the hole of the first: its windows are made, and the ledger balances."""
    pytest.importorskip("mne", reason="the extra 'recordings' is not installed")
    made = read_recording(recording)
    counts = np.round(made.samples[:25_000] * 10).astype(int)
    channels = [channel(label, "uV", column) for label, column in zip(made.labels, counts.T, strict=True)]
    path = write(tmp_path / "a.edf", channels, 1000)
    done = flexion("score", str(path), "--json", **bundle_variables)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["ledger"]["received"] == 25_000 and result["windows"]["scored"] == result["windows"]["made"] == 2
    opened, binding = AS_IT_IS.open(path, MONTAGE, None)
    np.testing.assert_allclose(binding.to_uv(opened.samples), counts / 10, atol=1e-6)


def test_every_option_that_a_remedy_names_exists():
    """No refusal sends people to an option that the command line does not have (law 10)."""
    known = set(re.findall(r"--[a-z][a-z-]+", (REPOSITORY / "docs" / "cli.md").read_text("utf-8")))
    named = {}
    for package in ("acquisition", "streaming", "inference", "dashboard", "deploy"):
        for path in (REPOSITORY / package).rglob("*.py"):
            for text in _remedies(ast.parse(path.read_text("utf-8"))):
                named |= dict.fromkeys(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text), path)
    assert {"--resample", "--stream", "--rate", "--labels", "--unit", "--data", "--port"} <= named.keys()
    assert {option: path for option, path in named.items() if option not in known} == {}


def _remedies(tree):
    """Yield every text that is, or becomes, a remedy: constants of keyword, variable and positional remedies."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.match(r"[A-Z;].* --[a-z]", node.value):
            yield node.value
