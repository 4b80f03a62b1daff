from services.issuance.reviews.operations import Reviews
from shared.ids import parse_hot_id
from shared.jobs.handlers import Job
from shared.jobs.kinds import Kind
from shared.outbox import OutboxItem
from shared.sharing import ShareVerifier

# Nearly two hours, at ever longer intervals; what cannot be seen by then is for staff to look at.
_ASKED_MAX = 16


class AskedTooSoon(Exception):
    """The verifier cannot tell yet; it is asked again later."""


def ask_verifier(reviews: Reviews, verifier: ShareVerifier | None) -> Job:
    """Asks about a share and does what the answer says. Where it fails for good, the share waits for staff.

    So it does when the verifier was taken away while questions were under way.
    """

    async def ask(item: OutboxItem) -> None:
        activity = parse_hot_id(item.payload["activity_id"])
        share = await reviews.waiting_share(activity)
        if share is None or verifier is None:
            return
        finding = await verifier.verify(share, question_id=str(item.id))
        if finding.verdict == "later" and item.attempt < _ASKED_MAX:
            raise AskedTooSoon
        await reviews.settle(activity, finding)

    return Job(Kind.SHARE_SUBMITTED, errand=ask, attempts_max=_ASKED_MAX)
