from services.issuance.reviews.operations import Reviews
from shared.ids import parse_hot_id
from shared.jobs.handlers import Job
from shared.jobs.kinds import Kind
from shared.outbox import OutboxItem
from shared.sharing import ShareVerifier


def ask_verifier(reviews: Reviews, verifier: ShareVerifier | None) -> Job:
    """Asks about a share and does what the answer says. Where it fails for good, the share waits for staff.

    So it does when the verifier was taken away while questions were under way.
    """

    async def ask(item: OutboxItem) -> None:
        activity = parse_hot_id(item.payload["activity_id"])
        share = await reviews.waiting_share(activity)
        if share is None or verifier is None:
            return
        await reviews.settle(activity, await verifier.verify(share, question_id=str(item.id)))

    return Job(Kind.SHARE_SUBMITTED, errand=ask)
