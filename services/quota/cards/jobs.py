from datetime import timedelta

from services.quota.cards.operations import CardEvents
from shared.jobs.handlers import Job, Periodic
from shared.jobs.kinds import Kind

_EVERY = timedelta(minutes=5)


def import_uploaded(card_events: CardEvents) -> Job:
    return card_events.jobs.job(Kind.CARD_EVENTS_UPLOADED, card_events.import_uploaded)


def forget_uploads(card_events: CardEvents) -> Periodic:
    return Periodic("quota.forget_card_event_uploads", _EVERY, card_events.forget_uploads)
