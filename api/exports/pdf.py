"""A document as PDF, laid out by WeasyPrint from HTML."""

import base64
import importlib
import logging
from typing import Any

from api.exports import images
from api.exports.model import Content, Footer, Heading, Paragraph, Picture, Table, day
from api.exports.page import page
from api.pages.templates import environment


def pdf(content: Content, footer: Footer, *, mark: str = "") -> bytes:
    """Return the document as a PDF file; a mark stands across each page, as of a sample."""
    weasyprint: Any = importlib.import_module("weasyprint")  # ships no types, and is slow to import
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    html = (
        environment()
        .get_template("letters/document.html")
        .render(
            content=content,
            footer=footer,
            mark=mark,
            page=page(),
            dated=day(content.dated),
            kind_of=_kind_of,
            pictures=_pictures,
        )
    )
    # A document holds all that it shows: nothing is read from a disk or a network.
    inside = weasyprint.urls.URLFetcher(
        allowed_protocols=("data",), allow_redirects=False, fail_on_errors=True
    )
    return bytes(weasyprint.HTML(string=html, url_fetcher=inside).write_pdf())


def _kind_of(block: Heading | Paragraph | Table | Picture) -> str:
    return type(block).__name__


def _pictures(block: Picture) -> list[str]:
    coded = (base64.b64encode(images.svg(each).encode()).decode() for each in block.drawn)
    return [f"data:image/svg+xml;base64,{each}" for each in coded]
