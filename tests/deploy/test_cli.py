"""The real command in a process of its own: JSON on stdout, words on stderr, an exit code for each refusal."""

from __future__ import annotations

import json
import re
import shutil
import socket
from pathlib import Path

import pytest

from acquisition.montage import load_montage
from acquisition.session import SessionFolder
from deploy.cli import main as cli
from deploy.cli.reference import reference
from deploy.opening import Plan

REPOSITORY = Path(__file__).parents[2]
NOWHERE = "unix:///nowhere/redis.sock"


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "kind", "words"),
    [
        ("replay", {}, 2, "usage", r"Missing argument 'FILE'\. Try flexion replay --help\."),
        ("live --patient P1", {}, 2, "usage", r"A session needs its patient and its bed\. Give --patient and --bed"),
        ("live --source-id X", {}, 2, "usage", r"A session needs its patient and its bed\."),
        ("cues --bed B1", {}, 2, "usage", r"The page of bed B1 reaches the cues through Redis, and none is named\."),
        ("fly", {}, 2, "usage", r"No such command 'fly'"),
        ("sessions", {}, 2, "usage", r"Missing command\. Try flexion sessions --help\."),
        ("demo --beds 9", {}, 2, "usage", r"9 beds were asked for\. Give a number from 1 to 8\."),
        ("demo --seconds 0", {}, 2, "usage", r"0 s of signal were asked for\. Give more than 0\."),
        ("replay x --speed fast", {}, 2, "usage", r"--speed is 'fast'\. Give 'max' or a number above 0"),
        ("replay x --loop --rounds 2", {}, 2, "usage", r"--loop has no end, --rounds has one\. Give one of the two\."),
        ("replay x --rounds 0", {}, 2, "usage", r"--rounds is 0\. Give 2 or more, or --loop for no end\."),
        ("replay x --from soon", {}, 2, "usage", r"--from is 'soon', which is no time\. Give seconds"),
        ("score x --from 5 --to 5", {}, 2, "usage", r"--to 5 does not lie behind --from 5\. Give a later one\."),
        ("score .", {}, 3, "recording", r"There is no recording in .*\. Name a session's folder, or one with files"),
        ("replay . --loop", {}, 3, "recording", r"There is no recording in .*\. Name a session's folder, or one"),
        ("scorer", {}, 2, "usage", r"The scorer has no Redis\. Name one: --redis URL"),
        ("config check", {"FLEXION_MONTAGE": "x"}, 3, "settings", r"FLEXION_MONTAGE sets 'montage', which is no"),
        ("score nothing.xdf", {}, 3, "recording", r"There is neither a file .*nothing\.xdf nor a session nothing\.xdf"),
        ("replay nothing.xdf", {}, 3, "recording", r"There is neither a file .*nothing\.xdf nor a session"),
        ("models verify nothing", {}, 3, "bundle", r"There is no bundle 'nothing'"),
        ("models show nothing", {}, 3, "bundle", r"There is no bundle 'nothing'"),
        (
            "score . --mains 55",
            {},
            3,
            "settings",
            r"the command line sets 'session\.mains_hz' to 55\.0: mains is 50 or",
        ),
        (f"bridge --session 01J --redis {NOWHERE}", {}, 3, "identity", r"session '01J' is not an id"),
        (f"demo --redis {NOWHERE}", {"fitting": "yes"}, 4, "transport_down", r"Redis at unix:///nowhere/redis\.sock"),
    ],
)
def test_every_refusal_has_its_code_and_words(flexion, bundle_variables, arguments, variables, code, kind, words):
    """One clear line with the remedy on stderr, the same as an object on stdout, and the class's exit code."""
    variables = dict(bundle_variables) if variables.get("fitting") else variables
    as_json = [] if arguments.split()[0] in ("sessions", "scorer", "bridge") else ["--json"]
    done = flexion(*arguments.split(), *as_json, **variables)
    assert done.returncode == code
    assert re.search(words, done.stderr), done.stderr
    assert done.stderr.count("\n") == 1
    if as_json:
        assert json.loads(done.stdout)["error"]["kind"] == kind


