"""Nobody is in two parts, nobody is left out, and every part has both outcomes (law 9)."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition.errors import BadEnvironment
from training.cohort.cohort import Cohort
from training.cohort.participants import Participant, write_participants
from training.errors import SplitError
from training.splitting.dealing import limited_to, strata_of
from training.splitting.splits import Fold, Splits, nested, paper, read_splits, splits_of


def patients(*sizes: int, unlabelled: int = 0) -> tuple[Participant, ...]:
    """Return so many patients of good and poor outcome with EEG, of good and poor without, and without a label."""
    kinds = [(25.0, True), (10.0, True), (25.0, False), (10.0, False)]
    rows = [kind for kind, n in zip(kinds, sizes, strict=False) for _ in range(n)] + [(None, True)] * unlabelled
    return tuple(Participant(f"{i:03d}", has_eeg, fma_3mo=fma) for i, (fma, has_eeg) in enumerate(rows))


def cohort_of(folder: Path, participants: Sequence[Participant]) -> Cohort:
    """Return a cohort of patients without recordings."""
    folder.mkdir(exist_ok=True)
    write_participants(folder / "participants.tsv", participants)
    return Cohort.open(folder)


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    """Return 24 patients, 20 of them with EEG."""
    return cohort_of(tmp_path / "cohort", patients(10, 10, 2, 2))


def edited(cohort: Cohort, change: str, by: str) -> Path:
    """Change the text of a cohort's splits.json by hand."""
    path = cohort.folder / "splits.json"
    text = path.read_text()
    assert change in text
    path.write_text(text.replace(change, by, 1))
    return path


cohorts = st.tuples(st.integers(6, 30), st.integers(6, 30), st.integers(0, 8), st.integers(0, 8)).map(
    lambda sizes: patients(*sizes)
)


