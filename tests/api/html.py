"""A page as a tree, so that tests look at elements and not at text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "link", "img", "input", "br", "hr", "source", "path", "rect"}


@dataclass
class Element:
    """One element with its attributes and what is in it."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    def walk(self) -> Iterator["Element"]:
        """Yield this element and all in it, in the order of the page."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, tag: str, *classes: str) -> list["Element"]:
        """Return the elements of a tag that have these classes."""
        return [
            one
            for one in self.walk()
            if one.tag == tag and set(classes) <= set(one.attributes.get("class", "").split())
        ]

    def one(self, tag: str, *classes: str) -> "Element":
        """Return the only element of a tag with these classes."""
        found = self.all(tag, *classes)
        assert len(found) == 1, f"{len(found)} elements {tag} {classes}"
        return found[0]

    def by_id(self, name: str) -> "Element":
        """Return the element of an id."""
        return next(one for one in self.walk() if one.attributes.get("id") == name)

    @property
    def text(self) -> str:
        """The text in it, each run of blanks as one."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            else:
                yield " "
                yield from child._texts()
                yield " "


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("root")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        opened = self.open.pop()
        assert opened.tag == tag, f"</{tag}> closes <{opened.tag}>"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(text: str) -> Element:
    """Return the page as a tree; fails where an element is not closed in its turn."""
    builder = _Builder()
    builder.feed(text)
    builder.close()
    assert len(builder.open) == 1, f"<{builder.open[-1].tag}> is never closed"
    return builder.open[0]


def rows(table: Element) -> list[list[Element]]:
    """Return the cells of each row of a table's body."""
    return [
        [cell for cell in row.children if isinstance(cell, Element)]
        for row in table.one("tbody").all("tr")
    ]
