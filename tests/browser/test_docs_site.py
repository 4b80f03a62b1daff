"""The documentation's site as it is built: whole, at home on any disk, and found through in Chinese."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from typing_extensions import override

from deploy.local.names import SERVICES
from deploy.site.build import ROOT, build
from deploy.site.refusals import rooms_of_operations
from tests.support.browser import browsing, look

# What a browser fetches by itself; a link that somebody follows is none of these.
_FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
_ADDRESS_IN_STYLE = re.compile(r"url\(\s*[\"']?(https?:)?//")


class Page(HTMLParser):
    """What a built page fetches, leads to, and can be led to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = {""}
        self.styles = ""
        self.feed(text)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.anchors |= {told[name] for name in ("id", "name") if name in told}
        self.styles += told.get("style", "")
        if tag == "link" and told.get("rel") not in {"prev", "next", "alternate"}:
            self.fetched.append(told["href"])
        elif tag in _FETCHED and _FETCHED[tag] in told:
            self.fetched.append(told[_FETCHED[tag]])
        elif tag in {"a", "link"} and "href" in told:
            self.links.append(told["href"])


def faults(site: Path) -> Iterator[str]:
    """What asks another host for something, and what leads nowhere."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    for path, page in pages.items():
        where = path.relative_to(site)
        for target in page.fetched:
            if re.match(r"(https?:)?//", target):
                yield f"{where}: fetches {target}"
            elif not target.startswith("data:") and not (path.parent / unquote(target)).resolve().is_file():
                yield f"{where}: {target} is not there"
        if _ADDRESS_IN_STYLE.search(page.styles):
            yield f"{where}: a style fetches"
        for target in page.links:
            yield from _leads(path, target, pages, where)
    for style in site.rglob("*.css"):
        if _ADDRESS_IN_STYLE.search(style.read_text(encoding="utf-8")):
            yield f"{style.relative_to(site)}: fetches"


def _leads(path: Path, target: str, pages: dict[Path, Page], where: Path) -> Iterator[str]:
    parts = urlsplit(target)
    if parts.scheme in {"http", "https", "mailto"}:
        return
    file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if file.is_dir():
        file = file / "index.html"
    if not file.is_file():
        yield f"{where}: {target} is not there"
    elif file in pages and unquote(parts.fragment) not in pages[file].anchors:
        yield f"{where}: {target} has no such place"


def test_faults_of_a_site_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        "<link rel=preconnect href=https://fonts.example><script src=//cdn.example/x.js></script>"
        "<h2 id=one></h2><a href=#one>ok</a><a href=a.html#two>no</a><a href=b.html>no</a>"
        "<a href=https://example.org>ok</a><img src=c.png style='background:url(https://x)'>",
        encoding="utf-8",
    )
    assert sorted(faults(tmp_path)) == [
        "a.html: a style fetches",
        "a.html: a.html#two has no such place",
        "a.html: b.html is not there",
        "a.html: c.png is not there",
        "a.html: fetches //cdn.example/x.js",
        "a.html: fetches https://fonts.example",
    ]


async def test_the_site_is_whole_asks_nobody_and_is_searched_in_chinese(tmp_path: Path) -> None:
    site = build(tmp_path)
    assert list(faults(site.resolve())) == []
    chinese, english = (
        {path.relative_to(site / language) for path in (site / language).rglob("*.html")}
        for language in ("zh", "en")
    )
    assert chinese == english
    reference = "".join(path.read_text(encoding="utf-8") for path in (site / "en" / "api").rglob("*.html"))
    operations = {name for service in SERVICES for name in rooms_of_operations(ROOT, service)}
    assert len(operations) > 300
    assert {name for name in operations if f'id="{name}"' not in reference} == set()
    async with browsing() as tab:
        # From the disk, without any server.
        await tab.open(f"{(site / 'zh' / 'index.html').as_uri()}")
        await look(tab, "docs-desk", width=1366, height=768)
        await tab.evaluate("document.querySelector('.md-search__button').click()")
        await tab.until("document.activeElement?.shadowRoot?.activeElement?.tagName === 'INPUT'")
        await tab.keys("冲正")
        # What the guide of cashiers says of it.
        await tab.until("document.activeElement.shadowRoot.textContent.includes('收错了')")
        await look(tab, "docs-search", width=1366, height=768)
        assert {url.split(":")[0] for url in tab.asked} <= {"file", "data", "blob"}
        assert tab.complaints == []