@settings(max_examples=30, deadline=None)
@given(cohorts, st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_each_patient_is_tested_once_per_repeat_and_parts_share_nobody(participants, seed: int, folds: int):
    """Parts are disjoint and complete, also in the final fold; each stratum is within one in every test set."""
    splits = nested(participants, seed, repeats=2, folds=folds)
    everybody = sorted(participant.id for participant in participants)
    for fold in (*splits.folds, splits.final):
        assert sorted([*fold.train, *fold.stop, *fold.test]) == everybody
    for repeat in (0, 1):
        tests = [fold.test for fold in splits.folds if fold.repeat == repeat]
        assert sorted(patient for test in tests for patient in test) == everybody
        for name in splits.strata:
            sizes = [len(limited_to(splits.strata, test)[name]) for test in tests]
            assert max(sizes) - min(sizes) <= 1


@settings(max_examples=30, deadline=None)
@given(cohorts, st.integers(0, 2**32 - 1))
def test_outcomes_are_within_one_of_their_share_in_the_papers_parts(participants, seed: int):
    """Each part has its share of both outcomes, among patients with EEG and among those without."""
    fold = paper(participants, seed).folds[0]
    for good, poor in (strata[:2] for strata in _pairs(strata_of(participants))):
        n_good, n = len(good), len(good) + len(poor)
        for members in fold.parts().values():
            size = len({*good, *poor}.intersection(members))
            assert abs(len(set(good).intersection(members)) - n_good * size / max(n, 1)) <= 1


def _pairs(strata: dict[str, tuple[str, ...]]) -> list[list[tuple[str, ...]]]:
    members = list(strata.values())
    return [members[:2], members[2:]]


@settings(max_examples=10, deadline=None)
@given(cohorts, st.randoms())
def test_the_order_of_rows_and_other_columns_leave_no_trace(tmp_path_factory, participants, random):
    """Who is in which part depends on who there is, their outcome and whether they have EEG."""
    shuffled = [replace(one, extra={"shoe_size": str(random.random())}, age=random.random()) for one in participants]
    random.shuffle(shuffled)
    one, other = (cohort_of(tmp_path_factory.mktemp("c"), rows) for rows in (participants, shuffled))
    assert splits_of(one, "nested", folds=3, seed=1) == splits_of(other, "nested", folds=3, seed=1)
    assert splits_of(one, "paper", seed=1) == splits_of(other, "paper", seed=1)


@settings(max_examples=20, deadline=None)
@given(cohorts, st.integers(0, 5))
def test_without_those_who_have_no_eeg_everybody_stays_in_their_part(participants, seed: int):
    """The same patient is in the same part for both modalities."""
    ids = {participant.id for participant in participants if participant.has_eeg}
    whole = nested(participants, seed, repeats=1, folds=3)
    for fold, limited in zip((*whole.folds, whole.final), _all(whole.with_eeg(ids)), strict=True):
        for part, members in fold.parts().items():
            assert limited.parts()[part] == tuple(patient for patient in members if patient in ids)


def _all(splits: Splits) -> tuple[Fold, ...]:
    return (*splits.folds, splits.final)


@pytest.mark.parametrize(("good", "poor"), [(47, 39), (43, 43), (30, 56), (20, 66)])
def test_the_papers_cohort_is_dealt_as_in_the_paper(good: int, poor: int):
    """Of 102 patients, 86 with EEG, 60 + 11 train, 13 + 2 stop and 13 + 3 test, whatever the outcomes."""
    splits = paper(patients(good, poor, 9, 7), seed=3)
    with_eeg = {f"{i:03d}" for i in range(86)}
    fold = splits.folds[0]
    counts = [(len(with_eeg.intersection(part)), len(part)) for part in fold.parts().values()]
    assert counts == [(60, 71), (13, 15), (13, 16)]
    assert splits.final == replace(fold, name="final")
    assert splits.networks == (fold,) and splits.exported is fold


def test_a_deal_is_the_same_on_every_machine():
    """The very patients, as another platform and other versions must deal them."""
    participants = patients(6, 6, 1, 1)
    first = nested(participants, seed=7, repeats=1, folds=3).folds[0]
    assert first == Fold(
        "r0f0",
        0,
        0,
        train=("001", "003", "004", "006", "007", "011", "013"),
        stop=("002", "009"),
        test=("000", "005", "008", "010", "012"),
    )
    assert paper(participants, seed=7).folds[0].test == ("001", "007")


def test_another_seed_deals_otherwise():
    """Each repeat is another deal too."""
    participants = patients(10, 10)
    folds = nested(participants, 1, repeats=2).folds
    assert folds[0].test != folds[5].test
    assert folds != nested(participants, 2, repeats=2).folds


def test_patients_without_an_outcome_are_left_out_and_listed(tmp_path: Path):
    """They can be neither learned from nor judged."""
    splits = splits_of(cohort_of(tmp_path, patients(10, 10, unlabelled=2)), "nested", 0)
    assert splits.unlabelled == ("020", "021")
    assert "020" not in splits.patients


def test_the_final_network_of_nested_folds_leaves_nobody_out():
    """All patients train or stop it."""
    final = nested(patients(10, 10, 2, 2), 0, repeats=1).final
    assert (len(final.train), len(final.stop), final.test) == (19, 5, ())


@pytest.mark.parametrize("sizes", [(20, 4), (3, 20), (20, 0), (0, 20, 5, 5)], ids=str)
def test_too_few_of_an_outcome_for_the_folds_are_refused(sizes: tuple[int, ...]):
    """A fold with one outcome cannot be judged."""
    with pytest.raises(SplitError, match=r"Patients with EEG and a (good|poor) outcome: [034], too few for 5 folds"):
        nested(patients(*sizes), 0)


def test_too_few_of_an_outcome_for_the_papers_parts_are_refused():
    """Three parts need three of each, with EEG."""
    with pytest.raises(SplitError, match=r"EEG and a poor outcome: 2, too few for 3 parts.*Add patients"):
        paper(patients(9, 2, 0, 9), 0)


def test_too_few_left_to_train_and_stop_are_refused():
    """The inner split needs both outcomes twice."""
    with pytest.raises(SplitError, match="EEG and a good outcome: 1, too few for 2 parts"):
        nested(patients(2, 9), 0, folds=2)


def test_a_patient_with_two_rows_is_refused():
    """Two rows may say two things."""
    with pytest.raises(SplitError, match="Patients 000 are listed twice"):
        nested((*patients(9, 9), *patients(1)), 0)


def test_splits_are_written_once_and_read_ever_after(cohort: Cohort):
    """A second call reads what the first wrote, for both profiles; later code cannot deal otherwise."""
    first = splits_of(cohort, "nested", 0)
    path = edited(cohort, '"seed": 0', '"seed": 0 ')
    text = path.read_text()
    assert splits_of(cohort, "nested", 0) == first == nested(cohort.participants, 0, cohort_sha256=cohort.sha256)
    assert splits_of(cohort, "paper", 0) == paper(cohort.participants, 0, cohort_sha256=cohort.sha256)
    assert path.read_text() == text


def test_fewer_repeats_are_the_first_ones(cohort: Cohort):
    """A quick run with one repeat tests on the same patients as the first repeat of a long one."""
    once = splits_of(cohort, "nested", 0, repeats=1)
    assert once.folds == splits_of(cohort, "nested", 0).folds[:5]


def test_one_writer_wins(cohort: Cohort, monkeypatch: pytest.MonkeyPatch):
    """Of two that deal at once one writes the file, and the other hears that its own is not it."""
    done = []

    def write(seed: int) -> None:
        with contextlib.suppress(SplitError):
            done.append(splits_of(cohort, "nested", seed).seed)

    second = threading.Thread(target=write, args=(1,))

    def overtaken(*args, **settings) -> Splits:
        if second.ident is None:  # the second writer has all the time that it wants before the first has dealt
            second.start()
            second.join(0.5)
        return nested(*args, **settings)

    monkeypatch.setattr("training.splitting.splits.nested", overtaken)
    write(0)
    second.join()
    assert done == [0]
    with pytest.raises(SplitError, match="was dealt with seed 0, not 1"):
        splits_of(cohort, "nested", 1)


def test_a_small_cohort_has_the_profile_that_it_is_large_enough_for(tmp_path: Path):
    """Four patients of each outcome are enough for the paper's parts, not for five folds."""
    cohort = cohort_of(tmp_path, patients(4, 4))
    with pytest.raises(SplitError, match="too few for 5 folds"):
        splits_of(cohort, "nested", 0)
    assert not (tmp_path / "splits.json").exists()
    assert len(splits_of(cohort, "paper", 0).folds) == 1
    with pytest.raises(SplitError, match=r"holds no profile 'nested' \(it holds paper\)"):
        splits_of(cohort, "nested", 0)


def test_a_changed_cohort_is_refused(cohort: Cohort):
    """Who tests whom was dealt for the patients of then."""
    splits_of(cohort, "nested", 0)
    changed = cohort_of(cohort.folder, patients(10, 11, 2, 2))
    with pytest.raises(
        SplitError, match=r"The cohort has changed since .*splits.json.*delete splits.json to deal anew"
    ):
        splits_of(changed, "nested", 0)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"seed": 1}, r"was dealt with seed 0, not 1.*Set split.seed to 0"),
        ({"seed": 0, "folds": 3}, r"was dealt with folds 5, not 3.*Set split.folds to 5"),
        ({"seed": 0, "inner": 0.3}, r"was dealt with inner 0.2, not 0.3"),
        ({"seed": 0, "repeats": 6}, r"holds 5 repeats, fewer than 6"),
    ],
)
def test_other_settings_than_the_files_are_refused(cohort: Cohort, asked, said: str):
    """Nobody gets another split than they asked for."""
    splits_of(cohort, "nested", 0)
    with pytest.raises(SplitError, match=said):
        splits_of(cohort, "nested", **asked)


