from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from shared.http.replies import Body

WORDS_MAX = 200
SENTENCE_MAX = 1000
SENTENCES_MAX = 20

Said = Annotated[str, StringConstraints(strip_whitespace=True, max_length=WORDS_MAX)]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=SENTENCE_MAX)]


class NoticeWords(Body):
    """What stands on every notice or letter beside its figures."""

    issuer: Said = Field(default="", description="发文机关")
    addressees: Said = Field(default="", description="主送机关")
    copies: Said = Field(default="", description="抄送机关")
    red_head: bool = Field(default=True, description="false: it is printed on the bureau's letterhead")


class ReportWords(Body):
    """What stands in the campaign's report beside its figures."""

    issuer: Said = Field(default="", description="发文机关")
    number: Said = Field(default="", description="发文字号, such as 红卫健发〔2020〕18号")
    addressees: Said = Field(default="", description="主送机关")
    copies: Said = Field(default="", description="抄送机关")
    red_head: bool = Field(default=False, description="true: with the issuer in red over a red line")
    problems: list[Sentence] = Field(
        default_factory=list,
        max_length=SENTENCES_MAX,
        description="the bureau's own sentences under 存在问题, behind those that the figures show",
    )
    next_steps: list[Sentence] = Field(
        default_factory=list, max_length=SENTENCES_MAX, description="the same under 下一步工作"
    )


class TemplateView(BaseModel):
    kind: str
    version: int = Field(description="0: nobody ever gave one")
    default: bool = Field(description="the platform's own template is in use")
    sha256: str | None = Field(description="of the file that the bureau gave")
    fields: list[str] = Field(description="placeholders, written {{ field }}")
    lists: dict[str, list[str]] = Field(description="lists and the fields of their rows")


class TemplateVersion(BaseModel):
    version: int
    default: bool = Field(description="the platform's own template")
    sha256: str | None
    worded: bool = Field(description="this version changed the words, not the template")
    put_by: str = Field(description="username")
    put_at: str


class TemplateVersions(BaseModel):
    items: list[TemplateVersion] = Field(description="newest first; the first one is in use")
    fields: list[str] = Field(description="placeholders of a template, written {{ field }}")
    lists: dict[str, list[str]] = Field(description="lists and the fields of their rows")


class WordsSince(BaseModel):
    version: int = Field(description="0: nobody ever gave any")
    put_by: str | None = Field(description="username")
    put_at: str | None


class NoticeWordsView(WordsSince):
    words: NoticeWords


class ReportWordsView(WordsSince):
    words: ReportWords
