"""What the REST interface of letters' texts answers with and takes."""

from datetime import date

from pydantic import Field

from api.exports.texts import LONGEST_TEXT
from api.routes.models import Model
from api.routes.pool_models import Given, WhatBecame


class LetterText(Model):
    """The text of a kind of letter that holds today."""

    kind: str = Field(examples=["warning_notice"])
    name_zh: str = Field(examples=["预警提示"])
    name_en: str = Field(examples=["Warning"])
    template_id: str = Field(description="Each letter names the one it was made with")
    own: bool = Field(description="False while it is the one that came with the system")
    waiting: int = Field(description="How many proposals wait for a second person", ge=0)


class LetterTextList(Model):
    """Every kind of letter with its text."""

    items: list[LetterText]


class TextProposal(WhatBecame):
    """A text that somebody proposed, and what became of it."""

    number: int = Field(examples=[3])
    kind: str = Field(examples=["warning_notice"])
    content: str = Field(description="TOML: title, addressee, issuer, blocks with placeholders")


class WholeLetterText(LetterText):
    """A text with its content, what it may name, and all that was ever proposed for it."""

    content: str = Field(description="TOML: title, addressee, issuer, blocks with placeholders")
    placeholders: list[str] = Field(examples=[["enterprise", "factory"]])
    inserts: list[str] = Field(description="Tables and pictures that a block may put in")
    proposals: list[TextProposal] = Field(description="Newest first")


class NewText(Given):
    """A text to use from a day on, by the document that says so."""

    content: str = Field(
        min_length=1, max_length=LONGEST_TEXT, description="TOML, as the text in force is written"
    )
    valid_from: date
    source: str = Field(min_length=1, max_length=500, examples=["示例文号"])
