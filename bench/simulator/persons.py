"""Made-up persons: id numbers with a right check digit in a division that is not assigned."""

_DIVISION = "532599"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"


def resident_id(number: int) -> str:
    """A well-formed resident id number, distinct for each `number` below 15 million (GB 11643)."""
    year = 1950 + number // 300_000 % 50
    month = number // 25_000 % 12 + 1
    day = number // 1_000 % 25 + 1
    body = f"{_DIVISION}{year}{month:02d}{day:02d}{number % 1_000:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + _CHECK[total % 11]


def person_name(number: int) -> str:
    surname = _SURNAMES[number % len(_SURNAMES)]
    given = _GIVEN[number // len(_SURNAMES) % len(_GIVEN)]
    return f"{surname}{given}{_GIVEN[number // 400 % len(_GIVEN)]}"
