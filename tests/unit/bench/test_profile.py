from bench.profile import ELSEWHERE, LOOKS_A_SECOND, LOOP, layer_of, parse_raw

MAIN = "main (deploy/local/http_worker.py:70)"
EDGE = "__call__ (shared/http/middleware.py:40)"


def test_a_stack_belongs_to_its_innermost_layer() -> None:
    assert layer_of([MAIN, "run (asyncio/runners.py:118)"]) == LOOP
    assert layer_of([MAIN, "run (asyncio/runners.py:118)", EDGE]) == "ASGI edge"
    assert (
        layer_of([EDGE, "verified (shared/http/signed.py:30)", "new (hmac.py:60)"]) == "signature and token"
    )
    assert layer_of([EDGE, "decode (shared/http/hot.py:95)"]) == "body parsing"
    assert layer_of([EDGE, "answer (shared/http/hot.py:120)"]) == "answer"
    assert layer_of([EDGE, "redeem (services/redemption/writeoff/routes.py:60)"]) == "the operation"
    assert (
        layer_of(["_redeem_all (services/redemption/writeoff/operations.py:1)", "fetch (asyncpg/pool.py:1)"])
        == "asyncpg"
    )
    assert layer_of(["main (x.py:1)"]) == ELSEWHERE


def test_looks_are_counted_by_layer_and_by_innermost_frame() -> None:
    profile = parse_raw(
        [
            f"{MAIN};{EDGE} 3",
            f"{MAIN};{EDGE};canonical (shared/signing/__init__.py:72) 1",
            "noise",
            # Another thread, which waits for work.
            "_bootstrap (threading.py:1);_worker (concurrent/futures/thread.py:81) 40",
        ]
    )
    assert profile.looks == 4
    layers = {layer.name: (layer.share, layer.micros) for layer in profile.layers(100)}
    assert layers == {"ASGI edge": (0.75, 75), "signature and token": (0.25, 25)}
    assert profile.frames()[0] == ("__call__ (shared/http/middleware.py)", 0.75)


def test_the_loop_costs_what_our_code_leaves_of_the_workers_time() -> None:
    looks = 3 * LOOKS_A_SECOND
    profile = parse_raw([f"{MAIN};run (asyncio/runners.py:118) {looks}", f"{MAIN};{EDGE} {LOOKS_A_SECOND}"])
    # Three seconds of looks at the loop, of which it worked one: the worker used two in all.
    profile.cpu = 2.0
    assert {layer.name: layer.share for layer in profile.layers(100)} == {LOOP: 0.5, "ASGI edge": 0.5}
    # Where our own code seems to have taken more than the worker used, it waited for a core.
    profile.cpu = 0.5
    assert {layer.name: layer.share for layer in profile.layers(100)} == {LOOP: 0.75, "ASGI edge": 0.25}
