"""Templates from outside: they name what they are offered, and can do nothing else."""

import io
import zipfile
from xml.etree import ElementTree as ET

import pytest
from docx import Document

from shared.documents.official import (
    BIAOSONG,
    FANGSONG,
    Kind,
    Part,
    Rows,
    Text,
    draw,
)
from shared.documents.wordtemplates import Shape, fill
from shared.errors import InvalidRequest

SHAPE = Shape(fields=frozenset({"name", "n"}), lists={"rows": frozenset({"a", "b"})})
CONTEXT = {"name": "甲", "n": 3, "rows": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def template(*texts: str, header: str = "", footer: str = "") -> bytes:
    document = Document()
    for text in texts:
        document.add_paragraph(text)
    document.sections[0].header.paragraphs[0].text = header
    document.sections[0].footer.paragraphs[0].text = footer
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """The same file with a part added or replaced."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(buffer, "w") as target:
        for entry in source.namelist():
            if entry != name:
                target.writestr(entry, source.read(entry))
        target.writestr(name, part)
    return buffer.getvalue()


def xml_of(content: bytes, part: str = "word/document.xml") -> ET.Element:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return ET.fromstring(archive.read(part))  # noqa: S314 - our own output


def said(content: bytes, part: str = "word/document.xml") -> str:
    """All text of a part, read without the library that wrote it."""
    return "".join(xml_of(content, part).itertext())


def refused(content: bytes) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        fill(content, SHAPE, CONTEXT)
    return [(fault.code, fault.message) for fault in caught.value.faults]


def test_fields_lists_and_conditions_are_filled() -> None:
    made = fill(
        template(
            "{{ name }}：{{ n }}",
            "{% for row in rows %}{{ loop.index }}.{{ row.a }}{{ row.b }};{% endfor %}",
            "{% if n == 3 and not rows == name %}三{% endif %}",
            header="头{{ name }}",
        ),
        SHAPE,
        CONTEXT,
    )
    assert said(made) == "甲：31.1x;2.2y;三"


def test_every_unknown_name_is_told_wherever_it_stands() -> None:
    faults = refused(
        template(
            "{{ nobody }} {{ name.upper }}",
            "{% for row in rows %}{{ row.c }}{% endfor %}{% for row in people %}{% endfor %}",
            header="{{ head }}",
            footer="{% if foot %}1{% endif %}",
        )
    )
    assert {code for code, _ in faults} == {"placeholder_unknown"}
    assert [message.partition("：")[2] for _, message in faults] == [
        "nobody", "name.upper", "row.c", "people", "head", "foot",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "{{ n * 1000000 }}",
        "{{ name|upper }}",
        "{{ range(10) }}",
        "{{ name() }}",
        "{{ rows[0] }}",
        "{% set x = 1 %}",
        "{% include 'x' %}",
        "{% for row in rows %}{% for other in rows %}{% endfor %}{% endfor %}",
        "{% for row in rows if row.a %}{% endfor %}",
        "{% macro x() %}{% endmacro %}",
        "{{ name ~ name }}",
        "{{ (name.__class__).__mro__ }}",
    ],
)
def test_nothing_but_names_lists_and_conditions_is_taken(text: str) -> None:
    assert refused(template(text))[0][0] in {"template_construct", "placeholder_unknown"}


def test_dunders_are_unknown_names() -> None:
    assert refused(template("{{ name.__class__ }}"))[0] == (
        "placeholder_unknown",
        "未知的占位符：name.__class__",
    )


def test_a_slip_of_the_pen_is_named() -> None:
    assert refused(template("{% if n %}"))[0][0] == "template_syntax"


def test_properties_are_read_before_they_are_run() -> None:
    document = Document()
    document.core_properties.title = "{{ nobody }}"
    buffer = io.BytesIO()
    document.save(buffer)
    assert refused(buffer.getvalue())[0][0] == "placeholder_unknown"


@pytest.mark.parametrize(
    ("name", "part", "code"),
    [
        ("word/vbaProject.bin", b"x", "template_active"),
        ("word/embeddings/a.bin", b"x", "template_active"),
        ("word/x.xml", b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "template_active"),
        ("word/x.xml", "<a/>".encode("utf-16"), "template_active"),
        (
            "word/_rels/settings.xml.rels",
            b'<a><Relationship Type="t/attachedTemplate" Target="http://x/" TargetMode="External"/></a>',
            "template_active",
        ),
        ("word/document.xml", b"<w:document", "template_broken"),
        ("word/big.bin", bytes(50_000_001), "file_too_large"),
    ],
)
def test_what_is_active_broken_or_too_large_is_refused(name: str, part: bytes, code: str) -> None:
    assert refused(with_part(template("x"), name, part))[0][0] == code


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 broken"])
def test_what_is_no_document_is_refused(content: bytes) -> None:
    assert refused(content)[0][0] == "file_unreadable"


def test_texts_stay_texts() -> None:
    context = {**CONTEXT, "name": "<w:p/>&{{ n }}{% if %}\x00\x0b"}
    assert said(fill(template("{{ name }}"), SHAPE, context)) == "<w:p/>&{{ n }}{% if %}  "


def test_marks_stand_on_every_page_whatever_the_template_says() -> None:
    parts: list[Part] = [Text(Kind.BODY, "{{ name }}")]
    made = fill(draw(parts, title="t"), SHAPE, CONTEXT, marks=["演示", "草稿"])
    document = Document(io.BytesIO(made))
    for header in (document.sections[0].header, document.sections[0].even_page_header):
        assert [paragraph.text for paragraph in header.paragraphs][:2] == ["演示", "草稿"]


def test_the_standards_measures() -> None:
    """GB/T 9704-2012: A4, margins 37/35/28/26 mm, 仿宋 of size 3 (16 pt), title of size 2 (22 pt)."""
    made = draw([Text(Kind.TITLE, "题"), Text(Kind.BODY, "文"), Text(Kind.DATE, "日")], title="t")
    root = xml_of(made)
    (size,), (margins,) = root.iter(f"{W}pgSz"), root.iter(f"{W}pgMar")
    # Twentieths of a point: 1 mm is 56.69 of them.
    assert (size.get(f"{W}w"), size.get(f"{W}h")) == ("11906", "16838")
    sides = [
        round(int(margins.get(f"{W}{side}", "0")) / 56.693) for side in ("top", "bottom", "left", "right")
    ]
    assert sides == [37, 35, 28, 26]
    title, body, date = root.iter(f"{W}p")
    for paragraph, font, half_points in ((title, BIAOSONG, "44"), (body, FANGSONG, "32")):
        (fonts,), (points,) = paragraph.iter(f"{W}rFonts"), paragraph.iter(f"{W}sz")
        assert (fonts.get(f"{W}eastAsia"), points.get(f"{W}val")) == (font, half_points)
    # Its letters have a spacing of their own, so that 28 of them fill a line.
    (indent,), (spacing,) = body.iter(f"{W}ind"), body.iterfind(f"{W}pPr/{W}spacing")
    assert indent.get(f"{W}firstLine") == str(2 * 16 * 20)
    # 22 lines fill the 225 mm between the margins.
    lines = int(225 / 25.4 * 72 * 20 / 22)
    assert (spacing.get(f"{W}line"), spacing.get(f"{W}lineRule")) == (str(lines), "exact")
    (away,) = date.iter(f"{W}ind")
    assert away.get(f"{W}right") == str(4 * 16 * 20)


def test_page_numbers_stand_outside() -> None:
    made = draw([Text(Kind.BODY, "文")], title="t")
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        footers = {name: archive.read(name).decode() for name in archive.namelist() if "footer" in name}
        assert "evenAndOddHeaders" in archive.read("word/settings.xml").decode()
    sides = sorted(
        side for text in footers.values() for side in ("left", "right") if f'w:jc w:val="{side}"' in text
    )
    assert sides == ["left", "right"]
    assert all("PAGE" in text and "— " in text for text in footers.values())


def test_each_font_has_substitutes_and_none_is_shipped() -> None:
    made = draw([Text(Kind.BODY, "文")], title="t")
    fonts = {font.get(f"{W}name"): font for font in xml_of(made, "word/fontTable.xml")}
    assert {FANGSONG, BIAOSONG} <= fonts.keys()
    assert all(font.find(f"{W}altName") is not None for font in fonts.values())
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert not [name for name in archive.namelist() if "/fonts/" in name]


def test_a_tables_rows_repeat_and_its_head_does_on_every_page() -> None:
    rows = Rows(("甲", "乙"), (70, 70), "rows", ("{{ row.a }}", "{{ row.b }}"), ("{{ n }}", ""))
    made = fill(draw([rows], title="t"), SHAPE, CONTEXT)
    lines = [["".join(cell.itertext()) for cell in row.iter(f"{W}tc")] for row in xml_of(made).iter(f"{W}tr")]
    assert lines == [["甲", "乙"], ["1", "x"], ["2", "y"], ["3", ""]]
    assert len(list(xml_of(made).iter(f"{W}tblHeader"))) == 1


def test_columns_are_as_wide_as_their_cells() -> None:
    made = xml_of(draw([Rows(("甲", "乙"), (100, 56), "rows", ("{{ row.a }}", ""))], title="t"))
    columns = [int(column.get(f"{W}w", "0")) for column in made.iter(f"{W}gridCol")]
    cells = [int(cell.get(f"{W}w", "0")) for cell in made.iter(f"{W}tcW")][:2]
    assert columns == cells
    assert [round(width / 56.693) for width in columns] == [100, 56]
