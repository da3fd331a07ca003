"""Where each key of a TOML file stands: tomllib gives the values, this gives their lines.

It trusts tomllib to have accepted the file, so it need not judge anything: it only follows
headers, keys, strings and brackets far enough to know on which line a key begins.
"""

import re

Place = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]")
_PART = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_KEY = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")
_PARTS = re.compile(_PART)
_STRING_OR_MARK = re.compile(
    r"(?P<open>\"\"\"|''')|\"(?:\\.|[^\"\\])*\"|'[^']*'|(?P<comment>#)|(?P<up>[\[{])|(?P<down>[\]}])"
)


def key_lines(text: str) -> dict[Place, int]:
    """Return the line, from 1, of every table and key, by its path; array tables are numbered."""
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    value = _Value()
    # Not splitlines(), which knows more line ends than TOML has and editors count.
    for number, line in enumerate(text.split("\n"), start=1):
        if value.goes_on:
            value.follow(line)
        elif header := _HEADER.match(line):
            table = _table(_parts(header[2]), header[1] == "[[", counts)
            lines[table] = number
            if header[1] == "[[":
                lines.setdefault(table[:-1], number)
        elif key := _KEY.match(line):
            lines.setdefault(table + _parts(key[1]), number)
            value.follow(line[key.end() :])
    return lines


def line_of(lines: dict[Place, int], place: Place) -> int:
    """Return the line of a key, else that of the nearest table around it, else 0."""
    for length in range(len(place), 0, -1):
        if place[:length] in lines:
            return lines[place[:length]]
    return 0


def _parts(dotted: str) -> Place:
    return tuple(part.strip("\"'") for part in _PARTS.findall(dotted))


def _table(parts: Place, is_array: bool, counts: dict[Place, int]) -> Place:
    """Return the path of a table; a parent that is an array means its newest element."""
    place: Place = ()
    for index, part in enumerate(parts):
        place = (*place, part)
        if is_array and index == len(parts) - 1:
            counts[place] = counts.get(place, 0) + 1
        if place in counts:
            place = (*place, counts[place] - 1)
    return place


class _Value:
    """Follows a value over the lines that it takes: open brackets and multi-line strings."""

    def __init__(self) -> None:
        self._depth = 0
        self._quotes = ""

    @property
    def goes_on(self) -> bool:
        return self._depth > 0 or bool(self._quotes)

    def follow(self, text: str) -> None:
        if self._quotes:
            _, found, text = text.partition(self._quotes)
            if not found:
                return
            self._quotes = ""
        position = 0
        while mark := _STRING_OR_MARK.search(text, position):
            position = mark.end()
            if mark["comment"]:
                return
            if mark["open"]:
                self._quotes = mark["open"]
                self.follow(text[position:])
                return
            self._depth += bool(mark["up"]) - bool(mark["down"])
