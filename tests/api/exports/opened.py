"""Documents opened again, as who receives them would."""

import io
from dataclasses import dataclass

import docx
import pypdf
from docx.oxml.ns import qn
from pypdf.generic import DictionaryObject


def squeezed(text: str) -> str:
    """Take out what a layout puts between characters."""
    return "".join(text.split())


@dataclass(frozen=True)
class Pdf:
    """A PDF: its text without blanks, by page, and its fonts with whether each is embedded."""

    pages: list[str]
    fonts: dict[str, bool]

    @property
    def text(self) -> str:
        return "".join(self.pages)


def open_pdf(content: bytes) -> Pdf:
    """Read a PDF."""
    reader = pypdf.PdfReader(io.BytesIO(content))
    fonts: dict[str, bool] = {}
    for page in reader.pages:
        resources = page["/Resources"].get_object()
        assert isinstance(resources, DictionaryObject)
        for each in resources.get("/Font", {}).values():
            font = each.get_object()
            for below in font.get("/DescendantFonts", [font]):
                descriptor = below.get_object()["/FontDescriptor"].get_object()
                embedded = {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor)
                fonts[str(font["/BaseFont"])] = bool(embedded)
    return Pdf([squeezed(page.extract_text()) for page in reader.pages], fonts)


@dataclass(frozen=True)
class Word:
    """A DOCX: all its text in order of paragraphs then tables, its foot, its Chinese fonts."""

    text: str
    tables: list[list[list[str]]]
    foot: str
    fonts: set[str]
    outline: list[str]
    pictures: int
    margins_mm: tuple[int, int, int, int]


def open_docx(content: bytes) -> Word:
    """Read a DOCX."""
    document = docx.Document(io.BytesIO(content))
    section = document.sections[0]
    body = document.element.body
    edges = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    return Word(
        text=squeezed("".join(each.text or "" for each in body.iter(qn("w:t")))),
        tables=[[[c.text for c in row.cells] for row in each.rows] for each in document.tables],
        foot=squeezed("".join(each.text for each in section.footer.paragraphs)),
        fonts={each.get(qn("w:eastAsia")) for each in body.iter(qn("w:rFonts"))},
        outline=[
            each.text
            for each in document.paragraphs
            if each._p.pPr is not None and each._p.pPr.find(qn("w:outlineLvl")) is not None
        ],
        pictures=len(document.inline_shapes),
        margins_mm=tuple(round(each.mm) if each else 0 for each in edges),  # type: ignore[arg-type]
    )
