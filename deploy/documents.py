"""Writes into the documents what the code knows better: key tables and sample files.

A document marks the place with `<!-- keys -->` … `<!-- /keys -->` or `<!-- sample -->` …
`<!-- /sample -->`; the folder's name says which kind of source is meant, `<!-- keys gateway -->`
names it. `<!-- pool steps -->` … `<!-- /pool -->` holds a table of the follow-up's rules.
`python -m deploy.documents` fills them all; a test fails when one is out of date.
"""

import re
import sys
from pathlib import Path

from api.pool import document as pool_document
from collectors.config import document

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(
    r"<!-- (?P<what>keys|sample|pool)(?: (?P<kind>\w+))? -->\n.*?<!-- /(?P=what) -->", re.DOTALL
)


def documents() -> list[Path]:
    """Return the documents that may hold such places."""
    return [*sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "collectors").rglob("*.md"))]


def filled(path: Path) -> str:
    """Return a document with every marked place filled."""

    def content(block: "re.Match[str]") -> str:
        kind = block["kind"] or path.parent.name
        opening = block[0].partition("\n")[0]
        if block["what"] == "keys":
            inside = document.markdown(document.keys(kind))
        elif block["what"] == "pool":
            inside = pool_document.TABLES[kind]()
        else:
            sample = (ROOT / "collectors" / kind / "sample.toml").read_text(encoding="utf-8")
            inside = f"```toml\n{sample.rstrip()}\n```"
        return f"{opening}\n{inside}\n<!-- /{block['what']} -->"

    return _BLOCK.sub(content, path.read_text(encoding="utf-8"))


def main() -> None:
    """Fill every document."""
    for path in documents():
        text = filled(path)
        if text != path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8")
            print(f"filled {path.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    main()
