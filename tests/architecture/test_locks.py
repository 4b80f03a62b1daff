"""The locks pin everything by hash and name no host, so that any mirror can serve them."""

import re

import pytest

from tests.architecture.source import ROOT

PIN = re.compile(r"^([a-z0-9][a-z0-9.\-]*)==(\S+)((?: ;[^\\\n]+)?) \\$", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
WANTED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", re.MULTILINE)


def lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")


def pins(name: str) -> set[tuple[str, str, str]]:
    return set(PIN.findall(lock(name)))


@pytest.mark.parametrize("name", ["base", "dev"])
class TestLock:
    def test_names_no_host(self, name: str) -> None:
        assert not re.search(r"://|^\s*-i\b|--(?:extra-)?index|--find-links|@ ", lock(name), re.MULTILINE)

    def test_pins_everything_by_hash(self, name: str) -> None:
        for entry in re.split(r"\n(?! )", lock(name).strip()):
            first, *hashes = entry.split("\n")
            assert PIN.match(first), first
            assert hashes, first
            assert all(HASH.search(line) for line in hashes), first

    def test_holds_everything_that_is_asked_for(self, name: str) -> None:
        asked = (ROOT / "requirements" / f"{name}.in").read_text(encoding="utf-8")
        wanted = {re.sub(r"[._-]+", "-", package).lower() for package in WANTED.findall(asked)}
        assert wanted <= {package for package, _, _ in pins(name)}, "run `make lock`"

    def test_arq_is_not_silently_an_old_one(self, name: str) -> None:
        """Without a cap on redis, resolvers fall back to an arq three minor versions old."""
        versions = {package: version.split(".") for package, version, _ in pins(name)}
        assert versions["arq"][:2] == ["0", "28"]
        assert int(versions["redis"][0]) < 6


def test_developers_run_what_the_product_runs() -> None:
    assert pins("base") <= pins("dev")