def test_a_taken_port_is_found_before_anything_runs(flexion, bundle_variables):
    """The port is named, with the way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = flexion("demo", "--port", str(taken.getsockname()[1]), "--json", **bundle_variables)
    assert done.returncode == 4
    assert "choose another port with --port" in done.stderr


def test_help_needs_no_settings(flexion):
    """Help is there also where the settings are wrong."""
    done = flexion("--help", FLEXION_NONSENSE="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "demo" in done.stdout
    assert flexion().stdout == done.stdout


def test_help_waits_for_nothing_heavy():
    """Nothing that takes time to import is imported before a verb runs, nor for the settings of one."""
    import subprocess
    import sys

    heavy = ("numpy", "scipy", "redis", "fastapi", "pylsl", "onnxruntime", "rich.console")
    for module, names in (("deploy.cli.main", (*heavy, "pydantic")), ("deploy.settings", heavy)):
        script = f"import sys, {module}; print([name for name in {names!r} if name in sys.modules])"
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, cwd=REPOSITORY, check=True
        )
        assert (module, done.stdout) == (module, "[]\n")


def test_score_gives_one_object(flexion, bundle_variables, recording):
    """One file is one object, several are a list in one; people's words go to stderr."""
    done = flexion("score", str(recording), "--json", **bundle_variables)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["mode"] == "score"
    done = flexion("score", str(recording), str(recording), "--json", **bundle_variables)
    assert [s["windows"]["scored"] for s in json.loads(done.stdout)["sessions"]] == [1, 1]


def test_a_folder_is_one_table(flexion, bundle_variables, recording, tmp_path):
    """A row for each; one that is refused stops none of the others, and its code is the command's."""
    folder = tmp_path / "some"
    folder.mkdir()
    shutil.copy(recording, folder / "b.xdf")
    (folder / "a.csv").touch()
    done = flexion("score", str(folder), "--json", **bundle_variables)
    assert (done.returncode, done.stderr) == (3, "")
    refused, scored = json.loads(done.stdout)["sessions"]
    assert refused["error"] == {
        "kind": "recording",
        "subject": "a.csv",
        "message": "a.csv is empty: it has no bytes.",
        "remedy": "Copy it again from where it was recorded, or choose another one.",
    }
    assert (scored["file"], scored["windows"]["scored"]) == ("b.xdf", 1)
    done = flexion("score", str(folder), "--from", "1", "--to", "15", **bundle_variables)
    assert done.returncode == 3
    assert re.search(r"b\.xdf +unnamed +0:14 +1 of 1 +ABSTAINED", done.stdout)


def test_score_tells_people(flexion, bundle_variables, recording):
    """Without --json the same is said in lines."""
    done = flexion("score", str(recording), **bundle_variables)
    assert done.returncode == 0, done.stderr
    assert "the ledger balances" in done.stdout


def test_settings_in_force_are_shown(flexion):
    """Passwords are masked."""
    done = flexion("config", "check", "--json", REDIS_URL="redis://me:secret@ward:6379/0")
    shown = json.loads(done.stdout)["settings"]
    assert shown["redis_url"] == "redis://me:***@ward:6379/0"
    assert shown["dashboard"]["port"] == 8610
    assert "dashboard.port" in flexion("config", "check").stdout


def test_models_are_shown_and_verified(flexion, bundle_variables):
    """A bundle's own reference values are checked on this machine."""
    name = bundle_variables["FLEXION_MODELS__EEG_EMG"]
    assert json.loads(flexion("models", "show", name, "--json").stdout)["manifest"]["name"] == "tiny"
    assert flexion("models", "show", name).stdout.startswith("# tiny")
    verified = json.loads(flexion("models", "verify", name, "--json").stdout)
    assert verified["engine"]["backend"] == "onnxruntime-cpu"
    every = json.loads(flexion("models", "verify", "--json").stdout)["bundles"]
    assert {"fusion-equal", "lstm-bands"} <= {bundle["name"] for bundle in every}
    assert "every hash fits" in flexion("models", "verify", bundle_variables["FLEXION_MODELS__FUSION"]).stderr
    assert json.loads(flexion("models", "list", "--json").stdout)["schema"] == "flexion.result/1"