def test_a_folder_that_cannot_be_written_is_named(cohort: Cohort):
    """The lock cannot be made where a folder of its name is."""
    (cohort.folder / "derivatives" / "flexion" / "splits.lock").mkdir(parents=True)
    with pytest.raises(BadEnvironment, match=r"splits.lock cannot be written: Is a directory"):
        splits_of(cohort, "nested", 0)


@pytest.fixture
def written(cohort: Cohort) -> Cohort:
    """Return the cohort after its splits were written."""
    splits_of(cohort, "nested", 0)
    return cohort


def moved(cohort: Cohort, profile: str, take: str, give: str, *, keep: bool) -> str:
    """Put the first patient of a part of the first fold into another part by hand, and return who it was."""
    path = cohort.folder / "splits.json"
    document = json.loads(path.read_text())
    fold = document["profiles"][profile]["folds"][0]
    patient = fold[take][0]
    fold[give].append(patient)
    if not keep:
        fold[take].remove(patient)
    path.write_text(json.dumps(document))
    return patient


@pytest.mark.parametrize("parts", [("train", "test"), ("stop", "test"), ("train", "stop")])
def test_a_patient_in_two_parts_is_refused_by_name(written: Cohort, parts: tuple[str, str]):
    """A file that was edited so is not trained on."""
    patient = moved(written, "nested", parts[1], parts[0], keep=True)
    with pytest.raises(
        SplitError, match=rf"splits.json: Patient {patient} is in both {parts[0]} and {parts[1]} of fold"
    ):
        splits_of(written, "nested", 0)


