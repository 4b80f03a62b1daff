"""Every table that leads to a person is told in the export, forgotten by the erasure, or says why not."""

import pytest
from sqlalchemy import Column, MetaData, Table, Text, Uuid

from migrations.metadata import load_metadata
from services.issuance.privacy.rules import TITLES, TREATMENTS
from services.issuance.privacy.schemas import Export

# A column of one of these names leads to a person; so does everything that is sealed or keyed.
LEADS = frozenset(
    {
        "person_id",
        "account_id",
        "caller_id",
        "voucher_id",
        "award_id",
        "activity_id",
        "redemption_id",
        "notice_id",
    }
    | {"identity_hash", "subject_hash", "holder_hash", "phone_hash"}
)

# Sealed, and about nobody: secrets of the platform, its staff and its tills, and institutions' bank accounts.
ABOUT_NOBODY = frozenset(
    {
        "core.staff_factor",
        "issuance.event",
        "issuance.phase",
        "quota.platform_key",
        "redemption.payee_account",
        "redemption.terminal",
    }
)

TABLES = {f"{table.schema}.{table.name}": table for table in load_metadata().tables.values()}


def leads_to_a_person(table: Table) -> bool:
    return any(name in LEADS or name.endswith("_sealed") for name in table.columns.keys())  # noqa: SIM118 - not a dict


PERSONAL = sorted(
    name for name, table in TABLES.items() if leads_to_a_person(table) and name not in ABOUT_NOBODY
)


@pytest.mark.parametrize("name", PERSONAL)
def test_a_table_about_persons_has_its_treatment(name: str) -> None:
    assert name in TREATMENTS, (
        f"{name} leads to a person: say in services/issuance/privacy/rules.py how it is told and forgotten"
        " (and do it in store.py and functions.sql there), or why not"
    )


def test_a_table_that_nobody_treats_is_found() -> None:
    for column in ("person_id", "voucher_id", "letter_sealed"):
        assert leads_to_a_person(Table("new_room", MetaData(), Column("id", Uuid), Column(column, Uuid)))
    assert not leads_to_a_person(Table("new_room", MetaData(), Column("id", Uuid), Column("name", Text)))


@pytest.mark.parametrize("name", sorted(TREATMENTS))
def test_a_treatment_is_of_a_table_and_its_columns(name: str) -> None:
    treatment = TREATMENTS[name]
    columns = set(TABLES[name].columns.keys())
    assert set(treatment.forgets) <= columns | {"*"}
    assert treatment.export is None or treatment.export in TITLES
    assert treatment.export or treatment.forgets or treatment.reason
    told_and_forgotten = treatment.export is not None and "*" in treatment.forgets
    assert told_and_forgotten or treatment.reason, "what stays, or is not told, has its reason"
    sealed = {column for column in columns if column.endswith("_sealed")}
    kept = sealed - set(treatment.forgets)
    assert "*" in treatment.forgets or not kept or name == "issuance.exclusion", f"{kept} stays for ever"


def test_every_section_of_the_export_has_its_title() -> None:
    assert set(TITLES) == set(Export.model_fields) - {"as_of", "person_id"}
    assert {treatment.export for treatment in TREATMENTS.values()} - {None} == set(TITLES)
