"""Logs: on stderr, one line per event, for people or for machines; and LSL's own lines kept out of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from deploy import lsl_config

SPEAK = """
from deploy.logs import set_up
from deploy.settings import LogSettings
log = set_up(LogSettings(level="info", format={format!r}), "tester", bed="B4")
log.debug("not said")
log.info("said", session="01J", n=3)
"""


@pytest.mark.parametrize("format_", ["json", "console"])
def test_lines_go_to_stderr(format_):
    """Stdout belongs to results; what is less severe than the level is not said."""
    script = SPEAK.format(format=format_)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    if format_ == "json":
        said = json.loads(line)
        keys = ("event", "session", "n", "role", "bed", "level")
        assert [said[key] for key in keys] == ["said", "01J", 3, "tester", "B4", "info"]
    else:
        assert "said" in line


@pytest.fixture
def no_config(monkeypatch):
    """Return the environment without anybody's LSL settings."""
    monkeypatch.delenv("LSLAPICFG", raising=False)
    monkeypatch.setattr(lsl_config, "ELSEWHERE", ())


def test_lsl_is_quiet_and_where_needed_private(no_config):
    """A demonstration is not seen by whoever looks for a patient."""
    lsl_config.be_quiet()
    assert os.environ["LSLAPICFG"].endswith("quiet.cfg")
    lsl_config.be_private()
    lsl_config.be_quiet()  # as each of its children does
    with open(os.environ["LSLAPICFG"]) as file:
        assert "ResolveScope = machine" in file.read()


def test_own_settings_of_lsl_are_kept(no_config, monkeypatch, tmp_path):
    """Whoever has set LSL up knows why."""
    monkeypatch.setenv("LSLAPICFG", "mine.cfg")
    lsl_config.be_quiet()
    lsl_config.be_private()
    assert os.environ["LSLAPICFG"] == "mine.cfg"
    monkeypatch.delenv("LSLAPICFG")
    (tmp_path / "lsl_api.cfg").touch()
    monkeypatch.setattr(lsl_config, "ELSEWHERE", (tmp_path / "lsl_api.cfg",))
    lsl_config.be_quiet()
    lsl_config.be_private()
    assert "LSLAPICFG" not in os.environ