def test_a_patient_who_is_never_tested_or_twice_is_refused(written: Cohort):
    """Within a repeat everybody is judged once."""
    patient = moved(written, "nested", "test", "train", keep=False)
    with pytest.raises(SplitError, match=f"Patient {patient} is never tested in repeat 0"):
        splits_of(written, "nested", 0)
    moved(written, "nested", "train", "test", keep=False)
    with pytest.raises(SplitError, match=r"is tested twice in repeat 0"):
        splits_of(written, "nested", 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda fold: fold["stop"].append("zz"), "Patient zz is in fold paper but not in the cohort"),
        (lambda fold: fold["train"].pop(), r"Patient \d+ is in no part of fold paper"),
        (lambda fold: fold["train"].append(fold["train"][0]), r"Patient \d+ is listed twice in fold paper"),
        (
            lambda fold: (fold["train"].extend(fold["test"]), fold["test"].clear()),
            "outcome: 0, too few for part test of fold paper",
        ),
        (lambda fold: fold.pop("stop"), "folds.0.stop: Field required"),
        (lambda fold: fold.update(name="../x"), "A fold is called '../x'; expected 'paper'"),
        (lambda fold: fold.update(repeat=1), "The paper's profile has one fold"),
        (lambda fold: fold.update(train="001"), "folds.0.train: Input should be a valid tuple"),
    ],
)
def test_a_file_edited_into_nonsense_is_refused(written: Cohort, change, said: str):
    """The message says what is wrong, and with whom."""
    path = written.folder / "splits.json"
    document = json.loads(path.read_text())
    change(document["profiles"]["paper"]["folds"][0])
    path.write_text(json.dumps(document))
    with pytest.raises(SplitError, match=said):
        splits_of(written, "paper", 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda paper, _: paper["folds"].clear(), "The paper's profile has one fold, and its final network"),
        (lambda paper, _: paper.update(final=_exchanged(paper["final"])), "The paper's profile has one fold, and its"),
        (lambda _, document: document["profiles"]["nested"]["folds"].clear(), "are never tested in repeat 0"),
        (lambda _, document: document["strata"].clear(), "The strata are none; expected good outcome, with EEG"),
    ],
)
def test_a_file_that_lacks_folds_or_strata_is_refused(written: Cohort, change, said: str):
    """Also one whose exported network would train on patients that judge it."""
    path = written.folder / "splits.json"
    document = json.loads(path.read_text())
    change(document["profiles"]["paper"], document)
    path.write_text(json.dumps(document))
    with pytest.raises(SplitError, match=said):
        for profile in ("paper", "nested"):
            splits_of(written, profile, 0)


def _exchanged(fold: dict) -> dict:
    return {**fold, "train": fold["train"][1:] + fold["test"][:1], "test": fold["train"][:1] + fold["test"][1:]}


