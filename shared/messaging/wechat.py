"""WeChat subscribe messages (`/cgi-bin/message/subscribe/send`).

A person agrees to each message, or once for a template that WeChat lets be agreed to for good. WeChat knows
no idempotency key, but it counts: a one-time consent is used up by the message, so a second attempt after an
unclear first one is refused by WeChat itself unless the person has agreed again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import Busy
from shared.messaging import Message, Outcome, cut
from shared.messaging.outside import Provider, object_of
from shared.signin.access import WeChatAccess

_OK = 0
# The person said no or has used the consent up; the address belongs to nobody.
_REFUSED = frozenset({43101, 40003})
_TOKEN_STALE = frozenset({40001, 40014, 41001, 42001})
_DAY_USED_UP = 45009
_MINUTE_USED_UP = frozenset({45011, 43108})
_MINUTE_SECONDS = 60

# How long a value of each of WeChat's types may be, by the letters that a field's name begins with.
_LENGTHS = {"thing": 20, "character_string": 32, "phrase": 5, "name": 10, "const": 20, "letter": 32}


class Template(BaseModel):
    """A template of the mini-program: `data` names, for each of its fields, one of our values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(min_length=1, max_length=64)]
    data: dict[
        Annotated[str, Field(max_length=40)],
        Literal["title", "text", "campaign", "name", "until", "days", "note"],
    ]
    once: bool = True


Templates = dict[str, Template]


@dataclass(slots=True)
class WeChatMessages:
    url: str
    access: WeChatAccess
    templates: Mapping[str, Template]
    page: str | None
    provider: Provider

    async def send(self, message: Message) -> Outcome:
        """A stale token is renewed and the message sent again: WeChat took the first for nobody's."""
        try:
            token = await self.access.token()
            outcome = await self._attempt(message, token)
            if outcome.code in {str(code) for code in _TOKEN_STALE}:
                outcome = await self._attempt(message, await self.access.renewed(token))
        except Busy:
            return Outcome("failed", "no_access_token")
        return outcome

    async def close(self) -> None:
        await self.provider.close()
        await self.access.close()

    async def _attempt(self, message: Message, token: str) -> Outcome:
        template = self.templates[message.kind]
        body = {
            "touser": message.to,
            "template_id": template.id,
            "data": {
                field: {"value": _fitted(field, message.values[name])}
                for field, name in template.data.items()
            },
            "miniprogram_state": "formal",
            "lang": "en_US" if message.language == "en" else "zh_CN",
        }
        if self.page is not None:
            body["page"] = self.page
        content = json.dumps(body, ensure_ascii=False).encode()
        url = self.url.rstrip("/") + "/cgi-bin/message/subscribe/send"
        response = await self.provider.post(url, content, query={"access_token": token})
        if isinstance(response, Outcome):
            return response
        answer = object_of(response)
        return Outcome("unclear", "no_object") if answer is None else _outcome(answer.get("errcode", _OK))


def _outcome(errcode: object) -> Outcome:
    code = str(errcode)
    if errcode == _OK:
        return Outcome("sent")
    if errcode in _REFUSED:
        return Outcome("refused", code)
    if errcode == _DAY_USED_UP:
        return Outcome("later", code)
    if errcode in _MINUTE_USED_UP:
        return Outcome("later", code, after_seconds=_MINUTE_SECONDS)
    # -1: WeChat is busy. Others, such as 47003 or 40037 (the template), are for the operator to mend.
    return Outcome("failed", code)


def _fitted(field: str, value: str) -> str:
    letters = field.rstrip("0123456789")
    # WeChat refuses a message with an empty value.
    return cut(value, _LENGTHS.get(letters, 32)) or "-"