def test_no_sessions_is_an_empty_list(flexion):
    """A data folder that is not there yet has no sessions."""
    assert json.loads(flexion("sessions", "list", "--json").stdout)["sessions"] == []


def test_sessions_are_listed_under_words(flexion, settings, models):
    """Headings that people read, moments to the second."""
    plan = Plan("demo", "simulated", "P1", "B1", load_montage("amp16"), {"kind": "lsl"})
    info = SessionFolder.create(settings.data_dir, plan.to_info(models)).info
    listed = flexion("sessions", "list", FLEXION_DATA_DIR=str(settings.data_dir)).stdout
    assert re.search(r"Session +Patient +Bed +Mode +Begun \(UTC\) +Ended +Results", listed)
    begun = info.created_utc[:19].replace("T", " ")
    assert re.search(rf"{info.session} +P1 +B1 +demo +{begun} +no +0", listed)


def test_a_session_that_is_spoiled_hides_no_other(flexion, settings, models):
    """Each folder that cannot be read is said in a line, with the file and the key; the others are listed."""
    plan = Plan("demo", "simulated", "P1", "B1", load_montage("amp16"), {"kind": "lsl"})
    made = [SessionFolder.create(settings.data_dir, plan.to_info(models)) for _ in range(4)]
    values = made[0].info.to_json()
    (made[1].path / "session.json").write_text(json.dumps({**values, "bundles": ["a"]}))
    (made[2].path / "results.jsonl").write_text("7\n")
    (made[3].path / "session.json").unlink()
    data = {"FLEXION_DATA_DIR": str(settings.data_dir)}
    done = flexion("sessions", "list", "--json", **data)
    listed, ids = json.loads(done.stdout), [folder.info.session for folder in made]
    assert [row["session"] for row in listed["sessions"]] == ids[:1] and done.returncode == 0
    assert {one["session"]: one["error"]["kind"] for one in listed["refused"]} == dict.fromkeys(ids[1:], "recording")
    lines = done.stderr.splitlines()
    for number, words in enumerate(
        ("bundles must be an object, not a list", "a line that is no object", "No such file")
    ):
        assert sum(words in line and ids[number + 1] in line and "Restore" in line for line in lines) == 1, lines
    for verb in ("show", "report", "export"):
        done = flexion("sessions", verb, ids[1], **data)
        assert (
            done.returncode == 3 and "bundles must be an object" in done.stderr and len(done.stderr.splitlines()) == 1
        )


def test_a_fault_of_ours_leaves_a_report(capsys, tmp_path, monkeypatch):
    """The traceback goes to a file that the one line names."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    error = ZeroDivisionError("by zero")
    cli.report_fault(ZeroDivisionError, error, None)
    line = capsys.readouterr().err
    (report,) = tmp_path.glob("flexion-fault-*.log")
    assert line == (
        f"flexion: a fault of Flexion itself: ZeroDivisionError: by zero. Please report it with {report}.\n"
    )
    assert "ZeroDivisionError" in report.read_text()


def test_the_page_of_the_command_line_is_its_help():
    """docs/cli.md is what the commands say: after a change, `make docs`."""
    assert (REPOSITORY / "docs" / "cli.md").read_text() == reference()


def test_the_readme_names_what_exists():
    """Every command and make target that the README shows is there."""
    readme = (REPOSITORY / "README.md").read_text()
    helps = reference()
    for command in re.findall(r"bin/flexion ([a-z]+)", readme):
        assert f"## flexion {command}\n" in helps
    makefile = (REPOSITORY / "Makefile").read_text()
    for target in re.findall(r"make ([a-z]+)", readme):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize(
    "target", ["demo", "test", "lint", "docs", "models", "browser", "faults", "conformance", "mutations"]
)
def test_make_has_the_targets_that_people_know(target):
    """Each target is there and says what it is."""
    makefile = (REPOSITORY / "Makefile").read_text()
    assert re.search(rf"^{target}:.*##", makefile, re.MULTILINE)
