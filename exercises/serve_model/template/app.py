"""Your service. Started as submission.toml says; brief.md says what it must do."""

from __future__ import annotations

import os
from pathlib import Path

from fastapi import FastAPI

# While grading these are always set; here they fall back on the kit's own artefacts.
MODEL_DIR = Path(os.environ.get("MODEL_DIR", "artifacts"))
MODEL_VERSION = os.environ.get("MODEL_VERSION", "v1")

app = FastAPI(title="Late-payment risk")


@app.get("/health")
async def health() -> dict[str, str]:
    """Whether the process lives."""
    return {"status": "ok"}
