"""The documents say what the code does: links lead somewhere; errors, settings and decisions are complete."""

import re
import subprocess
from pathlib import Path

import pytest

from migrations.metadata import load_metadata
from shared.settings import Settings
from tests.architecture import budgets, refusals
from tests.architecture.markdown import anchors, dead_links
from tests.architecture.source import ROOT, Module, docstrings, house, string_text

SETTINGS_PAGE = ROOT / "docs" / "settings.md"
SETTING_ROW = re.compile(r"^\| `(HV_[A-Z0-9_]+)` \| (.*?) \| (.+?) \|$", re.MULTILINE)
SETTING_NAME = re.compile(r"\bHV_[A-Z0-9_]*[A-Z0-9]\b")
CONSTRAINT = re.compile(r"`((?:ck|fk|pk|uq)_[a-z0-9_]+)`")
DECISION_PARTS = ("Context", "Decision", "Consequences", "Alternatives", "Check")


def tracked(*patterns: str) -> list[Path]:
    listing = subprocess.run(  # noqa: S603 - git with fixed arguments
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *patterns],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file())


def test_every_link_leads_somewhere() -> None:
    assert [fault for page in tracked("*.md") for fault in dead_links(page, ROOT)] == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# 名词 and terms\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n[ok](other.md#名词-and-terms) [ok](#page) `[not](a-link.md)` [web](https://example.org/x)\n"
        "[gone](gone.md) [no heading](other.md#nothing)\n",
        encoding="utf-8",
    )
    assert list(dead_links(page, tmp_path)) == [
        "page.md: gone.md is not there",
        "page.md: other.md#nothing has no such heading",
    ]


def test_every_constraint_named_in_the_documents_exists() -> None:
    """A guard that is named but gone would be trusted by whoever reads the page."""
    named = {
        name
        for page in tracked("docs/*.md", "CONTRIBUTING.md")
        for name in CONSTRAINT.findall(page.read_text(encoding="utf-8"))
    }
    constraints = (
        constraint for table in load_metadata().tables.values() for constraint in table.constraints
    )
    assert named
    assert named - {str(constraint.name) for constraint in constraints} == set()


def test_the_architecture_page_draws_every_room() -> None:
    words = set(re.findall(r"[a-z]+", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")))
    assert {room for rooms in budgets.ROOMS.values() for room in rooms} - words == set()


class TestErrors:
    def test_page_lists_every_refusal(self) -> None:
        written = refusals.PAGE.read_text(encoding="utf-8")
        assert written == refusals.markdown(refusals.catalogue()), "run `make docs` and commit docs/errors.md"

    def test_callers_can_rely_on_every_code(self) -> None:
        assert list(refusals.faults(refusals.catalogue())) == []

    def test_every_code_is_an_anchor(self) -> None:
        codes = {refusal.code for refusal in refusals.catalogue()}
        assert codes <= anchors(refusals.PAGE.read_text(encoding="utf-8"))

    def test_a_refusal_is_found_by_its_code_and_sentence(self) -> None:
        module = Module.parse(
            "services/issuance/wallet/errors.py",
            "class SoldOut(Refusal):\n    code = 'sold_out'\n    zh = '已领完'\n",
        )
        assert list(refusals.refusal_classes([module])) == [("services.issuance.wallet.errors", "SoldOut")]

    @pytest.mark.parametrize(
        ("second", "fault"),
        [
            (refusals.Refusal("sold_out", 404, "已领完。", "Sold out.", "b"), "sold_out: 409 in a, 404 in b"),
            (refusals.Refusal("SoldOut", 409, "已领完。", "Sold out.", "b"), "lower_case_words"),
            (
                refusals.Refusal("gone", 409, "Sold out.", "Sold out.", "b"),
                "a Chinese and an English sentence",
            ),
        ],
    )
    def test_a_code_that_cannot_be_relied_on_is_found(self, second: refusals.Refusal, fault: str) -> None:
        first = refusals.Refusal("sold_out", 409, "已领完。", "Sold out.", "a")
        (finding,) = refusals.faults([first, second])
        assert fault in finding


class TestSettings:
    def test_page_names_every_setting_with_its_default(self) -> None:
        rows = {name: default for name, default, _ in SETTING_ROW.findall(self._page())}
        settings = {f"HV_{name.upper()}": default_text(name) for name in Settings.model_fields}
        assert {name: rows.get(name) for name in settings} == settings

    def test_page_names_no_setting_twice(self) -> None:
        names = [name for name, _, _ in SETTING_ROW.findall(self._page())]
        assert len(names) == len(set(names))

    def test_every_variable_in_the_code_is_on_the_page(self) -> None:
        documented = {name for name, _, _ in SETTING_ROW.findall(self._page())}
        assert variables_used() - documented == set()

    def test_every_variable_on_the_page_is_in_the_code(self) -> None:
        documented = {name for name, _, _ in SETTING_ROW.findall(self._page())}
        settings = {f"HV_{name.upper()}" for name in Settings.model_fields}
        assert documented - settings - variables_used() == set()

    @staticmethod
    def _page() -> str:
        return SETTINGS_PAGE.read_text(encoding="utf-8")


def default_text(name: str) -> str:
    """A default as docs/settings.md writes it."""
    field = Settings.model_fields[name]
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default is None:
        return "–"
    return f"`{int(default) if isinstance(default, bool) else default}`"


def variables_used() -> set[str]:
    """Every HV_… that our code names in a string that is not prose."""
    names: set[str] = set()
    for module in house():
        if module.within("tests"):
            continue
        prose = docstrings(module.tree)
        for node in (part for part in module.nodes() if part not in prose):
            names.update(SETTING_NAME.findall(string_text(node) or ""))
    return names


class TestDecisions:
    @pytest.mark.parametrize(
        "record", sorted((ROOT / "docs/decisions").glob("*.md")), ids=lambda path: path.stem
    )
    def test_record_fits_one_screen_and_names_its_check(self, record: Path) -> None:
        text = record.read_text(encoding="utf-8")
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+", record.stem)
        assert text.startswith(f"# {int(record.stem[:4])}. ")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == list(DECISION_PARTS)
        assert len(text.splitlines()) <= budgets.DECISION_RECORD_LINES_MAX

    def test_numbers_leave_no_gap(self) -> None:
        numbers = sorted(int(record.stem[:4]) for record in (ROOT / "docs/decisions").glob("*.md"))
        assert numbers == list(range(1, len(numbers) + 1))
