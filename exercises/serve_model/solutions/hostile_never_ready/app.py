"""Is alive for ever, and ready never."""

import asyncio

from fastapi import FastAPI, Response

app = FastAPI()


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.get("/ready")
async def ready():
    return Response(status_code=503)


@app.api_route("/{path:path}", methods=["GET", "POST"])
async def anything(path: str):
    await asyncio.sleep(3600)