def test_strata_that_are_not_the_cohorts_are_refused(written: Cohort):
    """Outcomes in the file are checked against the table's."""
    path = written.folder / "splits.json"
    document = json.loads(path.read_text())
    good, poor = (document["strata"][f"{word} outcome, without EEG"] for word in ("good", "poor"))
    good[0], poor[0] = poor[0], good[0]
    path.write_text(json.dumps(document))
    with pytest.raises(SplitError, match="has other strata than the cohort"):
        splits_of(written, "paper", 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "cannot be read as splits: Expecting"),
        (b"\xff", "cannot be read as splits: 'utf-8'"),
        (b"[]", "its schema is not flexion.splits/1"),
        (b'{"schema": "flexion.splits/2"}', "its schema is not flexion.splits/1"),
        (b'{"schema": "flexion.splits/1"}', "it has no profiles"),
        (b'{"schema": "flexion.splits/1", "profiles": {}}', r"holds no profile 'nested' \(it holds none\)"),
        (b'{"schema": "flexion.splits/1", "profiles": {"paper": 3}}', "its profile 'paper' is no object"),
        (b'{"schema": "flexion.splits/1", "profiles": {"paper": {}}}', "seed: Input should be a valid integer"),
        (None, "there is no such file"),
    ],
)
def test_rubbish_is_refused_in_words(tmp_path: Path, content: bytes | None, said: str):
    """A file that is no splits says why."""
    path = tmp_path / "splits.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SplitError, match=said):
        read_splits(path)


def test_somebody_who_was_not_dealt_is_refused(written: Cohort):
    """Windows of a stranger to the splits must not slip into training."""
    with pytest.raises(SplitError, match="Patient zz is in no split"):
        splits_of(written, "nested", 0).with_eeg(["000", "zz"])


def test_a_part_that_loses_an_outcome_with_those_left_out_is_refused(written: Cohort):
    """Recordings that gave no window may leave a part with one outcome."""
    splits = splits_of(written, "paper", 0)
    good = splits.strata["good outcome, with EEG"]
    left = set(splits.patients).difference(set(good).intersection(splits.folds[0].stop))
    with pytest.raises(SplitError, match="EEG and a good outcome: 0, too few for part stop of fold paper"):
        splits.with_eeg(left)


def test_patients_with_scans_need_no_eeg(cohort):
    """Parts are limited as they were dealt; nobody is asked for a signal."""
    splits = nested(cohort.participants, 0, repeats=1, folds=2, inner=0.4)
    whole = splits.with_scans(one.id for one in cohort.participants)
    assert whole.folds == splits.folds
    people = patients(8, 8, 8, 8)
    splits = nested(people, 0, repeats=1, folds=2)
    without_eeg = [one.id for one in people if not one.has_eeg]
    limited = splits.with_scans(without_eeg)
    assert limited.patients == tuple(without_eeg)
    for fold, whole in zip((*limited.folds, limited.final), (*splits.folds, splits.final), strict=True):
        for part, members in fold.parts().items():
            assert members == tuple(one for one in whole.parts()[part] if one in without_eeg)
    with pytest.raises(SplitError, match="with EEG"):
        splits.with_eeg(without_eeg)


def test_a_part_whose_scans_have_one_outcome_is_refused(cohort):
    """The part is named, and what it lacks."""
    splits = nested(cohort.participants, 0, repeats=1, folds=2)
    good = {one.id for one in cohort.participants if one.good}
    with pytest.raises(
        SplitError, match="Part train of fold r0f0 has no patient with a poor outcome and a scan that may"
    ):
        splits.with_scans(good)
    with pytest.raises(SplitError, match="zz is in no split"):
        splits.with_scans(["zz"])


#: Good and poor with EEG, and without: nobody has EEG; too few of one outcome; too few for five folds alone.
THIN = [(0, 0, 12, 12), (0, 9, 12, 3), (4, 4, 8, 8)]


@pytest.mark.parametrize("sizes", THIN)
@pytest.mark.parametrize("profile", ["nested", "paper"])
def test_where_too_few_have_eeg_scans_are_dealt_by_outcome_alone(tmp_path, sizes, profile):
    """Parts are a split all the same: disjoint, complete, both outcomes in each; the file says how it was dealt."""
    cohort = cohort_of(tmp_path / "cohort", patients(*sizes))
    splits = splits_of(cohort, profile, 0, needs_eeg=False)
    strict = profile == "paper" and sizes[0] >= 3
    assert splits.by == ("outcome and EEG" if strict else "outcome")
    assert splits == splits_of(cohort, profile, 0, needs_eeg=False)
    everybody, good = {one.id for one in cohort.participants}, {one.id for one in cohort.participants if one.good}
    for fold in splits.networks:
        for part, members in fold.parts().items():
            if fold.name != "final" or part != "test":
                assert set(members) & good and set(members) - good
        assert sorted(sum(fold.parts().values(), ())) == sorted(everybody)
    assert splits.with_scans(everybody).patients == splits.patients


