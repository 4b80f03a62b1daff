"""The requests of the hot calls as bytes, made before a run so that making them is no part of it."""

import json
import secrets
from collections.abc import Mapping, Sequence

from bench.hotpath.town import BILL_FEN, VOUCHER_TYPE, Attempt, Person, Town, Voucher
from bench.simulator.platform import request_no
from bench.wire import request_bytes
from services.issuance.quiz.rules import shown_answer
from shared.ids import HotId
from shared.signing import authorization

WRITE_OFF_PATH = "/redemption/v1/redemptions"


def starts(town: Town, people: Sequence[Person]) -> list[bytes]:
    path = f"/issuance/v1/campaigns/{town.slug}/quiz-attempts"
    return [_by_citizen(person, path, {"request_no": request_no()}) for person in people]


def submissions(people: Sequence[Person], attempts: Sequence[Attempt]) -> list[bytes]:
    """All questions answered rightly."""
    return [
        _by_citizen(
            person,
            f"/issuance/v1/quiz-attempts/{attempt.address}/answers",
            {
                "request_no": request_no(),
                "answers": {
                    str(question.id): shown_answer(question, order)
                    for question, order in zip(attempt.questions, attempt.orders, strict=True)
                },
            },
        )
        for person, attempt in zip(people, attempts, strict=True)
    ]


def draws(town: Town, people: Sequence[Person]) -> list[bytes]:
    path = f"/issuance/v1/campaigns/{town.slug}/draws"
    return [_by_citizen(person, path, {"request_no": request_no()}) for person in people]


def claims(
    people: Sequence[Person], awards: Sequence[HotId], voucher_type: str = VOUCHER_TYPE
) -> list[bytes]:
    return [
        _by_citizen(
            person,
            f"/issuance/v1/awards/{award}/claim",
            {"request_no": request_no(), "voucher_type": voucher_type},
        )
        for person, award in zip(people, awards, strict=True)
    ]


def write_offs(town: Town, vouchers: Sequence[Voucher]) -> list[bytes]:
    """Signed now, by the tills in turn: good for as long as a signature is."""
    timestamp = int(town.clerks.time.now().timestamp())
    requests = []
    for place, voucher in enumerate(vouchers):
        till = town.tills[place % len(town.tills)].client
        body = {"request_no": request_no(), "voucher": voucher.code, "bill_fen": BILL_FEN}
        content = json.dumps(body).encode()
        header = authorization(
            key_id=till.terminal_id,
            key=till.terminal_key,
            method="POST",
            target=WRITE_OFF_PATH,
            timestamp=timestamp,
            nonce=secrets.token_urlsafe(12),
            body=content,
        )
        requests.append(_post(WRITE_OFF_PATH, header, content))
    return requests


def _by_citizen(person: Person, path: str, body: Mapping[str, object]) -> bytes:
    return _post(path, f"Bearer {person.token}", json.dumps(body).encode())


def _post(path: str, given: str, content: bytes) -> bytes:
    headers = {"Authorization": given, "Content-Type": "application/json"}
    return request_bytes("POST", path, host="127.0.0.1", headers=headers, body=content)
