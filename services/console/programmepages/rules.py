"""Words of programmes and of calendars. Pure."""

from collections.abc import Mapping

Words = tuple[str, str]

ORIGINS: Mapping[str, Words] = {
    "shipped": ("平台自带", "shipped with the platform"),
    "imported": ("导入", "imported"),
    "weekdays": ("无日历，按周一至周五", "no calendar: Monday to Friday"),
}
WEEKDAYS: tuple[Words, ...] = (
    ("一", "Mon"),
    ("二", "Tue"),
    ("三", "Wed"),
    ("四", "Thu"),
    ("五", "Fri"),
    ("六", "Sat"),
    ("日", "Sun"),
)
DAY_HEADER = ("日期", "类型", "名称")
DAY_WIDTHS = (14, 10, 20)
