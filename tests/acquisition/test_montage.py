"""Montages: built in, of one's own, and bound to a stream."""

from __future__ import annotations

import json

import numpy as np
import pytest

from acquisition.errors import MontageError, UnitError
from acquisition.montage import Channel, Montage, built_in_montages, load_montage
from tests import no_files

SITES = ["P4", "CP2", "FC5", "C3", "P3", "C2", "FC6", "C4", "CP6", "F3", "FC2", "FC1", "F4", "CP5", "C1", "CP1"]
MUSCLES = ["RF", "RFP", "VM", "BF", "ST", "GMAX"]


def test_built_in_montages_are_the_three_of_the_design():
    """The montages that ship have the sites and muscles of the contract, in order."""
    assert built_in_montages() == ("amp16", "eeg16", "paper22")
    over_the_leg = ["C3", "C1", "C2", "C4", "FC1", "FC2", "CP1", "CP2", "P3", "P4"]
    assert list(load_montage("amp16").labels) == over_the_leg + MUSCLES
    assert list(load_montage("eeg16").labels) == SITES
    assert list(load_montage("paper22").labels) == SITES + MUSCLES


@pytest.mark.parametrize("name", built_in_montages())
def test_montage_survives_json(name):
    """session.json holds the whole montage: it reads back equal."""
    montage = load_montage(name)
    assert Montage.from_json(json.loads(json.dumps(montage.to_json()))) == montage


def test_kinds_and_columns():
    """EEG and EMG are told by their columns."""
    montage = load_montage("amp16")
    assert montage.eeg.tolist() == list(range(10))
    assert montage.emg.tolist() == list(range(10, 16))
    assert montage.kinds == ("eeg",) * 10 + ("emg",) * 6
    assert montage.n_channels == 16


def test_binding_reorders_by_label_and_lists_what_it_ignores():
    """Labels match without regard to case, in any order; extra channels are listed (law 10)."""
    montage = load_montage("amp16")
    labels = ["TRIG", *(label.lower() for label in reversed(montage.labels))]
    binding = montage.bind(labels, ["uV"] * 17)
    assert binding.ignored == ("TRIG",)
    assert [labels[column] for column in binding.columns] == [label.lower() for label in montage.labels]


def test_binding_takes_an_alias_only_where_the_label_is_absent():
    """A channel is found by its alias; where the label is there too, the label counts."""
    montage = Montage("m", 1000.0, (Channel("VM", "emg", aliases=("vastus medialis", "VMO")),))
    assert montage.bind(["VMO"], ["uV"]).columns == (0,)
    assert montage.bind(["VMO", "VM"], ["uV", "uV"]).columns == (1,)


def test_missing_channels_are_named():
    """A missing channel is refused with its name and the way out (law 10)."""
    labels = [label for label in load_montage("amp16").labels if label not in ("RF", "ST")]
    with pytest.raises(
        MontageError, match=r"Channels RF, ST are missing, which montage amp16 needs.*--montage"
    ) as caught:
        load_montage("amp16").bind(labels, ["uV"] * 14)
    assert caught.value.subject == "RF, ST"


def test_two_columns_of_one_channel_are_refused():
    """A stream with the same label twice is not guessed at."""
    montage = Montage("m", 1000.0, (Channel("C3", "eeg"),))
    with pytest.raises(MontageError, match=r"C3 of montage m fits more than one of the stream's: C3, c3"):
        montage.bind(["C3", "c3"], ["uV", "uV"])


def test_counter_is_bound_and_must_be_there():
    """A montage that names a sample counter demands it, and it is no ignored channel."""
    montage = Montage("m", 1000.0, (Channel("C3", "eeg"),), counter="CNT", counter_modulo=256)
    binding = montage.bind(["cnt", "C3"], [None, "uV"])
    assert (binding.counter_column, binding.ignored) == (0, ())
    with pytest.raises(MontageError, match="Channel CNT is missing"):
        montage.bind(["C3"], ["uV"])


@pytest.mark.parametrize(
    ("unit", "scale"),
    [("V", 1e6), ("mV", 1e3), ("uV", 1.0), ("µV", 1.0), ("μV", 1.0), ("microvolts", 1.0), ("Volts", 1e6),
     ("millivolts", 1e3), ("nV", 1e-3), ("0.25 uV", 0.25), ("1e-3mV", 1.0)],
)  # fmt: skip
def test_units_become_microvolts(unit, scale):
    """Every unit that amplifiers state becomes microvolts, in float64."""
    binding = Montage("m", 1000.0, (Channel("C3", "eeg"),)).bind(["C3"], [unit])
    out = binding.to_uv(np.array([[2], [3]], dtype=np.int16))
    assert out.dtype == np.float64
    assert out.ravel() == pytest.approx([2 * scale, 3 * scale])


def test_values_are_taken_from_their_columns_and_the_input_stays():
    """Channels come out in the montage's order, and the stream's array is not touched."""
    montage = Montage("m", 1000.0, (Channel("A", "eeg"), Channel("B", "emg")))
    samples = np.array([[1.0, 2.0, 3.0]], dtype=np.float32)
    out = montage.bind(["B", "x", "A"], ["uV", "uV", "mV"]).to_uv(samples)
    assert out.tolist() == [[3000.0, 1.0]]
    assert samples.tolist() == [[1.0, 2.0, 3.0]]


