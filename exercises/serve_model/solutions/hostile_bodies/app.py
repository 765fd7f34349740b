"""Ready at once, and then: bodies without end, compressed ones, redirects, HTML with status 200, headers that lie."""

import asyncio
import gzip
import itertools

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

app = FastAPI()
turn = itertools.count()


async def endless():
    while True:
        yield b'{"probability": 0.5,' * 4096
        await asyncio.sleep(0)


@app.get("/health")
@app.get("/ready")
async def fine():
    return {"status": "ok", "model_version": "v1"}


@app.api_route("/{path:path}", methods=["GET", "POST"])
async def anything(path: str, request: Request):
    kind = next(turn) % 5
    if kind == 0:
        return StreamingResponse(endless(), media_type="application/json")
    if kind == 1:
        bomb = gzip.compress(b" " * 200_000_000)
        return Response(bomb, media_type="application/json", headers={"Content-Encoding": "gzip"})
    if kind == 2:
        return RedirectResponse("http://127.0.0.1:1/")
    if kind == 3:
        return HTMLResponse("<script>document.title = 'graded'</script>" * 1000)
    return Response(b"[" * 1_000_000, media_type="application/json")
