"""The four services by name: what `deploy` may import of them, their apps and workers."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from arq.worker import Worker
from fastapi import FastAPI

from shared.settings import Settings


def app_factory(service: str) -> Callable[[Settings], FastAPI]:
    """Loads the service's code; the app that it makes connects to nothing before its lifespan."""
    return cast("Callable[[Settings], FastAPI]", import_module(f"services.{service}.app").create_app)


def worker_factory(service: str) -> Callable[[Settings], Worker]:
    return cast("Callable[[Settings], Worker]", import_module(f"services.{service}.worker").create_worker)
