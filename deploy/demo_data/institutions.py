"""Makes the example directory of Honghe's institutions, of the published size.

Published are only counts (`institution_directory` in the campaign definition), so every entry here is
invented and says so. `python -m deploy.demo_data.institutions` writes institutions.yaml, always the same.
"""

from itertools import count, cycle
from pathlib import Path
from typing import NotRequired, TypedDict

import yaml

FOLDER = Path(__file__).parent
DEFINITION = FOLDER / "honghe-2020" / "campaign.yaml"
DIRECTORY = FOLDER / "institutions.yaml"

COUNTIES = (
    "蒙自市", "个旧市", "开远市", "弥勒市", "建水县", "石屏县", "泸西县",
    "元阳县", "红河县", "金平县", "绿春县", "河口县", "屏边县",
)  # fmt: skip

# What an example is called after its county; general merchants go through several trades.
NAMES = {
    "checkup_hospital": ("第{n}体检医院",),
    "nucleic_acid_lab": ("第{n}核酸检测点",),
    "training_centre": ("第{n}健康培训中心",),
    "disinfection_supplier": ("第{n}消毒用品领取点",),
    "sports_venue": ("第{n}体育馆",),
    "sports_shop": ("第{n}体育用品店",),
    "general_merchant": ("第{n}超市", "第{n}药店", "第{n}餐馆", "第{n}书店", "第{n}便利店"),
}
ORDINALS = ("一", "二", "三", "四", "五")

# GB 32100-2015: 18 symbols without I, O, S, V, Z; the last one checks the 17 before it.
CREDIT_SYMBOLS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_BODY_LENGTH = 17

# Registered by "other" (Y), in division 532599, which no county has.
EXAMPLE_REGISTRATION = "Y1532599"

# GB 11714-1997: the ninth symbol of the organisation code inside checks the eight before it, modulo 11.
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
ORGANISATION_CHECKS = "0123456789X"

HEADER = """\
# Example institutions, as many of each category as the campaign definition says. None of them is real: names
# and addresses say so, and of the credit codes only the check digits are right. Entries are bodies of
# POST …/institutions without `campaign`; `public` stands only where the source counts it (checkup hospitals).
# Made by `python -m deploy.demo_data.institutions`; not edited by hand.
"""


class DirectoryRow(TypedDict):
    category: str
    accepts: list[str]
    count: int
    public: NotRequired[int]


class Institution(TypedDict):
    name: str
    category: str
    county: str
    public: NotRequired[bool]
    address: str
    credit_code: str
    accepts: list[str]


def credit_code(body: str) -> str:
    """The 17 symbols of `body` with their check symbol; ValueError when they are not 17 of the alphabet."""
    if len(body) != CREDIT_BODY_LENGTH:
        raise ValueError(f"a credit code body has {CREDIT_BODY_LENGTH} symbols, not {len(body)}")
    total = sum(
        CREDIT_SYMBOLS.index(symbol) * pow(3, place, len(CREDIT_SYMBOLS)) for place, symbol in enumerate(body)
    )
    return body + CREDIT_SYMBOLS[-total % len(CREDIT_SYMBOLS)]


def organisation_code(body: str) -> str:
    """The eight symbols of `body` with their check symbol (letters count from 10)."""
    total = sum(int(symbol, 36) * weight for symbol, weight in zip(body, ORGANISATION_WEIGHTS, strict=True))
    return body + ORGANISATION_CHECKS[-total % len(ORGANISATION_CHECKS)]


def published_rows() -> list[DirectoryRow]:
    rows: list[DirectoryRow] = yaml.safe_load(DEFINITION.read_text("utf-8"))["institution_directory"]
    return rows


def build_directory() -> list[Institution]:
    """One institution per published count, dealt to the counties in turn over all categories."""
    county = cycle(COUNTIES)
    serial = count(1)
    taken: set[str] = set()
    directory: list[Institution] = []
    for row in published_rows():
        trades = cycle(NAMES[row["category"]])
        for position in range(row["count"]):
            place, number = next(county), next(serial)
            entry: Institution = {
                "name": _free_name(place, next(trades), taken),
                "category": row["category"],
                "county": place,
                "address": f"示例地址：红河州{place}示例路{number}号",
                "credit_code": _example_code(number),
                "accepts": list(row["accepts"]),
            }
            if "public" in row:
                entry["public"] = position < row["public"]
            directory.append(entry)
    return directory


def render(directory: list[Institution]) -> str:
    return HEADER + yaml.safe_dump(directory, allow_unicode=True, sort_keys=False, width=120)


def _free_name(county: str, pattern: str, taken: set[str]) -> str:
    name = next(
        name
        for name in (f"示例·{county}{pattern.format(n=ordinal)}" for ordinal in ORDINALS)
        if name not in taken
    )
    taken.add(name)
    return name


def _example_code(number: int) -> str:
    return credit_code(EXAMPLE_REGISTRATION + organisation_code(f"DEM{number:05d}"))


if __name__ == "__main__":
    DIRECTORY.write_text(render(build_directory()), "utf-8")
