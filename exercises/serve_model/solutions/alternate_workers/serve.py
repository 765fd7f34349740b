"""Start the service: python serve.py, with PORT, MODEL_DIR and MODEL_VERSION in the environment."""

from __future__ import annotations

import os
import signal
from pathlib import Path

FOLDER = Path(os.environ.get("MODEL_DIR") or "artifacts").resolve()
WORKERS = 2


def main() -> int:
    """Serve until SIGTERM; returns the exit status."""
    for number in (signal.SIGTERM, signal.SIGINT):  # until the loop runs there is no request to finish
        signal.signal(number, lambda *_: os._exit(0))

    from risk.pool import Pool, spawn

    first_version = os.environ.get("MODEL_VERSION") or "v1"
    spawned = spawn(FOLDER, first_version, WORKERS)  # they import while we do

    import asyncio
    import contextlib
    import threading

    import uvicorn

    from risk.app import Counted, make_app
    from risk.ledger import Ledger, Log
    from risk.metrics import Metrics

    pool = Pool(FOLDER, first_version)
    log = Log(Path("predictions.jsonl"))
    metrics = Metrics()
    pool.on_active = metrics.serving
    app = Counted(make_app(pool, Ledger(log), metrics), metrics)

    class Server(uvicorn.Server):
        """uvicorn raises the signal again when it has ended, which would end us by the signal: signals are ours."""

        def capture_signals(self) -> contextlib.AbstractContextManager[None]:
            return contextlib.nullcontext()

    config = uvicorn.Config(
        app, host="127.0.0.1", port=int(os.environ.get("PORT") or 8000), loop="asyncio", http="h11", ws="none",
        lifespan="off", access_log=False, log_level="warning", timeout_keep_alive=120, backlog=2048,
        server_header=False, date_header=False, timeout_graceful_shutdown=4,
    )  # fmt: skip
    server = Server(config)

    def at_the_latest() -> None:
        log.flush()
        os._exit(0)

    def stop() -> None:
        if server.should_exit:
            return
        for listening in getattr(server, "servers", []):  # no new connections from here on
            listening.close()
        server.should_exit = True  # uvicorn looks every 0.1 s: what was sent before the signal is read until then
        last = threading.Timer(4.7, at_the_latest)
        last.daemon = True
        last.start()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        pool.start(spawned)
        await server.serve()
        await pool.close()
        log.flush()

    try:
        asyncio.run(run())
    except SystemExit as error:  # uvicorn could not listen
        return int(error.code or 1)
    return 0


if __name__ == "__main__":
    os._exit(main())
