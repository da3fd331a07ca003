"""The two READMEs offer the same, every page is reached, and what they show is there."""

import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.deploy.command import verbs

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh.md"
PAGES = [ENGLISH, CHINESE, *sorted((ROOT / "docs").glob("*.md"))]

_SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
_SPOKEN = re.compile(r"`(millpond [^`]+)`")
_PNG = b"\x89PNG\r\n\x1a\n"


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _commands(page: Path) -> list[list[str]]:
    """Return the words of each line of the page's shell blocks, without comments."""
    blocks = _SHELL.findall(page.read_text(encoding="utf-8"))
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    return [words for words in lines if words]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_verb_takes_the_words_that_a_page_gives_it(page: Path) -> None:
    spoken = [shlex.split(each) for each in _SPOKEN.findall(page.read_text(encoding="utf-8"))]
    for words in spoken + [each for each in _commands(page) if each[0].endswith("millpond")]:
        for verb in verbs():
            rest = tuple(words[1:])[len(verb.path) :]
            # A verb may be named alone; words behind it must be right.
            if tuple(words[1:])[: len(verb.path)] == verb.path and rest not in ((), ("--help",)):
                assert verb.command.make_context(str(verb), list(rest))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_picture_is_one_and_has_words_for_who_cannot_see_it(page: Path) -> None:
    for words, link in _IMAGE.findall(page.read_text(encoding="utf-8")):
        assert words.strip()
        picture = page.parent / link
        if picture.suffix == ".svg":
            assert ElementTree.parse(picture).getroot().tag.endswith("svg")
        else:
            assert picture.suffix == ".png"
            assert picture.read_bytes().startswith(_PNG)


def test_both_languages_offer_the_same() -> None:
    assert _commands(ENGLISH) == _commands(CHINESE) != []
    english, chinese = (
        [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if link != other.name]
        for page, other in ((ENGLISH, CHINESE), (CHINESE, ENGLISH))
    )
    assert english == chinese != []


def test_every_document_can_be_reached_from_the_readme() -> None:
    text = ENGLISH.read_text(encoding="utf-8")
    linked = {link.partition("#")[0] for link in _LINK.findall(text)}
    assert [page.name for page in (ROOT / "docs").iterdir() if _name(page) not in linked] == []
