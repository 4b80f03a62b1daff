"""What the reference says of the API: the code's English sentences, or their Chinese ones.

The Chinese stands in `chinese/`: of each call beside the English sentence that it translates, of fields by
that sentence. So a sentence that was changed in the code is one without a translation, and no page says what
held before.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.site.words import TAGS, Language

_FOLDER = Path(__file__).parent / "chinese"
# Part of a call (`summary`, `description`) → the English sentence and the Chinese one.
Translated = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class Speech:
    """One language of the reference, and what it could not say so far."""

    language: Language
    calls: Mapping[str, Translated] = field(default_factory=dict)
    sentences: Mapping[str, str] = field(default_factory=dict)
    _said: set[tuple[str, str]] = field(default_factory=set)
    _lacking: dict[str, None] = field(default_factory=dict)

    def title(self, tag: str) -> str:
        """The name of a group of calls."""
        if self.language == "en":
            return tag[0].upper() + tag[1:]
        return TAGS.get(tag) or self._lacks(f"{tag}: no Chinese title in words.py", tag)

    def of_call(self, call: str, part: str, english: str) -> str:
        """A call's `summary` or `description`."""
        english = " ".join(english.split())
        if self.language == "en":
            return english
        self._said.add((call, part))
        before, chinese = self.calls.get(call, {}).get(part, ("", ""))
        if not chinese:
            return self._lacks(f"{call}: no Chinese {part}", english)
        if before != english:
            return self._lacks(f"{call}: the {part} was translated from other words", english)
        return chinese

    def of_field(self, english: str) -> str:
        """What is said of a field, a parameter or an answer."""
        english = " ".join(english.split())
        if self.language == "en" or not english:
            return english
        self._said.add(("", english))
        return self.sentences.get(english) or self._lacks(f"no Chinese sentence for: {english}", english)

    @property
    def lacking(self) -> list[str]:
        """What the pages so far have no translation for, or one of other words."""
        return [*self._lacking]

    @property
    def left_over(self) -> list[str]:
        """After all pages: translations of what the code no longer says."""
        calls = {(call, part) for call, parts in self.calls.items() for part in parts}
        left = calls | {("", english) for english in self.sentences}
        return [f"{call or 'fields.toml'}: {part}" for call, part in sorted(left - self._said)]

    def _lacks(self, fault: str, english: str) -> str:
        self._lacking[fault] = None
        return english


def speech(language: Language) -> Speech:
    if language == "en":
        return Speech(language)
    calls = tomllib.loads((_FOLDER / "operations.toml").read_text(encoding="utf-8"))
    return Speech(language, calls, tomllib.loads((_FOLDER / "fields.toml").read_text(encoding="utf-8")))
