import json
from dataclasses import asdict
from typing import Annotated

import typer

from deploy.commands.up import DataDir, Port
from deploy.local.checks import Check, run_checks
from deploy.local.stack import default_home

app = typer.Typer()


@app.command()
def doctor(
    port: Port = 8000,
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Check whether this machine can run the platform; exit code 0 only when it can."""
    checks = list(run_checks((data_dir or default_home()).absolute(), port))
    well = all(check.ok or check.optional for check in checks)
    if as_json:
        document = {"ok": well, "checks": [asdict(check) for check in checks]}
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for check in checks:
            typer.echo(_line(check))
    raise typer.Exit(0 if well else 1)


def _line(check: Check) -> str:
    mark = "ok  " if check.ok else "note" if check.optional else "FAIL"
    return f"{mark}  {check.name}: {check.detail}" + (f" – run: {check.fix}" if check.fix else "")
