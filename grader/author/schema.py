"""The JSON Schema of `exercise.toml`, made from the model, so that editors can complete and check it.

`python -m grader.author.schema > docs/exercise.schema.json` writes the committed copy; `grader author new` writes one
beside the exercises it makes.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from grader.model.exercise import Manifest

FILE = "exercise.schema.json"


def exercise_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of manifests as authors write them."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Manifest.model_json_schema(mode="validation")


def schema_text() -> str:
    """Return the schema as files hold it."""
    return json.dumps(exercise_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
