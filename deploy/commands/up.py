from pathlib import Path
from typing import Annotated

import typer

from deploy.local.foreground import run_in_foreground
from deploy.local.stack import Options, default_home, default_workers

app = typer.Typer()

Port = Annotated[int, typer.Option(min=0, max=65535, help="HTTP port on 127.0.0.1; 0 takes any free one.")]
DataDir = Annotated[
    Path | None,
    typer.Option(help="Where data, keys and logs stay.", show_default="$HV_DATA_DIR or the XDG data folder"),
]
Workers = Annotated[
    int | None, typer.Option(min=1, max=64, help="HTTP worker processes.", show_default="2, or 1 on one core")
]


def options(port: int, data_dir: Path | None, workers: int | None) -> Options:
    """For every command that starts the stack."""
    return Options(home=data_dir or default_home(), port=port, workers=workers or default_workers())


@app.command()
def up(port: Port = 8000, data_dir: DataDir = None, workers: Workers = None) -> None:
    """Start everything on this machine and keep it running until Ctrl-C."""
    run_in_foreground(options(port, data_dir, workers))
