"""The ordinary application: dependencies, pydantic models in and out."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from bench.baseline.operations import NotRedeemable, Shop
from bench.baseline.schemas import Redeem, Redemption
from shared.crypto import load_keys
from shared.errors import Refusal
from shared.settings import load_settings
from shared.signing import SignatureHeader, canonical, parse_header

# How far the platform's clock is ahead of the machine's, in seconds.
LEAD = "BENCH_LEAD_SECONDS"
# As many connections as the platform's process opens for its write-offs and the rest together.
_POOL = 12


async def signed(request: Request) -> tuple[SignatureHeader, bytes]:
    header = parse_header(request.headers.get("authorization"))
    message = canonical(
        method=request.method,
        target=request.url.path.encode(),
        timestamp=header.timestamp,
        nonce=header.nonce,
        body=await request.body(),
    )
    return header, message


def shop_of(request: Request) -> Shop:
    shop: Shop = request.app.state.shop
    return shop


def create() -> FastAPI:
    settings = load_settings()
    url = make_url(settings.database_url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, pool_size=_POOL, max_overflow=0)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.shop = Shop(
            sessions=async_sessionmaker(engine, expire_on_commit=False),
            keys=load_keys(settings),
            lead=timedelta(seconds=float(os.environ[LEAD])),
        )
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.post("/redemption/v1/redemptions", status_code=201)
    async def redeem(
        body: Redeem,
        shop: Annotated[Shop, Depends(shop_of)],
        signature: Annotated[tuple[SignatureHeader, bytes], Depends(signed)],
    ) -> Redemption:
        try:
            return await shop.redeem(*signature, body)
        except Refusal as refusal:
            raise HTTPException(refusal.status, refusal.code) from None
        except NotRedeemable:
            raise HTTPException(409, "not_redeemable") from None

    return app
