"""Asking a Flexion that runs: what it answers, what it refuses, and when nobody is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.cli import models as module
from deploy.cli.asking import Refused, ask
from deploy.errors import WrongUse
from deploy.settings import load
from streaming.connection import connect
from streaming.control import Command, Listener
from streaming.errors import NoAnswer


@contextmanager
def answering(url: str, act: Callable[[Listener, Command], None]) -> Iterator[list[Command]]:
    """Hear one command as a supervisor does, and answer it."""
    heard: list[Command] = []
    listener = Listener(connect(url, "supervisor", blocking=True), "supervisor")

    def listen() -> None:
        while not heard:
            heard.extend(listener.read(0.5))
        act(listener, heard[0])

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield heard
    thread.join(10.0)


SERVED = {
    "eeg_emg": {"name": "tiny", "version": "2.0.0", "sha256": "a" * 64},
    "fusion": {"name": "fusion-stack", "version": "1"},
    "fused": False,
}


def test_a_bundle_is_served_by_whoever_runs(
    redis_url: str,
    bundle_variables: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its folders travel as paths that mean the same to another process; the answer is one line, or the object."""
    folder = bundle_variables["FLEXION_MODELS__EEG_EMG"]
    with answering(redis_url, lambda listener, command: listener.answer(command, SERVED)) as heard:
        module.serve(folder, redis=redis_url, as_json=True)
    assert heard[0].name == "serve" and heard[0].args == {"eeg_emg": str(Path(folder).resolve()), "fusion": None}
    said = capsys.readouterr()
    assert "New sessions are scored by tiny 2.0.0 (aaaaaaaaaaaa)." in said.err and '"served"' in said.out
    assert "fusion-stack 1 was not fitted on it: sessions are PARTIAL until --fusion names" in said.err


@pytest.mark.parametrize(("kind", "code"), [("bundle", 3), ("not_served", 4), ("usage", 2)])
def test_a_refusal_comes_back_as_it_was_said(redis_url: str, kind: str, code: int) -> None:
    """Kind, words and remedy, and the exit code that goes with the kind."""
    refusal = {"kind": kind, "subject": "tiny", "message": "It did not begin.", "remedy": "Look."}
    supervisor = answering(redis_url, lambda listener, command: listener.refuse(command, refusal))
    with supervisor, pytest.raises(Refused, match="It did not begin. Look.") as caught:
        ask(load({"redis_url": redis_url}), "serve", {}, 10.0)
    assert caught.value.as_refusal() == refusal and caught.value.exit_code == code


def test_where_nobody_runs_is_said(redis_url: str, tmp_path: Path) -> None:
    """No Redis is named and none is private to the folder, or nobody listens there."""
    with pytest.raises(WrongUse, match=r"No flexion live runs on .*, and no Redis is named\. .*path is too long"):
        ask(load({"data_dir": tmp_path}, {}), "serve", {}, 0.1)
    with pytest.raises(NoAnswer, match="Nobody answered 'serve'"):
        ask(load({"redis_url": redis_url}), "serve", {}, 0.1)


def test_a_private_redis_is_found_by_the_folder(redis_url: str, tmp_path: Path) -> None:
    """Nobody has to know its socket; the ward keeps it in the data folder."""
    (tmp_path / "redis").symlink_to(Path(redis_url.removeprefix("unix://")).parent)
    with answering(redis_url, lambda listener, command: listener.answer(command, {"did": "it"})):
        assert ask(load({"data_dir": tmp_path}, {}), "serve", {}, 10.0) == {"did": "it"}
