"""What is refused is said in both languages, and every text of it is used."""

import re
from importlib.resources import files
from pathlib import Path

from api.messages import catalogue
from api.pool.errors import Declined, NotPossible
from api.pool.lifecycle import Name
from api.pool.refused import refused


def test_a_name_is_said_in_the_readers_language() -> None:
    found = refused("no_value", Declined, item=Name("人数", "people"))
    assert (found.text("zh"), found.text("en")) == ("人数：请填写", "people: say a value")
    assert isinstance(refused("dispute_open", NotPossible), NotPossible)


def test_an_error_without_a_chinese_text_says_the_english_one() -> None:
    assert Declined("no").text("zh") == "no"


def test_every_text_of_a_refusal_is_used() -> None:
    root = Path(str(files("api")))
    sources = [path.read_text(encoding="utf-8") for path in root.rglob("*.py")]
    text = "\n".join(each for each in sources if "api.pool.refused import" in each)
    used = set(re.findall(r'refused\(\s*f?"([a-z_{}]+)"', text))
    made = {"say_{what}": ("reason", "why", "method", "document"),
            "no_step_{thing}": ("report", "dispute"),
            "stale_{thing}": ("report", "dispute")}  # fmt: skip
    for pattern, words in made.items():
        assert pattern in used
        used.remove(pattern)
        used |= {re.sub(r"\{\w+\}", word, pattern) for word in words}
    used |= set(re.findall(r'"(field_[a-z]+)"', text))
    used |= set(re.findall(r'refused\(\s*"[a-z_]+" if .* else "([a-z_]+)"', text))
    assert used == {key.partition(".")[2] for key in catalogue() if key.startswith("refused.")}
