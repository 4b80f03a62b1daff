"""The parts of the platform one by one, for deployments that bring their own Postgres and Redis."""

import asyncio
from functools import partial
from typing import Annotated

import typer
import uvicorn

from deploy.local.http_worker import server_config
from deploy.local.jobs import run_workers
from deploy.local.migrate import migrate_given
from deploy.local.names import Service
from deploy.local.services import app_factory, worker_factory
from shared.settings import load_settings

app = typer.Typer()


@app.command()
def migrate() -> None:
    """Bring the schema of HV_DATABASE_URL to this version."""
    migrate_given()


@app.command()
def serve(
    service: Annotated[Service, typer.Argument()],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
) -> None:
    """Serve one service alone; settings come from the environment."""
    settings = load_settings()
    config = server_config(app_factory(service)(settings), host=host, port=port)
    uvicorn.Server(config).run()


@app.command()
def worker(service: Annotated[Service, typer.Argument()]) -> None:
    """Run the jobs of one service; settings come from the environment."""
    settings = load_settings()
    create = partial(worker_factory(service), settings)
    asyncio.run(run_workers({service.value: create}))
