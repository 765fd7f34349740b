"""Start the service: environment PORT, MODEL_DIR and MODEL_VERSION (brief.md, "How it is started").

Ends with status 0 on SIGTERM, at any moment: while packages are imported, while a model is loading, and under load.
"""

from __future__ import annotations

import os
import signal

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # nothing has begun yet, so there is nothing to finish
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # rows come a few at a time: threads that wait for one another only cost

import contextlib  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402
from types import FrameType  # noqa: E402

import uvicorn  # noqa: E402

from late.app import Service  # noqa: E402

FINISH_SECONDS = 3.8  # what requests that have begun get after SIGTERM
LAST_RESORT_SECONDS = 4.6


class Server(uvicorn.Server):
    """uvicorn, except that it does not raise the signal again when it has shut down in good order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:
            self.should_exit = True
            last_resort = threading.Timer(LAST_RESORT_SECONDS, os._exit, (0,))
            last_resort.daemon = True
            last_resort.start()


def main() -> None:
    """Serve until SIGTERM."""
    service = Service(Path(os.environ.get("MODEL_DIR", "artifacts")), os.environ.get("MODEL_VERSION", "v1"), Path())
    config = uvicorn.Config(
        service,
        host="127.0.0.1",
        port=int(os.environ.get("PORT", "8000")),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=2048,
        timeout_keep_alive=120,
        timeout_graceful_shutdown=FINISH_SECONDS,  # type: ignore[arg-type]
    )
    server = Server(config)
    server.run()
    service.log.flush()
    sys.stdout.flush()
    sys.stderr.flush()
    # A model may be half loaded in a thread of its own; it is not waited for.
    os._exit(0 if server.started or server.should_exit else 1)


if __name__ == "__main__":
    main()