@pytest.mark.parametrize(
    ("stated", "words"), [(None, "is not stated"), ("", "is not stated"), ("a.u.", "is 'a.u.', which is not known")]
)
def test_unknown_unit_names_the_channel(stated, words):
    """An unstated or unknown unit must be given by the user (law 10)."""
    montage = Montage("m", 1000.0, (Channel("C3", "eeg"),))
    with pytest.raises(UnitError, match=rf"unit of channel C3 {words}.*--unit uV") as caught:
        montage.bind(["C3"], [stated])
    assert caught.value.subject == "C3"
    assert montage.bind(["C3"], [stated], unit="mV").scale_uv == (1000.0,)


@pytest.mark.parametrize(("stated", "scale"), [("0", 1e6), ("-3", 1e3), ("-6", 1.0), ("-9", 1e-3)])
def test_a_power_of_ten_of_a_volt_is_a_unit_unless_somebody_has_a_word(stated, scale):
    """MNE-LSL states units so; the user's word and the montage's go before it, a wrong one is refused."""
    silent, saying = (Montage("m", 1000.0, (Channel("C3", "eeg", unit=unit),)) for unit in (None, "mV"))
    assert silent.bind(["C3"], [stated]).scale_uv == (scale,)
    assert silent.bind(["C3"], [stated], unit="uV").scale_uv == (1.0,)
    assert saying.bind(["C3"], [stated]).scale_uv == (1e3,)
    with pytest.raises(UnitError, match="The unit given is 'furlong'"):
        silent.bind(["C3"], [stated], unit="furlong")
    with pytest.raises(UnitError, match="C3 is '-4', which is not known"):
        silent.bind(["C3"], ["-4"])


@pytest.mark.parametrize("unit", ["furlong", "1.2.3 uV", "0 uV"])
def test_unit_given_must_be_known(unit):
    """A wrong --unit is refused in its own words."""
    with pytest.raises(UnitError, match=f"The unit given is '{unit}'"):
        Montage("m", 1000.0, (Channel("C3", "eeg"),)).bind(["C3"], [None], unit=unit)


def test_montage_can_say_the_unit_of_a_silent_amplifier():
    """A montage of one's own may state the unit; what the stream states goes before it."""
    montage = Montage("m", 1000.0, (Channel("C3", "eeg", unit="0.5 uV"),))
    assert montage.bind(["C3"], [None]).scale_uv == (0.5,)
    assert montage.bind(["C3"], ["mV"]).scale_uv == (1000.0,)


def test_markers_are_translated():
    """Foreign texts and codes mean what the montage says; our own mean themselves."""
    montage = Montage("m", 1000.0, (Channel("C3", "eeg"),), markers={"S 12": "flexion"})
    assert montage.phase_of("S 12") == "flexion"
    assert montage.phase_of(" rest ") == "rest"
    assert montage.phase_of("S 13") is None


WRONG = [
    ({"channels": []}, "has no channels"),
    ({"channels": [{"label": "A", "kind": "eeg"}, {"label": "B", "kind": "emg", "aliases": ["a"]}]}, "the name a to"),
    ({"channels": [{"label": "A", "kind": "ecg"}]}, "kind 'ecg'; expected eeg or emg"),
    ({"channels": [{"label": "A", "kind": "eeg", "unit": "bar"}]}, "channel A in 'bar'; expected V, mV"),
    ({"channels": [{"label": "A", "kind": "eeg", "colour": "red"}]}, "unknown key colour"),
    ({"channels": ["A"]}, "where a table was expected"),
    ({"rate_hz": 0}, "rate_hz 0.0; expected a number above 0"),
    ({"rate_hz": "fast"}, "rate_hz = 'fast'; expected int or float"),
    ({"full_scale_uv": -1.0}, "full_scale_uv -1.0"),
    ({"counter_modulo": 256}, "counter_modulo 256; expected 2 or more, and a counter"),
    ({"markers": {"1": "jump"}}, "maps marker '1' to 'jump'"),
    ({"name": 7}, "name = 7; expected str"),
    ({"colour": "red"}, "unknown key colour"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), WRONG, ids=[words for _, words in WRONG])
def test_wrong_montage_says_what_is_wrong(change, words):
    """A montage file is refused with the key and the value (law 10)."""
    whole = {"name": "m", "rate_hz": 1000.0, "channels": [{"label": "A", "kind": "eeg"}]} | change
    with pytest.raises(MontageError, match=words):
        Montage.from_json(whole)


def test_own_montage_file(tmp_path):
    """A montage of one's own is a TOML file, named by its path."""
    file = tmp_path / "ward.toml"
    file.write_text('name = "ward"\nrate_hz = 1000\n[markers]\n"7" = "rest"\n[[channels]]\nlabel = "A"\nkind = "emg"\n')
    assert load_montage(str(file)).phase_of("7") == "rest"


def test_montage_that_is_not_there(tmp_path):
    """An unknown name lists those that are built in."""
    with pytest.raises(MontageError, match=r"'nope' is neither built in nor a file.*amp16, eeg16, paper22"):
        load_montage("nope")


def test_montage_that_is_a_pipe(tmp_path):
    """It is not waited for."""
    with pytest.raises(MontageError, match=r"ward.toml' is neither built in nor a file that can be read"):
        load_montage(str(no_files.put("a pipe", tmp_path / "ward.toml")))


def test_montage_file_that_is_not_toml(tmp_path):
    """A broken file is named with the parser's words."""
    file = tmp_path / "ward.toml"
    file.write_text("name = ")
    with pytest.raises(MontageError, match=r"ward.toml is not TOML: "):
        load_montage(str(file))
