"""Lays out a site's pages in one language: those that are written, and those made from the code."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from deploy.site import reference
from deploy.site.links import moved, unbroken
from deploy.site.refusals import general, of_room, rooms_of_operations
from deploy.site.speech import Speech
from deploy.site.words import ENGLISH_ONLY, ERRORS_HEAD, word

# Pages that lie where GitHub wants them, and where the site has them.
_ELSEWHERE = {
    PurePosixPath(source): PurePosixPath(staged)
    for source, staged in {
        "README.md": "index.md",
        "README.zh-CN.md": "index.md",
        "CONTRIBUTING.md": "project/contributing.md",
        "CHANGELOG.md": "project/changelog.md",
        "deploy/clients/typescript/README.md": "clients/typescript.md",
        "deploy/miniprogram-sample/README.md": "clients/mini-program.md",
        "docs/runbooks/README.md": "runbooks/index.md",
        "docs/zh/runbooks/README.md": "runbooks/index.md",
        "docs/decisions": "decisions/index.md",
    }.items()
}
# Files that a page offers to be taken home.
_FILES = tuple(PurePosixPath(name) for name in ("docs/signing-vectors.json", "deploy/verify_draws.py"))
_ERRORS = PurePosixPath("errors.md")
_BOTH_LANGUAGES = frozenset({_ERRORS, PurePosixPath("glossary.md")})
_DOCS, _CHINESE = PurePosixPath("docs"), PurePosixPath("docs/zh")
_NOT_PAGES = ("docs/zh/", "docs/site/")
_MERMAID = re.compile(r"^```mermaid$", re.MULTILINE)
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


class Pages:
    """The pages of one language. `documents`: service → its OpenAPI document."""

    def __init__(self, root: Path, folder: Path, speech: Speech, documents: dict[str, Any]) -> None:
        self._root = root
        self._folder = folder
        self._speech = speech
        self._language = speech.language
        self._documents = documents

    def lay_out(self) -> list[Any]:
        """Writes them all and returns the site's navigation."""
        for staged, source in self._written().items():
            text = (self._root / source).read_text(encoding="utf-8")
            self._write(staged, self._staged(text, source, staged))
        self._write(PurePosixPath("decisions/index.md"), self._decisions())
        for service in self._documents:
            self._lay_out_reference(service)
        self._write_conventions()
        self._copy_files()
        entries = yaml.safe_load((self._root / "docs/site/navigation.yaml").read_text(encoding="utf-8"))
        return [self._entry(entry) for entry in entries]

    def _written(self) -> dict[PurePosixPath, PurePosixPath]:
        """Where it is staged → where it was written; in Chinese, as far as there is a Chinese page."""
        english = [path for path in self._found("docs") if not path.as_posix().startswith(_NOT_PAGES)]
        chosen = [path for path in _ELSEWHERE if path.suffix == ".md" and not path.name.startswith("README.")]
        outside = [path for path in _ELSEWHERE if path.parts[0] == "deploy"]
        pages = {self._place(path): path for path in (*english, *chosen, *outside)}
        if self._language == "zh":
            pages |= {self._place(path): path for path in self._found("docs/zh")}
        return {staged: source for staged, source in pages.items() if staged is not None}

    def _found(self, folder: str) -> list[PurePosixPath]:
        found = (path.relative_to(self._root) for path in (self._root / folder).rglob("*.md"))
        return sorted(PurePosixPath(path) for path in found)

    def _place(self, source: PurePosixPath) -> PurePosixPath | None:
        if source in _ELSEWHERE:
            return _ELSEWHERE[source]
        if source in _FILES:
            return PurePosixPath("files", source.name)
        if source.suffix not in {".md", ".png", ".svg"} or not source.is_relative_to(_DOCS):
            return None
        return source.relative_to(_CHINESE if source.is_relative_to(_CHINESE) else _DOCS)

    def _staged(self, text: str, source: PurePosixPath, staged: PurePosixPath) -> str:
        page = moved(text, source, staged, self._place)
        # Its drawing needs a program that the theme would fetch from elsewhere.
        page = _MERMAID.sub("```text", page)
        if source.is_relative_to(_CHINESE):
            return unbroken(page)
        if self._language == "zh" and staged == _ERRORS:
            return unbroken(ERRORS_HEAD) + page[page.index("|---") :]
        if self._language == "zh" and staged not in _BOTH_LANGUAGES:
            page = _TITLE.sub(lambda title: f'{title[0]}\n\n!!! note "{ENGLISH_ONLY}"\n', page, count=1)
        return page

    def _decisions(self) -> str:
        rows = (f"- [{self._title(path)}]({path.name})" for path in self._below("decisions"))
        return f"# {word('decisions', self._language)}\n\n" + "\n".join(rows) + "\n"

    def _lay_out_reference(self, service: str) -> None:
        rooms = rooms_of_operations(self._root, service)
        for tag, calls in reference.groups(self._documents[service]).items():
            refusals = {
                told
                for room in {rooms[call.id] for call in calls if call.id in rooms}
                for told in of_room(self._root, service, room)
            }
            page = reference.group_page(self._documents[service], tag, calls, refusals, self._speech)
            self._write(PurePosixPath("api", service, reference.file_name(tag)), page)

    def _write_conventions(self) -> None:
        path = self._folder / "api/index.md"
        text = path.read_text(encoding="utf-8")
        path.write_text(
            text + "\n" + reference.refusals_table(general(), self._language) + "\n", encoding="utf-8"
        )

    def _copy_files(self) -> None:
        for name in _FILES:
            self._copy(self._root / name, f"files/{name.name}")
        for picture in sorted((self._root / "docs/pictures").rglob("*.png")):
            self._copy(picture, str(picture.relative_to(self._root / "docs")))
        for shared in ("extra.css", "vendor/iframe-worker-1.0.4/shim.js"):
            self._copy(self._root / "docs/site" / shared, f"assets/{Path(shared).name}")

    def _copy(self, source: Path, name: str) -> None:
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)

    def _write(self, staged: PurePosixPath, text: str) -> None:
        target = self._folder / staged
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def _entry(self, entry: dict[str, Any]) -> dict[str, Any]:
        return {entry[self._language]: self._target(entry)}

    def _target(self, entry: dict[str, Any]) -> Any:  # noqa: ANN401 - a page, or entries again
        if "page" in entry:
            return entry["page"]
        if "api" in entry:
            service = entry["api"]
            return [
                {self._speech.title(tag): f"api/{service}/{reference.file_name(tag)}"}
                for tag in reference.groups(self._documents[service])
            ]
        if "pages" in entry:
            return [self._entry(inner) for inner in entry["pages"]]
        return [*self._listed("decisions" if "decisions" in entry else "runbooks")]

    def _listed(self, folder: str) -> Iterator[Any]:
        yield f"{folder}/index.md"
        for path in self._below(folder):
            yield {self._title(path): f"{folder}/{path.name}"}

    def _below(self, folder: str) -> list[Path]:
        return [path for path in sorted((self._folder / folder).glob("*.md")) if path.name != "index.md"]

    def _title(self, path: Path) -> str:
        title = _TITLE.search(path.read_text(encoding="utf-8"))
        return title[1] if title else path.stem
