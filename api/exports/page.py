"""How an official letter looks, read from page.toml."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Page:
    """Margins in mm, sizes and lines in points, fonts in the order in which they are tried."""

    paper: tuple[float, float]
    top: float
    bottom: float
    left: float
    right: float
    title_size: float
    body_size: float
    heading_size: float
    table_size: float
    caption_size: float
    page_number_size: float
    footer_size: float
    line: float
    title_line: float
    title_fonts: tuple[str, ...]
    body_fonts: tuple[str, ...]
    heading_fonts: tuple[str, ...]
    latin_font: str

    @property
    def width(self) -> float:
        """Return the length of a line, in mm."""
        return self.paper[0] - self.left - self.right


@cache
def page() -> Page:
    """Return the look of all documents."""
    text = files("api.exports").joinpath("page.toml").read_text(encoding="utf-8")
    found: dict[str, Any] = tomllib.loads(text)
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in found.items()
    }
    return Page(**values)
