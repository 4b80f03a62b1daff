from datetime import date, datetime

# Outpatient departments of the model prefecture are open at these hours; a pause at noon is no matter.
WORK_BEGINS, WORK_ENDS = 8, 17


def hospitals_work(local: datetime, starts_on: date | None, ends_on: date | None) -> bool:
    """Whether cards are expected at this moment of a working day: in the programme, at the right hour."""
    today = local.date()
    if starts_on is None or today < starts_on or (ends_on is not None and today > ends_on):
        return False
    return WORK_BEGINS <= local.hour < WORK_ENDS
