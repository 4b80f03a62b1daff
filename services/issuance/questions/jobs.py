from datetime import timedelta

from services.issuance.questions.operations import Questions
from shared.jobs.handlers import Job, Periodic
from shared.jobs.kinds import Kind

_EVERY = timedelta(minutes=5)


def import_uploaded(questions: Questions) -> Job:
    """Takes in long files."""
    return questions.jobs.job(Kind.QUESTIONS_UPLOADED, questions.import_uploaded)


def forget_uploads(questions: Questions) -> Periodic:
    return Periodic("issuance.forget_question_uploads", _EVERY, questions.forget_uploads)
