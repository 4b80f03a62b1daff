"""What the categories of institutions are called: the published ones, by the keys that definitions give them.

Any other category is text of the bureau's own, and is called what it says.
"""

from collections.abc import Mapping

# Key: Chinese, English.
CATEGORIES: Mapping[str, tuple[str, str]] = {
    "checkup_hospital": ("体检医院", "Check-up hospital"),
    "nucleic_acid_lab": ("核酸检测机构", "Nucleic acid laboratory"),
    "training_centre": ("健康培训机构", "Health training centre"),
    "disinfection_supplier": ("消毒用品供应商", "Supplier of disinfectants"),
    "sports_venue": ("体育健身场馆", "Sports venue"),
    "sports_shop": ("体育用品店", "Sports shop"),
    "general_merchant": ("通用券商户", "Merchant of general vouchers"),
}
_KEYS = {name: key for key, names in CATEGORIES.items() for name in names}


def category_name(category: str, language: str = "zh") -> str:
    """For people; `language` is zh or en."""
    zh, en = CATEGORIES.get(category, (category, category))
    return en if language == "en" else zh


def category_key(told: str) -> str:
    """What people call a published category, as its key; anything else stays as it was told."""
    return _KEYS.get(told, told)
