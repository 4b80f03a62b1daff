"""Ways to change a draw log: by accident, and by somebody who knows the seed and wants nobody to see it."""

import hashlib
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from random import Random
from typing import Any

from tests.support.draw_logs import DRAWS, Log, draw, line

NEW_LETTERS = '0123456789abcdef"{}:,.xT /true红'
FORGED_SEED = hashlib.sha256(b"another").digest()
Mutation = Callable[[Random, list[bytes]], list[bytes]]


def other(rng: Random, count: int, than: int) -> int:
    return (than + rng.randrange(1, count)) % count


def changed_draw(
    rng: Random, lines: list[bytes], change: Callable[[dict[str, Any]], dict[str, Any]]
) -> list[bytes]:
    """A line told anew, with everything in it that fits together again."""
    number = rng.randrange(1, len(lines))
    return [*lines[:number], line(change(json.loads(lines[number]))), *lines[number + 1 :]]


def flip_bit(rng: Random, lines: list[bytes]) -> list[bytes]:
    number = rng.randrange(len(lines))
    place, bit = rng.randrange(len(lines[number])), rng.randrange(8)
    flipped = bytearray(lines[number])
    flipped[place] ^= 1 << bit
    # A flip may end a line, or join two: they are read as they then stand in the file.
    return list(BytesIO(b"".join([*lines[:number], bytes(flipped), *lines[number + 1 :]])))


def new_letter(rng: Random, lines: list[bytes]) -> list[bytes]:
    number = rng.randrange(len(lines))
    text = lines[number].decode().removesuffix("\n")
    place = rng.randrange(len(text))
    letter = rng.choice([new for new in NEW_LETTERS if new != text[place]])
    told = f"{text[:place]}{letter}{text[place + 1 :]}\n".encode()
    return [*lines[:number], told, *lines[number + 1 :]]


def drop(rng: Random, lines: list[bytes]) -> list[bytes]:
    number = rng.randrange(len(lines))
    return [*lines[:number], *lines[number + 1 :]]


def cut_off_the_end(rng: Random, lines: list[bytes]) -> list[bytes]:
    return lines[: -rng.randrange(1, len(lines))]


def duplicate(rng: Random, lines: list[bytes]) -> list[bytes]:
    number, place = rng.randrange(1, len(lines)), rng.randrange(1, len(lines) + 1)
    return [*lines[:place], lines[number], *lines[place:]]


def swap(rng: Random, lines: list[bytes]) -> list[bytes]:
    one = rng.randrange(1, len(lines))
    another = 1 + other(rng, len(lines) - 1, one - 1)
    swapped = [*lines]
    swapped[one], swapped[another] = lines[another], lines[one]
    return swapped


def reorder(rng: Random, lines: list[bytes]) -> list[bytes]:
    shuffled = lines[1:]
    while shuffled == lines[1:]:
        rng.shuffle(shuffled)
    return [lines[0], *shuffled]


def replace_draw(rng: Random, lines: list[bytes]) -> list[bytes]:
    """Made up by somebody who knows the seed: everything in the line is right."""
    return changed_draw(rng, lines, lambda _: draw(DRAWS + rng.randrange(1000)))


def add_draw(rng: Random, lines: list[bytes]) -> list[bytes]:
    place = rng.randrange(1, len(lines) + 1)
    return [*lines[:place], line(draw(DRAWS + rng.randrange(1000))), *lines[place:]]


def alter_odds(rng: Random, lines: list[bytes]) -> list[bytes]:
    """To the other odds that were announced, and won with them."""

    def change(told: dict[str, Any]) -> dict[str, Any]:
        number = int(told["chance_id"].removeprefix("T0"), base=16)
        return draw(number, "0.4" if told["odds"] == "0.2" else "0.2")

    return changed_draw(rng, lines, change)


def alter_client_seed(rng: Random, lines: list[bytes]) -> list[bytes]:
    return changed_draw(rng, lines, lambda told: told | {"client_seed": told["client_seed"] + "x"})


def alter_chance(rng: Random, lines: list[bytes]) -> list[bytes]:
    return changed_draw(rng, lines, lambda told: told | {"chance_id": f"T1{rng.getrandbits(128):032x}"})


def alter_won(rng: Random, lines: list[bytes]) -> list[bytes]:
    return changed_draw(rng, lines, lambda told: told | {"won": not told["won"]})


def alter_head(rng: Random, lines: list[bytes]) -> list[bytes]:
    head = json.loads(lines[0])
    commitment = hashlib.sha256(FORGED_SEED).hexdigest()
    changes: list[dict[str, Any]] = [
        {"slug": "honghe-2021"}, {"seq": 2}, {"seed": FORGED_SEED.hex()}, {"seed_commitment": commitment},
        {"seed": FORGED_SEED.hex(), "seed_commitment": commitment}, {"seed": head["seed"].upper()},
    ]  # fmt: skip
    return [line(head | rng.choice(changes)), *lines[1:]]


def draw_anew(rng: Random, _lines: list[bytes]) -> list[bytes]:
    """All of it with another seed, consistent in itself."""
    seed = rng.randbytes(32)
    commitment = hashlib.sha256(seed).hexdigest()
    head = {"slug": "honghe-2020", "seq": 1, "seed_commitment": commitment, "seed": seed.hex()}
    return [line(head), *(line(draw(n, seed=seed)) for n in range(DRAWS))]


MUTATORS: list[Mutation] = [
    flip_bit, new_letter, drop, cut_off_the_end, duplicate, swap, reorder, replace_draw, add_draw, alter_odds,
    alter_client_seed, alter_chance, alter_won, alter_head, draw_anew,
]  # fmt: skip


def mutated(log: Log, count: int) -> Iterator[tuple[str, list[bytes]]]:
    rng = Random(1)
    for number in range(count):
        mutation = MUTATORS[number % len(MUTATORS)]
        yield mutation.__name__, mutation(rng, log.lines)
