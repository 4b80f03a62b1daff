"""Every version of everything that rules a campaign: what it was, from when, by whom, why."""

from dataclasses import dataclass
from typing import Any

from services.issuance.versions import store
from services.issuance.versions.schemas import Decision, VersionsView, VersionView
from shared.clock import rfc3339
from shared.kit import Kit
from shared.rates import from_ppm, rate_text
from shared.vouchers import catalogue


@dataclass(frozen=True, slots=True)
class Versions:
    kit: Kit

    async def of_campaign(self, slug: str) -> VersionsView:
        """Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            found = await store.versions(tx, campaign.id)
        return VersionsView(slug=slug, items=[_view(version) for version in found])


def _view(version: store.Version) -> VersionView:
    return VersionView.model_validate(
        {
            "subject": version.subject,
            "phase": version.phase,
            "key": version.key,
            "effective_from": rfc3339(version.effective_from),
            "reason": version.reason,
            "value": _value(version.value),
            "decision": None if version.decided is None else _decision(version.decided),
        }
    )


def _decision(decided: store.Decided) -> Decision:
    return Decision(
        change_id=str(decided.change_id),
        kind=decided.kind,
        proposed_by=decided.proposed_by,
        proposed_at=rfc3339(decided.proposed_at),
        approved_by=decided.approved_by,
        approved_at=rfc3339(decided.approved_at) if decided.approved_at else None,
    )


def _value(stored: dict[str, Any]) -> dict[str, Any]:
    """As the wire says it: rates as decimal text, and each payer with its own figures."""
    value = {name: entry for name, entry in stored.items() if not name.endswith("_ppm")}
    if "odds_ppm" in stored:
        value["odds"] = rate_text(from_ppm(stored["odds_ppm"]))
    if "payers" in stored:
        del value["payers"], value["payer_names"], value["put_up_fen"]
        value["funding_sources"] = [
            {"key": key, "name": name, "share": rate_text(from_ppm(share)), "put_up_fen": put_up}
            for key, name, share, put_up in zip(
                stored["payers"],
                stored["payer_names"],
                stored["shares_ppm"],
                stored["put_up_fen"],
                strict=True,
            )
        ]
    return value
