"""Micro-batching in front of the model.

Rows of requests that arrive together are scored together. Nobody waits for company: a flush is due on the next turn of
the event loop, and what arrives while the model is busy forms the next batch by itself. Few rows are scored on
the loop (handing them to a thread would cost more than scoring them), many in a thread, so that /health stays quick.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from late.scoring import Prepared, Version

FEW = 64

Scored = tuple[list[list[float]], list[float]]


class Job(NamedTuple):
    """Rows of one request, of one version; `done` or `failed` is called exactly once, on the event loop."""

    version: Version
    rows: Sequence[Prepared]
    done: Callable[[list[list[float]], list[float]], None]
    failed: Callable[[Exception], None]


class Batcher:
    """Collects jobs and scores them."""

    def __init__(self) -> None:
        self._few: list[Job] = []
        self._thread = ThreadPoolExecutor(1, "score")
        self._running: set[asyncio.Task[None]] = set()

    def submit(self, job: Job) -> None:
        """Score a job soon."""
        loop = asyncio.get_running_loop()
        if len(job.rows) > FEW:
            task = loop.create_task(self._score_many(job))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            return
        if not self._few:
            loop.call_soon(self._flush)
        self._few.append(job)

    def _flush(self) -> None:
        jobs, self._few = self._few, []
        while jobs:
            version = jobs[0].version
            together = [job for job in jobs if job.version is version]
            jobs = [job for job in jobs if job.version is not version]
            try:
                features, probabilities = version.score([row for job in together for row in job.rows])
            except Exception as error:  # noqa: BLE001 - told to those who wait
                for job in together:
                    job.failed(error)
                continue
            at = 0
            for job in together:
                to = at + len(job.rows)
                job.done(features[at:to], probabilities[at:to])
                at = to

    async def _score_many(self, job: Job) -> None:
        loop = asyncio.get_running_loop()
        try:
            scored = await loop.run_in_executor(self._thread, job.version.score, job.rows)
        except Exception as error:  # noqa: BLE001 - told to those who wait
            job.failed(error)
        else:
            job.done(*scored)
