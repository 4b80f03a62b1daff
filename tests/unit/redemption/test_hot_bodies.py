"""What is documented (pydantic) and what is read and written (msgspec) are the same."""

from typing import Any

import msgspec
import pytest
from pydantic import BaseModel, ValidationError

from services.redemption.offline import schemas as offline
from services.redemption.reversals import schemas as reversals
from services.redemption.terminals import schemas as terminals
from services.redemption.writeoff import schemas as writeoff

TEXTS = ["", "a", "r-1_Z", "0" * 32, "0" * 33, "a b", "a\n", "红", "\x00", "x" * 500, "x" * 501, "🎫" * 200]
NUMBERS = [0, 1, -1, 10**11, 10**11 + 1, 2**53, 2**53 + 1, 10**30, 1.0, 1.5, True]
OTHER: list[Any] = [None, [], {}, "1"]
MOMENT = "2020-10-31T09:00:00+08:00"
MOMENTS = [MOMENT, "2020-10-31T01:00:00Z", "2020-10-31T09:00:00", "2020-10-31", "now", "", 1604106000, None]
VALUES: dict[str, list[Any]] = {
    "request_no": TEXTS + NUMBERS + OTHER,
    "original_request_no": TEXTS + NUMBERS + OTHER,
    "batch_no": TEXTS + NUMBERS + OTHER,
    "voucher": TEXTS + NUMBERS + OTHER,
    "reason": TEXTS + NUMBERS + OTHER,
    "original_terminal_id": [
        *TEXTS,
        "trm_0123456789ab",
        "trm_0123456789ab\n",
        "trm_0123456789AB",
        "trm_01",
        None,
    ],
    "operator": [*TEXTS, "c01", "c01\n", "c" * 17, "前台", None],
    "version": [*TEXTS, "pos 7.2.1", "x" * 65, "x\n", "七", None],
    "bill_fen": NUMBERS + OTHER,
    "used_at": MOMENTS,
    "count": NUMBERS + OTHER,
    "applied_fen": NUMBERS + OTHER,
    "date": ["2020-10-31", "2020-02-30", "31.10.2020", "", 20201031, None],
    "items": [[], None, {}, "x", [{}], [7]],
}
ITEM = {"request_no": "r1", "voucher": "x", "used_at": MOMENT}
BODIES: list[tuple[type[BaseModel], type[msgspec.Struct], dict[str, Any]]] = [
    (writeoff.Verify, writeoff.VerifyBody, {"voucher": "x"}),
    (writeoff.Redeem, writeoff.RedeemBody, {"request_no": "r1", "voucher": "x"}),
    (
        reversals.Reverse,
        reversals.ReverseBody,
        {"request_no": "r1", "original_request_no": "r0", "reason": "x"},
    ),
    (terminals.CheckIn, terminals.CheckInBody, {}),
    (offline.DayClose, offline.DayCloseBody, {"date": "2020-10-31", "count": 0, "applied_fen": 0}),
    (offline.Upload, offline.UploadBody, {"batch_no": "b1", "items": [ITEM]}),
    (offline.OfflineItem, offline.OfflineItemBody, ITEM),
]
REPLIES = [
    (writeoff.Verified, writeoff.VerifiedReply),
    (writeoff.Redemption, writeoff.RedemptionReply),
    (reversals.Reversal, reversals.ReversalReply),
    (terminals.CheckedIn, terminals.CheckedInReply),
    (offline.DayClosed, offline.DayClosedReply),
    (offline.Totals, offline.TotalsReply),
    (offline.ClosedItem, offline.ClosedItemReply),
]


def bent(good: dict[str, Any], names: list[str]) -> list[object]:
    """A good body, each of its fields left out or of another value, and one field too many."""
    cases: list[object] = [good, {**good, "surprise": 1}, [], None, "text"]
    for name in names:
        cases.append({key: value for key, value in good.items() if key != name})
        cases += [{**good, name: value} for value in VALUES[name]]
    return cases


@pytest.mark.parametrize(
    ("documented", "hot", "good"), BODIES, ids=lambda kind: getattr(kind, "__name__", "")
)
def test_a_body_is_accepted_alike(
    documented: type[BaseModel], hot: type[msgspec.Struct], good: dict[str, Any]
) -> None:
    assert set(documented.model_fields) == {field.name for field in msgspec.structs.fields(hot)}
    for case in bent(good, list(documented.model_fields)):
        body = msgspec.json.encode(case)
        assert accepts(lambda text: msgspec.json.decode(text, type=hot), body) == accepts(
            documented.model_validate_json, body
        ), case


def accepts(read: Any, body: bytes) -> bool:  # noqa: ANN401 - either library's reader
    try:
        read(body)
    except (ValidationError, msgspec.ValidationError):
        return False
    return True


@pytest.mark.parametrize(("documented", "hot"), REPLIES, ids=lambda kind: kind.__name__)
def test_a_reply_has_the_documented_fields(documented: type[BaseModel], hot: type[msgspec.Struct]) -> None:
    assert set(documented.model_fields) == {field.name for field in msgspec.structs.fields(hot)}
