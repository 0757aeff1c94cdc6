"""A report as a reader of HTML has it: its words, its elements and where it points."""

from __future__ import annotations

from html.parser import HTMLParser

#: Elements without an end.
EMPTY = {"meta", "link", "br", "hr", "img"}


class Reader(HTMLParser):
    """Collect words outside styles, every element with its attributes, and check that all are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.words += f" {data} "

    @property
    def text(self) -> str:
        """Return all words with single spaces."""
        return " ".join(self.words.split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]
