"""Catalogue: the words of the pages, read from the scripts' own files, so that each sentence stands in one place.

The files hold one object of strings, arrays and objects, as JSON does, besides comments, bare names, a comma after the
last and strings joined by ``+``. Whatever else they hold is refused: then a script says words that the server cannot.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

#: The languages of the pages, by the code that their root element carries, and their files.
LANGUAGES: Mapping[str, str] = {"en": "english.js", "zh": "chinese.js"}
WORDS = Path(__file__).parent / "static" / "words"

_STRING = r'"(?:[^"\\\n]|\\.)*"'
_OBJECT = re.compile(r"^export const [A-Z]+ = (\{.*?^\});", re.DOTALL | re.MULTILINE)
_TOKEN = re.compile(rf"(?P<string>{_STRING})|(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<name>\b\w+)(?=\s*:)", re.DOTALL)
_JOINED = re.compile(rf'({_STRING[:-1]})"\s*\+\s*"')
_LAST_COMMA = re.compile(rf"(?P<string>{_STRING})|,(?=\s*[}}\]])")


@cache
def words_of(language: str) -> Mapping[str, str]:
    """Return every sentence of a language by its path.

    Parameters
    ----------
    language : {"en", "zh"}
        The code.

    Raises
    ------
    ValueError
        If the file holds more than words.

    Examples
    --------
    >>> words_of("en")["states.READY"], words_of("zh")["states.READY"]
    ('Ready', '结果就绪')
    """
    return dict(_flat("", parse((WORDS / LANGUAGES[language]).read_text(encoding="utf-8"), LANGUAGES[language])))


def parse(script: str, name: str) -> Any:
    r"""Return the object that a script exports.

    Raises
    ------
    ValueError
        If it exports none, or it holds more than words.

    Examples
    --------
    >>> parse('export const WORDS = {\n  a: ["b", "c" + "d"], // first\n};', "words.js")
    {'a': ['b', 'cd']}
    """
    found = _OBJECT.search(script)
    if found is None:
        raise _refused(name, "it exports no object that ends with `};` on a line of its own")
    bare = _TOKEN.sub(_as_json, found[1])
    joined = _whole(_JOINED, r"\1", bare)
    try:
        return json.loads(_LAST_COMMA.sub(lambda match: match["string"] or "", joined))
    except json.JSONDecodeError as error:
        raise _refused(name, f"{error.msg} at {joined[error.pos : error.pos + 40]!r}") from error


def _as_json(match: re.Match[str]) -> str:
    if match["name"]:
        return json.dumps(match["name"])
    return match["string"] or ""


def _whole(pattern: re.Pattern[str], by: str, text: str) -> str:
    """Replace until there is nothing to replace: three strings are joined in two rounds."""
    while (after := pattern.sub(by, text)) != text:
        text = after
    return text


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
        return
    for name, below in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _flat(f"{path}.{name}".lstrip("."), below)


def _refused(name: str, why: str) -> ValueError:
    return ValueError(f"The words in {name} cannot be read: {why}. Write strings in double quotes, arrays and objects.")
