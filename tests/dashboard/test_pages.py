"""The pages as they are answered: in their reader's language and theme, whole from the first byte on."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie

import httpx
import pytest

from dashboard import catalogue, files
from dashboard.dress import Dress, dress_of
from dashboard.files import DARK, NIGHT, PAGES, SCHEMES, render

NAMES = sorted(path.name for path in PAGES.glob("*.html"))
#: A word of a sentence that has a place for a value.
PLACE = re.compile(r"\{(\w+)\}")


def dressed(cookie: str = "", accepted: str = "", query: str = "") -> Dress:
    """Return the dress of a request with these headers."""
    headers = [(b"cookie", cookie.encode()), (b"accept-language", accepted.encode())]
    return dress_of({"type": "http", "headers": headers, "query_string": query.encode()})


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_every_word_of_a_page_is_in_the_catalogue(name: str, language: str) -> None:
    """Each place is filled, and no page has a sentence of its own beside the catalogue's."""
    page = render(name, Dress(language))
    assert "{{" not in page
    assert f'<html lang="{language}"' in page
    assert language == "zh" or not re.search("[\u4e00-\u9fff]", page.replace("中文", ""))


def test_both_languages_say_the_same_with_the_same_values() -> None:
    """No sentence is missing in one, and none forgets a value; word order may differ."""
    english, chinese = catalogue.words_of("en"), catalogue.words_of("zh")
    assert set(english) == set(chinese)
    assert {
        path: (sentence, chinese[path])
        for path, sentence in english.items()
        if sorted(PLACE.findall(sentence)) != sorted(PLACE.findall(chinese[path]))
    } == {}


def test_chinese_is_chinese() -> None:
    """A sentence that was left in English is not in the Chinese catalogue."""
    left = [
        (path, sentence)
        for path, sentence in catalogue.words_of("zh").items()
        if len(re.findall("[A-Za-z]{3,}", PLACE.sub("", sentence))) > 2 and not re.search("[\u4e00-\u9fff]", sentence)
    ]
    assert left == []


def test_a_catalogue_that_does_more_than_speak_is_refused() -> None:
    """What the server cannot read would be said by scripts alone: it is refused with the place."""
    with pytest.raises(ValueError, match=r"words in w\.js cannot be read: .* at '`b`"):
        catalogue.parse("export const WORDS = {\n  a: `b`,\n};", "w.js")
    with pytest.raises(ValueError, match="exports no object"):
        catalogue.parse("export const words = 3;", "w.js")


@pytest.mark.parametrize(
    ("cookie", "accepted", "query", "language", "theme"),
    [
        ("", "", "", "en", "auto"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "", "zh", "auto"),
        ("", "zh;q=strange, en;q=0.2", "", "en", "auto"),
        ("flexion-language=zh; flexion-theme=night", "en", "", "zh", "night"),
        ("flexion-language=zh; flexion-theme=pink", "en", "lang=en", "en", "auto"),
        ("flexion-language=fr", "", "lang=xx", "en", "auto"),
        ("bad[name]=1; flexion-language=zh", "", "", "en", "auto"),
    ],
)
def test_what_was_chosen_comes_before_what_a_browser_wishes(
    cookie: str, accepted: str, query: str, language: str, theme: str
) -> None:
    """The address, then the cookie, then the browser; what is none of ours changes nothing."""
    dress = dressed(cookie, accepted, query)
    assert (dress.language, dress.theme) == (language, theme)


def test_the_link_to_the_other_language_keeps_the_rest_of_the_address() -> None:
    """A search or a place in a recording is not lost by it."""
    assert dressed(query="of=P-017&lang=zh").other == "of=P-017&lang=en"
    assert dressed(query='of="><script>').other == "of=%22%3E%3Cscript%3E&lang=zh"


def test_a_page_keeps_the_language_that_its_address_asked_for(client: httpx.Client) -> None:
    """The next page has it too; an address without one sets nothing, and no cache mixes readers up."""
    asked = client.get("/?lang=zh")
    assert '<html lang="zh"' in asked.text
    kept = SimpleCookie(asked.headers["set-cookie"])["flexion-language"]
    assert (kept.value, kept["samesite"]) == ("zh", "lax")
    assert '<html lang="zh"' in client.get("/beds/B4").text
    bare = httpx.get(str(client.base_url))
    assert "set-cookie" not in bare.headers
    assert {"Cookie", "Accept-Language"} <= set(bare.headers["vary"].split(", "))


def test_server_and_script_know_the_same_themes() -> None:
    """A page as it is answered and after a press looks the same."""
    script = (files.STATIC / "theme.js").read_text(encoding="utf-8")
    table = catalogue.parse(re.sub(r"Object\.freeze\((.*?)\);", r"\1;", script, flags=re.DOTALL), "theme.js")
    assert table == {name: {"scheme": SCHEMES[name], "dark": DARK[name], "night": NIGHT[name]} for name in SCHEMES}


def test_the_dark_and_the_night_name_every_colour() -> None:
    """A colour that one theme forgets would shine through from another."""
    styles = [(files.STATIC / f"{name}.css").read_text(encoding="utf-8") for name in ("base", "dark", "night")]
    light, dark, night = (set(re.findall(r"(--[\w-]+):", style)) for style in styles)
    assert light == dark == night
