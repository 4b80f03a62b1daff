"""A small health-code platform: it speaks HTTP over a real socket, and knows repetitions by their key."""

from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from tests.support.messaging import Answer, Call, Provider


@dataclass
class FakeHealthCode(Provider):
    """`received` is what took effect, by result; `faults` are answered one after the other."""

    key: str = "key-of-the-platform"
    faults: list[Answer] = field(default_factory=list)
    received: dict[str, dict[str, Any]] = field(default_factory=dict)

    @override
    def answer(self, call: Call) -> Answer:
        if call.headers.get("authorization") != f"Bearer {self.key}":
            return 401, {}
        if self.faults:
            return self.faults.pop(0)
        body = call.body
        assert body["result_id"] == call.headers["idempotency-key"]
        self.received.setdefault(body["result_id"], body)
        return 200, {"status": "accepted"}
