"""Builds the documentation's site: `python -m deploy.site.build [FOLDER]`.

One build for each language, because a search index and the words around the pages have one. What comes out
needs nothing from another host and can be opened from a folder, without a server.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.clients.documents import documents
from deploy.site.pages import Pages
from deploy.site.speech import speech
from deploy.site.words import LANGUAGES, OTHER, SITE_NAME, Language

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "out" / "docs"
# The offline search works from a folder by this script, which Zensical would fetch; ours is the same.
_SHIM = "https://unpkg.com/iframe-worker/shim"
_FEATURES = [
    "content.code.copy",
    "navigation.footer",
    "navigation.indexes",
    "navigation.path",
    "navigation.prune",
    "navigation.top",
    "search.highlight",
]
_ENTRY = """\
<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=zh/index.html">
<title>全民健康消费券 · Health Vouchers</title>
<p><a href="zh/index.html">中文</a> · <a href="en/index.html">English</a></p>
</html>
"""


class BuildFailed(Exception):
    """With what Zensical said, or which sentences the reference lacks."""


def build(folder: Path = FOLDER) -> Path:
    """Returns the folder of the site."""
    told = {service: json.loads(text) for service, text in documents().items()}
    site = folder / "site"
    for language in LANGUAGES:
        pages = folder / "pages" / language
        shutil.rmtree(pages, ignore_errors=True)
        said = speech(language)
        navigation = Pages(ROOT, pages, said, told).lay_out()
        if said.lacking:
            raise BuildFailed("\n".join(said.lacking))
        for left in said.left_over:
            sys.stderr.write(f"translated, but no page says it any more: {left}\n")
        # JSON is YAML.
        written = json.dumps(_configuration(language, navigation), ensure_ascii=False)
        (folder / f"{language}.yml").write_text(written, encoding="utf-8")
    _zensical(folder)
    for language in LANGUAGES:
        _bring_home(site / language)
    (site / "index.html").write_text(_ENTRY, encoding="utf-8")
    return site


def _configuration(language: Language, navigation: list[Any]) -> dict[str, Any]:
    other, name = OTHER[language]
    return {
        "site_name": SITE_NAME[language],
        "docs_dir": f"pages/{language}",
        "site_dir": f"site/{language}",
        "use_directory_urls": False,
        "nav": navigation,
        "extra_css": ["assets/extra.css"],
        "extra": {
            "generator": False,
            "other": {"name": name, "lang": other, "root": f"../{other}/"},
        },
        "theme": {
            "language": language,
            "font": False,
            "custom_dir": str(ROOT / "docs/site/overrides"),
            "features": _FEATURES,
            "palette": [
                {"scheme": "default", "toggle": {"icon": "lucide/moon", "name": "◐"}},
                {"scheme": "slate", "toggle": {"icon": "lucide/sun", "name": "◑"}},
            ],
        },
        "plugins": ["search", "offline"],
        "markdown_extensions": {
            "admonition": {},
            "attr_list": {},
            "md_in_html": {},
            "tables": {},
            "toc": {
                "permalink": True,
                "slugify": {"object": "pymdownx.slugs.slugify", "kwds": {"case": "lower"}},
            },
            "pymdownx.highlight": {},
            "pymdownx.superfences": {},
        },
    }


def _zensical(folder: Path) -> None:
    """Both languages at once. Fails on a link or an anchor that leads nowhere, too."""
    builds = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "zensical",
                "build",
                "--strict",
                "--clean",
                "--config-file",
                f"{language}.yml",
            ],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for language in LANGUAGES
    ]
    said = [running.communicate()[0] for running in builds]
    failed = [words for running, words in zip(builds, said, strict=True) if running.returncode != 0]
    if failed:
        raise BuildFailed("\n".join(failed))


def _bring_home(site: Path) -> None:
    # Its addresses begin at the root of a server, and whoever serves the site may put it below one.
    (site / "404.html").unlink()
    for page in _pages(site):
        text = page.read_text(encoding="utf-8")
        up = "../" * (len(page.relative_to(site).parts) - 1)
        page.write_text(text.replace(_SHIM, f"{up}assets/shim.js"), encoding="utf-8")


def _pages(site: Path) -> Iterator[Path]:
    yield from sorted(site.rglob("*.html"))


def main() -> int:
    try:
        site = build(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else FOLDER)
    except BuildFailed as failed:
        sys.stderr.write(f"{failed}\n")
        return 1
    sys.stdout.write(f"{sum(1 for _ in _pages(site))} pages: {site / 'index.html'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
