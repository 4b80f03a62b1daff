import json
from pathlib import Path
from typing import Annotated

import typer
import yaml

from deploy.local.errors import LaunchError
from services.quota.tablechecks.operations import check_files
from services.quota.tablechecks.schemas import TableCheck
from shared.errors import InvalidRequest

app = typer.Typer()

_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The table, .xlsx or .csv.")]


def _adjustments(path: Path | None) -> str | None:
    """JSON or YAML: a list, or a definition with `adjustments` in it (such as programme.yaml)."""
    if path is None:
        return None
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        raise LaunchError(f"{path} is neither JSON nor YAML") from None
    return json.dumps(document["adjustments"] if isinstance(document, dict) else document, default=str)


def _check(file: Path, totals: Path | None, total: int | None, adjustments: Path | None) -> TableCheck:
    try:
        return check_files(
            file.read_bytes(),
            totals=None if totals is None else totals.read_bytes(),
            total=total,
            adjustments=_adjustments(adjustments),
        )
    except InvalidRequest as refusal:
        faults = "; ".join(f"{fault.loc}: {fault.message}" for fault in refusal.faults)
        raise LaunchError(f"{file} cannot be checked: {faults}") from None


@app.command("check-table")
def check_table(
    file: _File,
    totals: Annotated[Path | None, typer.Option(exists=True, help="A file with printed subtotals.")] = None,
    total: Annotated[int | None, typer.Option(min=1, help="The total that the text states.")] = None,
    adjustments: Annotated[Path | None, typer.Option(exists=True, help="What was moved by hand.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Recompute a published table and say what does not add up; exit code 0 only when all does."""
    checked = _check(file, totals, total, adjustments)
    if as_json:
        typer.echo(checked.model_dump_json(indent=2))
    else:
        for finding in checked.findings:
            typer.echo(f"{finding.where}: {finding.message}")
        looked_at = ", ".join(f"{count} {what}" for what, count in checked.checked.items() if count)
        typer.echo(f"{len(checked.findings)} finding(s) in {looked_at}")
    raise typer.Exit(0 if checked.ok else 1)