def test_by_outcome_alone_each_part_has_its_share_of_both():
    """Nested test sets are even in outcomes; the paper's parts are 71, 15 and 16 of 102."""
    people = patients(1, 1, 50, 50)
    good = {one.id for one in people if one.good}
    (fold,) = paper(people, 3, by="outcome").folds
    assert [len(part) for part in fold.parts().values()] == [71, 15, 16]
    assert [len(good & set(part)) for part in fold.parts().values()] in ([36, 7, 8], [35, 8, 8], [36, 8, 7])
    for fold in nested(people, 3, by="outcome").folds:
        assert len(good & set(fold.test)) in (10, 11) and len(fold.test) in (20, 21)


def test_splits_by_outcome_alone_are_no_splits_of_signals(tmp_path):
    """A network of EEG and EMG is refused by the numbers that there are, before and after the file was written."""
    cohort = cohort_of(tmp_path / "cohort", patients(1, 4, 12, 12))
    with pytest.raises(SplitError, match="Patients with EEG and a good outcome: 1, too few for 5 folds"):
        splits_of(cohort, "nested", 0)
    assert not (cohort.folder / "splits.json").exists()
    splits = splits_of(cohort, "nested", 0, needs_eeg=False)
    with pytest.raises(SplitError, match=r"by outcome alone, .*: 1 with a good outcome and 4 with a poor one\..* Add"):
        splits_of(cohort, "nested", 0)
    with pytest.raises(SplitError, match="with EEG and a good outcome: 0, too few for part"):
        splits.with_eeg(one.id for one in cohort.participants if one.has_eeg)
    assert splits_of(cohort, "paper", 0, needs_eeg=False).by == "outcome"


def test_a_cohort_that_can_be_dealt_by_eeg_is_whoever_asks(cohort, tmp_path):
    """The file has the same bytes, and names no other way."""
    other = cohort_of(tmp_path / "other", cohort.participants)
    splits_of(cohort, "nested", 0)
    splits_of(other, "nested", 0, needs_eeg=False)
    text = (cohort.folder / "splits.json").read_bytes()
    assert text == (other.folder / "splits.json").read_bytes() and b'"by"' not in text
    few = [cohort_of(tmp_path / name, patients(4, 4, 8, 8)) for name in ("signals", "scans")]
    for one, needs_eeg in zip(few, (True, False), strict=True):
        splits_of(one, "paper", 0, needs_eeg=needs_eeg)
    assert len({(one.folder / "splits.json").read_bytes() for one in few}) == 1


def test_too_few_of_an_outcome_are_refused_by_outcome_alone_too(tmp_path):
    """The words do not ask for EEG."""
    cohort = cohort_of(tmp_path / "cohort", patients(0, 0, 3, 12))
    with pytest.raises(SplitError, match=r"Patients with a good outcome: 3, too few for 5 folds.* Add patients with a"):
        splits_of(cohort, "nested", 0, needs_eeg=False)
    assert not (cohort.folder / "splits.json").exists()


def test_a_file_by_outcome_alone_whose_part_lost_an_outcome_is_refused(tmp_path):
    """Both outcomes are asked for in every part, whoever has EEG; another way of dealing is none."""
    cohort = cohort_of(tmp_path / "cohort", patients(0, 0, 8, 8))
    splits_of(cohort, "paper", 0, needs_eeg=False)
    path = cohort.folder / "splits.json"
    document = json.loads(path.read_text())
    fold = document["profiles"]["paper"]["folds"][0]
    fold["train"], fold["stop"] = sorted([*fold["train"], *fold["stop"]]), []
    path.write_text(json.dumps(document))
    with pytest.raises(SplitError, match="Patients with a good outcome: 0, too few for part stop of fold paper"):
        splits_of(cohort, "paper", 0, needs_eeg=False)
    document["profiles"]["paper"]["by"] = "luck"
    path.write_text(json.dumps(document))
    with pytest.raises(SplitError, match="by: Input should be 'outcome and EEG' or 'outcome'"):
        splits_of(cohort, "paper", 0, needs_eeg=False)
