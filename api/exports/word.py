"""A document as DOCX, to be edited and stamped; fonts are named for Chinese text as well."""

import io
from functools import cache
from typing import Any

import docx
from docx.document import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph as Line
from docx.text.run import Run

from api.exports import images
from api.exports.model import Block, Content, Footer, Heading, Paragraph, Picture, Table, day
from api.exports.page import Page, page

_ALIGN = {
    "l": WD_ALIGN_PARAGRAPH.LEFT,
    "c": WD_ALIGN_PARAGRAPH.CENTER,
    "r": WD_ALIGN_PARAGRAPH.RIGHT,
}
_SIGN_INDENT_CHARACTERS = 4
# Two stand side by side.
_PICTURE_SHARE = 0.48


def docx_file(content: Content, footer: Footer) -> bytes:
    """Return the document as a DOCX file."""
    made = docx.Document()
    look = page()
    _set_page(made, look)
    _set_defaults(made, look)
    _head(made, content, look)
    for block in content.blocks:
        _block(made, block, look)
    _signature(made, content, look)
    _foot(made, footer, look)
    made.core_properties.title = content.title
    made.core_properties.author = content.issuer
    made.core_properties.comments = footer.sha256
    made.core_properties.created = footer.made_at.replace(tzinfo=None)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _set_page(made: Document, look: Page) -> None:
    section = made.sections[0]
    section.page_width, section.page_height = Mm(look.paper[0]), Mm(look.paper[1])
    section.top_margin, section.bottom_margin = Mm(look.top), Mm(look.bottom)
    section.left_margin, section.right_margin = Mm(look.left), Mm(look.right)
    section.footer_distance = Mm(14)


def _set_defaults(made: Document, look: Page) -> None:
    style = made.styles["Normal"]
    style.font.name = look.latin_font
    style.font.size = Pt(look.body_size)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), look.body_fonts[0])
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "en-US")
    language.set(qn("w:eastAsia"), "zh-CN")
    style.element.get_or_add_rPr().append(language)


def _head(made: Document, content: Content, look: Page) -> None:
    line = _line(made, look, align="c", spacing=look.title_line)
    _run(line, content.title, look.title_fonts[0], look.title_size, look)
    if content.subtitle:
        line = _line(made, look, align="c")
        _run(line, content.subtitle, look.body_fonts[0], look.body_size, look)
    if content.number:
        line = _line(made, look, align="c")
        _run(line, content.number, look.body_fonts[0], look.body_size, look)
    _line(made, look)
    if content.addressee:
        _run(_line(made, look), content.addressee, look.body_fonts[0], look.body_size, look)


def _block(made: Document, block: Block, look: Page) -> None:
    match block:
        case Heading():
            line = _line(made, look, indent=2)
            line.paragraph_format.keep_with_next = True
            _outlined(line)
            _run(line, block.text, look.heading_fonts[0], look.heading_size, look)
        case Paragraph():
            line = _line(made, look, indent=2)
            _run(line, block.text, look.body_fonts[0], look.body_size, look)
        case Table():
            _table(made, block, look)
        case Picture():
            _caption(made, block.caption, look)
            line = made.add_paragraph()
            line.alignment = WD_ALIGN_PARAGRAPH.CENTER
            for drawn in block.drawn:
                image = io.BytesIO(images.png(drawn))
                shape = line.add_run().add_picture(image, width=Mm(look.width * _PICTURE_SHARE))
                properties: Any = shape._inline.docPr
                properties.set("descr", block.alt)


def _outlined(line: Line) -> None:
    """Let a heading stand in the outline by which people find their way."""
    level = OxmlElement("w:outlineLvl")
    level.set(qn("w:val"), "0")
    line._p.get_or_add_pPr().append(level)


def _table(made: Document, block: Table, look: Page) -> None:
    _caption(made, block.caption, look)
    table = made.add_table(rows=1 + len(block.rows), cols=len(block.head))
    table.style = "Table Grid"
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    total = sum(block.widths)
    for number, row in enumerate((block.head, *block.rows)):
        for place, text in enumerate(row):
            cell = table.cell(number, place)
            cell.width = Mm(look.width * block.widths[place] / total)
            line = cell.paragraphs[0]
            line.alignment = _ALIGN["c" if number == 0 else block.align[place]]
            font = look.heading_fonts[0] if number == 0 else look.body_fonts[0]
            _run(line, text, font, look.table_size, look)
    mark = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(mark)
    for table_row in table.rows:
        table_row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _caption(made: Document, text: str, look: Page) -> None:
    line = _line(made, look, align="c")
    line.paragraph_format.keep_with_next = True
    _run(line, text, look.heading_fonts[0], look.caption_size, look)


def _signature(made: Document, content: Content, look: Page) -> None:
    # Who signs and when stand on one page with the end of the text.
    made.paragraphs[-1].paragraph_format.keep_with_next = True
    _line(made, look).paragraph_format.keep_with_next = True
    for text in (content.issuer, day(content.dated)):
        line = _line(made, look, align="r")
        line.paragraph_format.right_indent = Pt(look.body_size * _SIGN_INDENT_CHARACTERS)
        line.paragraph_format.keep_with_next = text is content.issuer
        _run(line, text, look.body_fonts[0], look.body_size, look)


def _foot(made: Document, footer: Footer, look: Page) -> None:
    foot = made.sections[0].footer
    foot.is_linked_to_previous = False
    line = foot.paragraphs[0]
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(line, "— ", look.title_fonts[-1], look.page_number_size, look)
    _page_number(_run(line, "", look.title_fonts[-1], look.page_number_size, look))
    _run(line, " —", look.title_fonts[-1], look.page_number_size, look)
    for text in footer.lines():
        line = foot.add_paragraph()
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        _run(line, text, look.body_fonts[0], look.footer_size, look)


def _page_number(run: Run) -> None:
    for kind, text in (("begin", ""), ("", "PAGE"), ("separate", ""), ("shown", "1"), ("end", "")):
        if kind == "shown":
            run.add_text(text)
            continue
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        else:
            part.text = text
        run._r.append(part)


def _line(
    made: Document, look: Page, *, align: str = "l", indent: int = 0, spacing: float | None = None
) -> Line:
    line = made.add_paragraph()
    shape = line.paragraph_format
    shape.space_before = shape.space_after = Pt(0)
    shape.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    shape.line_spacing = Pt(spacing or look.line)
    shape.widow_control = True
    line.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY if indent else _ALIGN[align]
    if indent:
        shape.first_line_indent = Pt(look.body_size * indent)
    return line


def _run(line: Line, text: str, font: str, size: float, look: Page) -> Run:
    run = line.add_run(_printable(text))
    run.font.size = Pt(size)
    run.font.name = look.latin_font
    run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    return run


@cache
def _unprintable() -> dict[int, None]:
    return {code: None for code in range(32) if chr(code) not in "\t\n\r"}


def _printable(text: str) -> str:
    """Return a text without characters that no XML file may hold."""
    return text.translate(_unprintable())
