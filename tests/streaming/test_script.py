"""The Lua scripts, as files that people read."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from streaming.script import Script

NAMES = sorted(path.name.removesuffix(".lua") for path in files("streaming").joinpath("scripts").iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_every_script_says_what_it_takes_and_returns(name):
    """The head of a script lists its keys, its arguments and what it returns."""
    text = Script(name).text
    head = "\n".join(line for line in text.splitlines() if line.startswith("--"))
    assert "\n-- Returns " in head
    for word in set(re.findall(r"(?:KEYS|ARGV)\[\d", text)):
        assert word in head, f"{name}.lua does not say what {word}] is"


def test_a_script_that_the_server_forgot_is_sent_again(redis):
    """A server that was started anew has no scripts."""
    release = Script("release")
    assert release(redis, ["a"], ["me"]) == 0
    redis.script_flush()
    assert release(redis, ["a"], ["me"]) == 0
