"""Words of the import of institutions. Pure."""

KEPT = {
    "changed_since": ("之后被修改", "changed since"),
    "redeemed_since": ("之后有核销", "has written vouchers off"),
    "priced_since": ("之后有协议价", "has contract prices"),
    "has_terminals": ("已有终端", "has terminals"),
    "has_staff": ("已有账号", "has accounts"),
}
DONE = {
    "imported": ("已导入。", "Imported."),
    "awaiting": (
        "已导入；新增的受理券种须经另一人审批后生效（见“变更审批”）。",
        "Imported; new types come into force when another person approves them (see Changes).",
    ),
}
