from uuid import UUID

from sqlalchemy import text

from shared.db import Tx

_TEMPLATES = "definition = jsonb_set(definition, '{templates}', "
_USE = text(f"""
    UPDATE quota.programme
    SET {_TEMPLATES} coalesce(definition -> 'templates', '{{}}')
                     || jsonb_build_object(CAST(:kind AS text), CAST(:address AS text)))
    WHERE slug = :slug
""")
_DROP = text(f"""
    UPDATE quota.programme
    SET {_TEMPLATES} coalesce(definition -> 'templates', '{{}}') - CAST(:kind AS text))
    WHERE slug = :slug
""")
_ADDRESS = text("""
    SELECT definition -> 'templates' ->> :kind FROM quota.programme WHERE slug = :slug FOR NO KEY UPDATE
""")
_SLUG = text("SELECT slug FROM quota.programme WHERE id = :id")


async def slug_of(tx: Tx, programme_id: UUID) -> str:
    slug: str = (await tx.execute(_SLUG, {"id": programme_id})).scalar_one()
    return slug


async def lock_template(tx: Tx, slug: str, kind: str) -> str | None:
    """The address of the programme's own template, None for the default; locks the programme."""
    address: str | None = (await tx.execute(_ADDRESS, {"slug": slug, "kind": kind})).scalar_one_or_none()
    return address


async def use_template(tx: Tx, slug: str, kind: str, address: str | None) -> None:
    """From now on the programme's documents are made of it; None goes back to the default."""
    if address is None:
        await tx.execute(_DROP, {"slug": slug, "kind": kind})
    else:
        await tx.execute(_USE, {"slug": slug, "kind": kind, "address": address})
