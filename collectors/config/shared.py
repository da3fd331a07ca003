"""What keys that several tables have may hold, and their line in the documents."""

from collections.abc import Iterator, Mapping
from typing import Any

from collectors import states
from collectors.config.fields import choice, form, json_path, judged, not_empty, plain
from store.record_kinds import KINDS, record_kind

ENCODINGS = ("auto", "utf-8", "gb18030")


def columns_of_fields(given: Any) -> str | None:
    """Judge a table of fields and the columns that hold them."""
    if not isinstance(given, Mapping) or not given:
        return 'must be a table such as { line = "Line no." }'
    if not all(isinstance(column, str) and column.strip() for column in given.values()):
        return "must name a column, as a text in quotes, for each field"
    return None


def unfit_columns(kind: str, columns: Mapping[str, str]) -> Iterator[str]:
    """Return which fields the columns of a kind lack or have too many, where there are columns."""
    known = record_kind(kind)
    if known is None or not columns:
        return
    for name in known.schema["required"]:
        if name not in columns:
            yield f'columns lack "{name}", which {kind} must have'
    for name in columns:
        if name not in known.schema["properties"]:
            yield f'columns: {kind} has no field "{name}"'


def _one_letter(text: str) -> str | None:
    return None if len(text) == 1 else "must be one character"


def only_for(layout: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a key that one layout alone has, which its line says first."""
    return {**metadata, "about": f"{layout}: {metadata['about']}"}


# A business record in JSON or in a line.
RECORD_KIND = choice(*KINDS, about="what the records are; see the record kinds")
NATURAL_KEY = form(json_path, "path of the natural key, in place of the schema's own")
BUSINESS_TIME = form(json_path, "path of the business time, in place of the schema's own")
COLUMNS = judged(columns_of_fields, "which column holds which field; by name without")
DATE_FORMAT = form(not_empty, "such as %Y/%m/%d; ISO 8601 without")

# A file of lines.
ENCODING = choice(*ENCODINGS, about="auto takes UTF-8, and GB 18030 where it is not that")
DELIMITER = form(_one_letter, "parts the cells of a line")
DECIMAL_COMMA = plain("numbers are written as 1.234,5")

# A login; none of it stands in the gateway file itself.
USERNAME = form(not_empty, "login by name; anonymous without")
PASSWORD_ENV = form(not_empty, "environment variable that holds the password")
PASSWORD_FILE = form(not_empty, "file that holds the password; relative to the gateway file")
TOKEN_ENV = form(not_empty, "environment variable that holds the token")
TOKEN_FILE = form(not_empty, "file that holds the token; relative to the gateway file")

# A value that is a text.
STATES = judged(
    states.judge, "a scheme (packml, machinery, …) or a table of names that become codes"
)
PARSE = choice("number", about="reads a text such as 12.5 as a number")
