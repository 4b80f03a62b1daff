import json
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from deploy.verify_draws import findings

app = typer.Typer()

_SECONDS = 30.0
_ADDRESSES = ("http://", "https://")


@app.command("verify-draws")
def verify_draws(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A phase's public log.")],
    audit: Annotated[
        list[str] | None,
        typer.Option(help="An answer of draw-audit, as a file or its address; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Recompute a phase's public draw log and its roots; exit code 0 only when all is as published.

    A log alone cannot tell what was left out, or made up by somebody who knew the seed. So give the audit
    too: best one that was saved while the phase ran, and the one of today.
    """
    audits = [_audit(source) for source in audit or ()]
    with file.open("rb") as log:
        found = list(findings(log, audits))
    if as_json:
        told = {"ok": not found, "audits": len(audits), "findings": found}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for finding in found or ["every draw is as published"]:
            typer.echo(finding)
        if not audits:
            typer.echo("no --audit was given: what was left out of the log was not looked for", err=True)
    raise typer.Exit(1 if found else 0)


def _audit(source: str) -> Any:  # noqa: ANN401 - whatever the file says
    """Raises typer.BadParameter for what is no answer of draw-audit."""
    try:
        if source.startswith(_ADDRESSES):
            told = httpx.get(source, timeout=_SECONDS, follow_redirects=True).raise_for_status().json()
        else:
            told = json.loads(Path(source).read_bytes())
        return {"phases": told["phases"]}
    except (OSError, ValueError, KeyError, TypeError, httpx.HTTPError) as error:
        raise typer.BadParameter(f"{source} is no draw audit: {error}", param_hint="--audit") from error
