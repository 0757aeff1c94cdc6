"""Settings: every source, and every refusal with its key and source."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.errors import SettingsError
from deploy.settings import Settings, keys, load


@pytest.fixture
def settings_file(tmp_path: Path):
    """Return a function that writes a settings file and returns the variable that names it."""

    def write(text: str) -> dict[str, str]:
        path = tmp_path / "flexion.toml"
        path.write_text(text)
        return {"FLEXION_CONFIG": str(path)}

    return write


def test_later_sources_win(settings_file):
    """Flags win over variables, variables over the file, the file over the defaults."""
    environ = settings_file('[dashboard]\nport = 1111\n[models]\nscorers = 3\n[session]\nmontage = "eeg16"\n')
    environ |= {"FLEXION_DASHBOARD__PORT": "2222", "FLEXION_MODELS__SCORERS": "4"}
    settings = load({"dashboard.port": 3333, "session.unit": None}, environ)
    assert (settings.dashboard.port, settings.models.scorers, settings.session.montage) == (3333, 4, "eeg16")
    assert settings.session.minutes == 9.0


def test_the_common_variable_names_the_redis():
    """REDIS_URL is honoured, and Flexion's own variable wins over it."""
    assert load({}, {"REDIS_URL": "redis://a"}).redis_url == "redis://a"
    assert load({}, {"REDIS_URL": "redis://a", "FLEXION_REDIS_URL": "redis://b"}).redis_url == "redis://b"


def test_engines_may_be_given_in_one_variable():
    """A list in a variable is separated by commas."""
    assert load({}, {"FLEXION_MODELS__ENGINES": "tensorrt, onnxruntime-cpu"}).models.engines[1] == "onnxruntime-cpu"


def test_scans_may_be_left_out():
    """A ward without a scanner names no bundle of scans."""
    assert load({}, {}).models.fmri == "cnn-shufflenet"
    assert load({}, {"FLEXION_MODELS__FMRI": "none"}).models.fmri is None


def test_settings_are_frozen():
    """Nobody changes settings in the middle of a session."""
    with pytest.raises(ValueError, match="frozen"):
        Settings().dashboard.port = 1


def test_an_unknown_key_is_refused_with_its_file(settings_file):
    """A misspelt key in the file is refused: it would be ignored at the bedside."""
    environ = settings_file("[dashboard]\nprot = 1\n")
    with pytest.raises(SettingsError, match=r"flexion\.toml sets 'dashboard\.prot', which is no setting") as refusal:
        load({}, environ)
    assert refusal.value.remedy == "Known here: host, port."
    assert refusal.value.exit_code == 3


def test_an_unknown_variable_is_refused():
    """A misspelt variable is refused, at the top of the tree and inside it."""
    with pytest.raises(SettingsError, match="FLEXION_MONTAGE sets 'montage', which is no setting.*data_dir, redis_url"):
        load({}, {"FLEXION_MONTAGE": "amp16"})
    with pytest.raises(SettingsError, match="FLEXION_LOG__LEVL sets 'log.levl', which is no setting"):
        load({}, {"FLEXION_LOG__LEVL": "info"})


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"FLEXION_DASHBOARD__PORT": "x"}, "'dashboard.port' to 'x': input should be a valid integer"),
        ({"FLEXION_DASHBOARD__HOST": "0.0.0.0"}, "'dashboard.host' to '0.0.0.0': only a loopback address"),
        ({"FLEXION_DASHBOARD__HOST": "example.org"}, "'dashboard.host' to 'example.org': only a loopback address"),
        ({"FLEXION_SESSION__MAINS_HZ": "55"}, "'session.mains_hz' to '55': mains is 50 or 60 Hz"),
        ({"FLEXION_SESSION__MINUTES": "0"}, "'session.minutes' to '0': input should be greater than 0"),
        ({"FLEXION_MODELS__ENGINES": "auto,caffe"}, "'auto,caffe': caffe is no engine; there are auto, tensorrt"),
        ({"FLEXION_LOG__LEVEL": "loud"}, "'log.level' to 'loud': input should be 'debug', 'info'"),
        ({"FLEXION_LOG": "loud"}, "'log' to 'loud': input should be a valid dictionary"),
    ],
)
def test_a_value_that_cannot_be_is_refused(environ, words):
    """The refusal names the key, the value, its source and what is allowed."""
    (variable,) = environ
    with pytest.raises(SettingsError, match=f"{variable} sets .*Change it in {variable}") as refusal:
        load({}, environ)
    assert words in refusal.value.message


def test_a_file_that_is_not_toml_is_refused(settings_file):
    """The file and the line are named."""
    with pytest.raises(SettingsError, match=r"flexion\.toml is not TOML: .*line 1"):
        load({}, settings_file("port = = 1\n"))


def test_a_named_file_must_exist(tmp_path):
    """A settings file that was asked for is never silently left out."""
    with pytest.raises(SettingsError, match="FLEXION_CONFIG names .*nowhere.toml, which is not a file"):
        load({}, {"FLEXION_CONFIG": str(tmp_path / "nowhere.toml")})


def test_every_setting_says_what_it_is():
    """No key without a description: `flexion config check` prints them."""
    assert all(description for _, description in keys())
