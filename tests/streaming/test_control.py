"""Commands and their answers."""

from __future__ import annotations

import threading

import pytest

from acquisition.errors import BadInput
from streaming import keys
from streaming.connection import connect
from streaming.control import Command, Control, Listener, Reply, check_text
from streaming.errors import NoAnswer, RecordError, TextRefused


@pytest.fixture
def answering(server, redis):
    """Run a listener that answers with a function, in a thread."""
    stop = threading.Event()
    threads = []

    def begin(act):
        client = connect(server.url, "listener", blocking=True)
        listener = Listener(client, "bridge")

        def run():
            while not stop.is_set():
                for command in listener.read(0.05):
                    act(listener, command)
            client.close()

        threads.append(threading.Thread(target=run))
        threads[-1].start()

    yield begin
    stop.set()
    for thread in threads:
        thread.join()


def test_a_command_is_answered(blocking, answering):
    """The sender gets the answer to its own command, whoever else asks."""
    heard = []

    def act(listener, command):
        heard.append(command)
        listener.answer(Command("other", "mark", {}, "x"), {"n": 0})
        listener.answer(command, {"n": 1})

    answering(act)
    reply = Control(blocking).send("mark", {"session": "s", "text": "rest"}, author="ana")
    assert (reply.ok, reply.by, reply.data) == (True, "bridge", {"n": 1})
    (command,) = heard
    assert (command.name, command.args, command.author) == ("mark", {"session": "s", "text": "rest"}, "ana")


def test_a_refusal_comes_back_in_words(blocking, answering):
    """Why a command was not done reaches the person who asked (law 10)."""
    error = BadInput("There is no session s.", subject="s", remedy="List them: flexion sessions list.")
    answering(lambda listener, command: listener.refuse(command, error.as_refusal()))
    reply = Control(blocking).send("stop", {"session": "s"}, author="ana")
    assert not reply.ok
    assert reply.error == error.as_refusal()


def test_silence_is_told(blocking):
    """A command that nobody hears ends with its time, and says what to look at."""
    with pytest.raises(NoAnswer, match=r"Nobody answered 'stop' within 0.05 s. .*flexion doctor"):
        Control(blocking).send("stop", {}, author="ana", timeout_s=0.05)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("mark", " \n", "The mark is empty. Write a few words."),
        ("note", None, "The note is empty."),
        ("note", "x" * 10_000, "The note has 10,000 characters; at most 2,000 are kept. Shorten it"),
        ("mark", "x" * 201, "The mark has 201 characters; at most 200"),
        ("note", "half \ud83d", r"holds the character U\+D83D, which is no text"),
        ("note", "bell \a", r"holds the character U\+0007"),
    ],
)
def test_what_cannot_be_kept_is_refused(blocking, name, text, words):
    """Before anybody hears of it, with the way out."""
    with pytest.raises(TextRefused, match=words):
        Control(blocking).send(name, {"session": "s", "text": text}, author="ana")


def test_any_script_and_any_markup_is_text():
    """A note is kept as it was written: right to left, with marks of direction, with markup, in two lines."""
    text = "<script>alert(1)</script>\n\u200fالركبة تؤلم\u200e 膝盖"
    assert check_text("note", text) == text


def test_unknown_commands_are_refused(blocking):
    """There are six."""
    with pytest.raises(RecordError, match="no command 'reboot'; expected one of start, stop, mark, note, cue, streams"):
        Control(blocking).send("reboot", {}, author="ana")


def test_a_listener_hears_nothing_from_before_its_time(redis, blocking):
    """What was asked before somebody was there to do it has been given up."""
    with pytest.raises(NoAnswer):
        Control(blocking).send("stop", {}, author="ana", timeout_s=0.01)
    assert Listener(redis, "late").read() == []


def test_a_command_that_is_no_longer_valid_is_passed_over(redis):
    """A listener that was cut off does not stop a session minutes later."""
    listener = Listener(redis, "slow")
    for name, valid_s in (("stop", 0.0), ("mark", 60.0)):
        command = Command(name, name, {}, "ana", valid_s)
        fields = [str(value) for value in command.encode()]
        redis.xadd(keys.CONTROL, dict(zip(fields[::2], fields[1::2], strict=True)))
    assert [command.name for command in listener.read()] == ["mark"]


def test_control_streams_stay_short(redis):
    """Old commands and answers go, without a session to expire with."""
    listener = Listener(redis, "busy")
    for n in range(1300):
        listener.answer(Command(str(n), "mark", {}, "ana"))
    assert 1000 <= redis.xlen(keys.REPLIES) < 1200


def test_entries_that_are_none_are_refused(redis):
    """What others write there is not obeyed, and keeps nobody from what is a command (law 10)."""
    listener = Listener(redis, "careful")
    odd = {"id": "1", "name": "stop", "args": "[1]", "author": "x", "valid_s": "5"}
    for fields in ({"id": "1", "name": "stop"}, odd, {**odd, "author": b"\xff"}, {**odd, "args": "{}"}):
        redis.xadd(keys.CONTROL, fields)
    assert [command.args for command in listener.read()] == [{}]
    with pytest.raises(RecordError, match="is no command"):
        Command.decode({b"id": b"1"})
    with pytest.raises(RecordError, match="is no answer"):
        Reply.decode({b"id": b"1", b"reply": b"{}"})
