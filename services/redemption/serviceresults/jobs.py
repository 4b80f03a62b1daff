"""Carries service results to the health code."""

from datetime import timedelta

from services.redemption.serviceresults.operations import ServiceResults
from shared.jobs.handlers import Job, Periodic
from shared.jobs.kinds import Kind

_TAKE_UP_EVERY = timedelta(minutes=1)


def jobs(results: ServiceResults) -> list[Job]:
    return [Job(Kind.SERVICE_RESULT_DUE, errand=results.deliver)]


def periodics(results: ServiceResults) -> list[Periodic]:
    return [Periodic("redemption.take_up_service_results", _TAKE_UP_EVERY, results.take_up)]
