"""Word templates with named placeholders, which a bureau may replace by its own.

A template is data from outside. It may name the placeholders it is offered, walk through the lists it is
offered, and ask whether something is there – nothing else: whatever is compiled is read first, and only what
is known to be harmless is run, in a sandbox besides. Calls, filters, arithmetic and loops within loops are no
part of the language, so the work is bounded by the template's size and the lists' lengths.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.exceptions import PackageNotFoundError
from docx.section import _Header
from docx.shared import Pt, RGBColor
from docxtpl import DocxTemplate
from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment
from lxml.etree import LxmlError
from typing_extensions import override

from shared.errors import Fault, InvalidRequest

# A .docx is a ZIP: a small file may unfold to more than a process can hold.
UNFOLDED_BYTES_MAX = 50_000_000
_PARTS_MAX = 2000
_FAULTS_MAX = 100
_MARK_PT = 12
_MARK_COLOUR = RGBColor(0xC0, 0, 0)
_RELATIONSHIP = re.compile(rb"<Relationship\s[^>]*>")
_LOOP_FIELDS = frozenset({"index", "first", "last"})
_PLAIN = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.Not,
    nodes.And,
    nodes.Or,
    nodes.Compare,
    nodes.Operand,
    nodes.Const,
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a template may name: fields, and lists with the fields of their rows."""

    fields: frozenset[str]
    lists: Mapping[str, frozenset[str]]


class _Reading(SandboxedEnvironment):
    """Compiles nothing that it has not read; what it does not know is a fault, and is not run."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(autoescape=True)
        self._shape = shape

    @override
    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        found = tuple(dict.fromkeys(_faults(tree, self._shape, {})))
        if found:
            raise InvalidRequest(faults=found)
        return tree


def fill(template: bytes, shape: Shape, context: Mapping[str, Any], *, marks: Sequence[str] = ()) -> bytes:
    """The template with its placeholders filled; `marks` stand at the head of every page, whatever it says.

    Raises:
        InvalidRequest: names every placeholder that is not known, and whatever else cannot be taken.
    """
    _refuse_unsafe(template)
    try:
        document = DocxTemplate(io.BytesIO(template))
        document.init_docx()
        environment = _Reading(shape)
        _read_all(document, environment)
        document.render(_clean(context), environment, autoescape=True)
        for mark in reversed(marks):
            _mark_pages(document.docx, mark)
        buffer = io.BytesIO()
        document.save(buffer)
        Document(io.BytesIO(buffer.getvalue()))
    except TemplateSyntaxError as error:
        raise _refused(f"占位符书写有误：{error.message}", "template_syntax") from error
    except (
        TemplateError,
        PackageNotFoundError,
        LxmlError,
        KeyError,
        ValueError,
        TypeError,
        IndexError,
        AttributeError,
        RecursionError,
        zipfile.BadZipFile,
    ) as error:
        raise _refused("文件不是可用的 .docx 模板，请用 Word 或 WPS 另存后重试", "template_broken") from error
    return buffer.getvalue()


def _read_all(document: DocxTemplate, environment: _Reading) -> None:
    """Raises InvalidRequest with the faults of the body and of all headers and footers together."""
    sources = [document.get_xml()]
    for uri in (document.HEADER_URI, document.FOOTER_URI):
        sources.extend(document.get_part_xml(part) for _, part in document.get_headers_footers(uri))
    faults: dict[Fault, None] = {}
    for source in sources:
        try:
            environment.parse(document.patch_xml(source))
        except InvalidRequest as refused:
            faults.update(dict.fromkeys(refused.faults))
    if faults:
        raise InvalidRequest(faults=tuple(faults)[:_FAULTS_MAX])


def _faults(node: nodes.Node, shape: Shape, rows: Mapping[str, frozenset[str]]) -> Iterator[Fault]:
    """Depth first; `rows` are the names that loops gave to rows, with their fields."""
    match node:
        case nodes.Name(name=name):
            if name not in shape.fields and name not in shape.lists:
                yield _unknown(name)
        case nodes.Getattr(node=nodes.Name(name=name), attr=field):
            if field not in rows.get(name, frozenset()):
                yield _unknown(f"{name}.{field}")
        case nodes.For(target=nodes.Name(name=target), iter=nodes.Name(name=listed), test=None) if not rows:
            if listed not in shape.lists:
                yield _unknown(listed)
                return
            inside = {target: shape.lists[listed], "loop": _LOOP_FIELDS}
            for child in (*node.body, *node.else_):
                yield from _faults(child, shape, inside)
        case _ if isinstance(node, _PLAIN):
            for child in node.iter_child_nodes():
                yield from _faults(child, shape, rows)
        case _:
            yield Fault("file", f"模板不支持这种写法：{type(node).__name__}", "template_construct")


def _unknown(name: str) -> Fault:
    return Fault("file", f"未知的占位符：{name}", "placeholder_unknown")


def _refuse_unsafe(content: bytes) -> None:
    """Macros, entities and parts that are fetched from elsewhere have no place in a template.

    Raises InvalidRequest.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            too_large = sum(entry.file_size for entry in entries) > UNFOLDED_BYTES_MAX
            if too_large or len(entries) > _PARTS_MAX:
                raise _refused("文件展开后过大", "file_too_large")
            for entry in entries:
                _refuse_part(entry.filename.lower(), archive.read(entry))
    except (zipfile.BadZipFile, ValueError, RuntimeError, NotImplementedError, OSError) as error:
        raise _refused("文件不是 .docx 文档", "file_unreadable") from error


def _refuse_part(name: str, content: bytes) -> None:
    if "vbaproject" in name or "/embeddings/" in name or "/activex/" in name:
        raise _refused("模板不得含有宏或嵌入对象", "template_active")
    if not name.endswith((".xml", ".rels")):
        return
    # In UTF-16 the words below would not be seen; Word and WPS write UTF-8.
    if b"\x00" in content or b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise _refused("模板不得含有文档类型声明或实体", "template_active")
    if any(b"External" in one and b"/hyperlink" not in one for one in _RELATIONSHIP.findall(content)):
        raise _refused("模板不得引用外部文件（如外部模板、外部图片）", "template_active")


def _mark_pages(document: WordDocument, mark: str) -> None:
    for section in document.sections:
        headers: list[_Header] = [section.header]
        if document.settings.odd_and_even_pages_header_footer:
            headers.append(section.even_page_header)
        if section.different_first_page_header_footer:
            headers.append(section.first_page_header)
        for header in headers:
            # A header that follows the section before already says it.
            if header.is_linked_to_previous:
                header.is_linked_to_previous = False
            paragraph = header.paragraphs[0].insert_paragraph_before()
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            run = paragraph.add_run(mark)
            run.font.size, run.font.bold = Pt(_MARK_PT), True
            run.font.color.rgb = _MARK_COLOUR


def _clean(value: Any) -> Any:  # noqa: ANN401 - whatever a context holds
    """Text without the characters that no XML can hold; everything else as it is."""
    match value:
        case str():
            return "".join(symbol if symbol.isprintable() else " " for symbol in value)
        case Mapping():
            return {key: _clean(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_clean(entry) for entry in value]
        case _:
            return value


def _refused(message: str, code: str) -> InvalidRequest:
    return InvalidRequest(faults=(Fault("file", message, code),))
