import json
from pathlib import Path
from typing import Annotated

import typer

from deploy.verify_draws import findings

app = typer.Typer()


@app.command("verify-draws")
def verify_draws(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A phase's public log.")],
    commitment: Annotated[str, typer.Option(help="The commitment published before the phase opened.")] = "",
    odds: Annotated[list[str] | None, typer.Option(help="The odds of the audit; may be repeated.")] = None,
    draws: Annotated[int | None, typer.Option(help="The number of draws of the audit.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Recompute every draw of a phase from its public log; exit code 0 only when all is as published."""
    with file.open(encoding="utf-8", errors="surrogateescape") as log:
        found = list(findings(log, commitment, odds or (), draws))
    if as_json:
        typer.echo(json.dumps({"ok": not found, "findings": found}, ensure_ascii=False, indent=2))
    else:
        for finding in found or ["every draw is as published"]:
            typer.echo(finding)
    raise typer.Exit(1 if found else 0)
