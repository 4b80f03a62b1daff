"""What makes a question, however it was handed in, and when two questions are the same one. Pure."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

OPTION_KEYS = ("A", "B", "C", "D", "E", "F")
DIFFICULTY_DEFAULT = 2
DIFFICULTIES = {
    "1": 1, "易": 1, "简单": 1, "容易": 1, "easy": 1,
    "2": 2, "中": 2, "中等": 2, "一般": 2, "medium": 2,
    "3": 3, "难": 3, "困难": 3, "较难": 3, "hard": 3,
}  # fmt: skip

_OPTIONS_MIN = 2
_TEXT_MAX, _OPTION_MAX, _EXPLANATION_MAX, _CATEGORY_MAX = 500, 200, 1000, 50
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_BETWEEN_LETTERS = re.compile(r"[\s,;、，；/|]+")


@dataclass(frozen=True, slots=True)
class Draft:
    """A question as it was handed in; empty text stands for what is missing. `options` by key."""

    text: str
    options: Mapping[str, str]
    answer: str
    explanation: str = ""
    difficulty: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    options: dict[str, str]
    answer: list[str]
    explanation: str | None
    difficulty: int
    category: str | None

    @property
    def content_hash(self) -> bytes:
        """The same for questions that ask the same, whatever stands beside them or comes first."""
        options = sorted([_plain(text), key in self.answer] for key, text in self.options.items())
        told = json.dumps([_plain(self.text), options], ensure_ascii=False)
        return hashlib.sha256(told.encode()).digest()


@dataclass(frozen=True, slots=True)
class QuestionFault:
    """`field` is text, options, option_a … option_f, answer, explanation, difficulty or category."""

    field: str
    code: str
    message: str


def judge(draft: Draft) -> Question | list[QuestionFault]:
    """The question, or every reason why the draft is none."""
    options = {key: text.strip() for key, text in draft.options.items() if text.strip()}
    answer = _letters(draft.answer)
    difficulty = DIFFICULTIES.get(_plain(draft.difficulty).casefold() or str(DIFFICULTY_DEFAULT))
    faults = [
        *_text_faults("text", draft.text, _TEXT_MAX, missing="题目不能为空"),
        *_option_faults(options),
        *_answer_faults(answer, options),
        *_text_faults("explanation", draft.explanation, _EXPLANATION_MAX),
        *_text_faults("category", draft.category, _CATEGORY_MAX),
    ]
    if difficulty is None:
        faults.append(QuestionFault("difficulty", "difficulty_unknown", "难度只能是 1、2、3（易、中、难）"))
    if faults or answer is None or difficulty is None:
        return faults
    return Question(
        text=draft.text.strip(),
        options=options,
        answer=sorted(answer),
        explanation=draft.explanation.strip() or None,
        difficulty=difficulty,
        category=draft.category.strip() or None,
    )


@dataclass(slots=True)
class Sorted:
    """What drafts turned out to be, before anybody looks into the bank."""

    questions: dict[bytes, Question] = field(default_factory=dict)
    duplicates: int = 0
    rejected: list[tuple[int, list[QuestionFault]]] = field(default_factory=list)

    def sort(self, drafts: Iterable[tuple[int, Draft]]) -> None:
        for place, draft in drafts:
            judged = judge(draft)
            if isinstance(judged, list):
                self.rejected.append((place, judged))
            elif judged.content_hash in self.questions:
                self.duplicates += 1
            else:
                self.questions[judged.content_hash] = judged


@dataclass(slots=True)
class Plan:
    """What is to be done with drafts: each is new, updated, a duplicate, or rejected with its faults."""

    new: list[Question] = field(default_factory=list)
    updated: list[Question] = field(default_factory=list)
    duplicates: int = 0
    rejected: list[tuple[int, list[QuestionFault]]] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return len(self.new) + len(self.updated)


def _letters(answer: str) -> list[str] | None:
    """AC, A,C and a、c are the letters A and C; None for anything else."""
    letters = _BETWEEN_LETTERS.sub("", unicodedata.normalize("NFKC", answer)).upper()
    return list(letters) if all(letter in OPTION_KEYS for letter in letters) else None


def _text_faults(field: str, text: str, longest: int, *, missing: str | None = None) -> list[QuestionFault]:
    if missing and not text.strip():
        return [QuestionFault(field, "missing", missing)]
    if len(text.strip()) > longest:
        return [QuestionFault(field, "too_long", f"最多 {longest} 个字")]
    if _UNSTORABLE.search(text):
        return [QuestionFault(field, "characters", "含有不能保存的控制字符")]
    return []


def _option_faults(options: Mapping[str, str]) -> list[QuestionFault]:
    faults = [
        QuestionFault("options", "option_unknown", f"没有选项“{key[:10]}”，选项只能是 A 到 F")
        for key in options
        if key not in OPTION_KEYS
    ]
    if len(options) < _OPTIONS_MIN:
        return [*faults, QuestionFault("options", "options_too_few", "至少需要两个选项")]
    missing = [key for key in OPTION_KEYS[: len(options)] if key not in options]
    if missing and not faults:
        fault = f"选项{max(options)}有内容，但选项{missing[0]}为空"
        faults.append(QuestionFault(_option_field(missing[0]), "option_gap", fault))
    seen: dict[str, str] = {}
    for key, text in options.items():
        faults.extend(_text_faults(_option_field(key), text, _OPTION_MAX))
        first = seen.setdefault(_plain(text), key)
        if first != key:
            fault = f"选项{first}与选项{key}相同"
            faults.append(QuestionFault(_option_field(key), "option_repeated", fault))
    return faults


def _answer_faults(answer: Sequence[str] | None, options: Mapping[str, str]) -> list[QuestionFault]:
    if answer is None:
        return [QuestionFault("answer", "answer_form", "答案只能是选项字母，多选写作 AC")]
    if not answer:
        return [QuestionFault("answer", "missing", "答案不能为空")]
    if len(set(answer)) != len(answer):
        return [QuestionFault("answer", "answer_repeated", "答案中有重复的字母")]
    unknown = [key for key in answer if key not in options]
    if unknown:
        fault = f"答案{'、'.join(unknown)}没有对应的选项"
        return [QuestionFault("answer", "answer_without_option", fault)]
    return []


def _option_field(key: str) -> str:
    return f"option_{key.lower()}" if key in OPTION_KEYS else "options"


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip()
