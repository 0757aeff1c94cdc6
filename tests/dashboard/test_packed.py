"""What a browser is sent at first: packed where it unpacks, and asked for all at once."""

import gzip
import os
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from dashboard.files import STATIC
from dashboard.modules import modules_of, preload
from dashboard.packed import _packed, bare
from tests.conftest import lacking

SCRIPT = "/static/bed/bed.js"
#: Has the compiler print scripts as it understands them, without comments.
PRINT = ["--allowJs", "--noCheck", "--noResolve", "--removeComments", "--target", "es2022", "--module", "es2022"]


@pytest.mark.parametrize("path", [SCRIPT, "/static/base.css", "/static/icon.svg"])
def test_texts_are_packed_for_who_unpacks_them(client: httpx.Client, path: str) -> None:
    """But for comments it is the file; each way has its tag, and a cache is told that there are two."""
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert plain.content == (STATIC / path.removeprefix("/static/")).read_bytes()
    assert packed.text == bare(plain.text, Path(path).suffix)
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert packed.headers["content-type"] == plain.headers["content-type"]
    assert packed.headers["etag"] != plain.headers["etag"]
    assert [answer.headers["vary"] for answer in (packed, plain)] == ["Accept-Encoding"] * 2
    assert packed.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_what_did_not_change_is_not_sent_again(client: httpx.Client, encoding: str) -> None:
    """A copy is asked after by its tag, packed or not; the other one's tag is of no use."""
    accepts = {"Accept-Encoding": encoding}
    tag = client.get(SCRIPT, headers=accepts).headers["etag"]
    again = client.get(SCRIPT, headers={**accepts, "If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = {"gzip": "identity", "identity": "gzip"}[encoding]
    assert client.get(SCRIPT, headers={"Accept-Encoding": other, "If-None-Match": tag}).status_code == 200


def test_a_file_that_changed_is_packed_anew(tmp_path: Path) -> None:
    """An upgrade in place is seen at once."""
    path = tmp_path / "a.js"
    bodies = []
    for text in ("one", "three"):
        path.write_text(text)
        stat = os.stat(path)
        bodies.append(gzip.decompress(_packed(str(path), stat.st_mtime_ns, stat.st_size)))
    assert bodies == [b"one", b"three"]


def test_pages_are_packed_and_live_data_is_not(client: httpx.Client) -> None:
    """A page says that it depends on the encoding; an event would wait in the packer."""
    page = client.get("/beds/B4", headers={"Accept-Encoding": "gzip"})
    assert page.headers["content-encoding"] == "gzip" and "Accept-Encoding" in page.headers["vary"]
    assert page.text == client.get("/beds/B4", headers={"Accept-Encoding": "identity"}).text
    with client.stream("GET", "/api/v1/beds/B4/events", headers={"Accept-Encoding": "gzip"}) as events:
        assert "content-encoding" not in events.headers


@pytest.mark.parametrize("path", ["/", "/beds/B4", "/docs"])
def test_a_page_names_every_module_that_it_needs(client: httpx.Client, path: str) -> None:
    """Each once, and each is there: a browser need not read one to learn of the next."""
    page = client.get(path).text
    named = re.findall(r'(?:rel="modulepreload" href|type="module" src)="([^"]+)"', page)
    assert [name for name in set(named) if named.count(name) > 1] == ["/static/words/english.js"]
    for name in named:
        answer = client.get(name)
        assert answer.status_code == 200, name
        for imported in re.findall(r'from "(\.[^"]+)";', answer.text):
            assert str(httpx.URL(f"http://a{name}").join(imported).path) in named


def test_a_page_asks_for_its_own_words_at_once(client: httpx.Client) -> None:
    """Those of the other languages are not asked for at all, or once the page knows that it needs them."""
    link = '<link rel="modulepreload" href="/static/words/chinese.js">'
    assert link in client.get("/beds/B4?lang=zh").text
    assert link not in client.get("/beds/B4?lang=en").text


def test_nothing_but_comments_stays_behind(tmp_path: Path) -> None:
    """Printed without comments, every script is the same program as before; its lines have the same numbers."""
    tsc = STATIC.parent / "node_modules" / ".bin" / "tsc"
    if not tsc.exists():
        lacking("TypeScript: npm ci --prefix dashboard")
    texts = {path.relative_to(STATIC): path.read_text() for path in STATIC.rglob("*.js") if "vendor" not in path.parts}
    for name, text in texts.items():
        for side, sent in (("whole", text), ("bare", bare(text, ".js"))):
            (tmp_path / side / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / side / name).write_text(sent)
            assert sent.count("\n") == text.count("\n")
    files = [str(tmp_path / side / name) for name in texts for side in ("whole", "bare")]
    printed = tmp_path / "printed"
    subprocess.run([tsc, *PRINT, "--rootDir", tmp_path, "--outDir", printed, *files], check=True)
    differ = [str(n) for n in texts if (printed / "whole" / n).read_text() != (printed / "bare" / n).read_text()]
    assert differ == []


def test_what_others_wrote_keeps_its_licence(client: httpx.Client) -> None:
    """Packed, but word for word."""
    path = "vendor/uplot/uPlot.esm.js"
    answer = client.get(f"/static/{path}", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == (STATIC / path).read_bytes()


def test_modules_are_found_wherever_an_import_stands(tmp_path: Path) -> None:
    """Over several lines, for what it does alone, handed on; never in a comment, nor what is asked for later."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.js").write_text(
        '/** import("./never.js") */\nimport {\n  b,\n} from "./deep/b.js";\nimport "./c.js";\n'
        'const later = () => import("./late.js");\nexport const d = "./no.js";\n'
    )
    (tmp_path / "deep" / "b.js").write_text('export { c } from "../c.js";\nimport { a } from "../a.js";\n')
    (tmp_path / "c.js").write_text("")
    assert modules_of(["a.js"], tmp_path) == ["a.js", "deep/b.js", "c.js"]
    page = '<head>\n<script type="module" src="/static/a.js"></script>\n</head>'
    links = [f'  <link rel="modulepreload" href="/static/{name}">\n' for name in ("deep/b.js", "c.js")]
    assert preload(page, tmp_path) == page.replace("</head>", "".join(links) + "</head>")
    assert preload("<head></head>", tmp_path) == "<head></head>"
