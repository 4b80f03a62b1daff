"""The four services by name: what `deploy` may import of them, their apps and workers."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from arq.worker import Worker
from fastapi import FastAPI

from shared.settings import Settings


def create_app(service: str, settings: Settings) -> FastAPI:
    create = import_module(f"services.{service}.app").create_app
    return cast("Callable[[Settings], FastAPI]", create)(settings)


def create_worker(service: str, settings: Settings) -> Worker:
    create = import_module(f"services.{service}.worker").create_worker
    return cast("Callable[[Settings], Worker]", create)(settings)
