"""The JSON Schema of a score sheet, made from the model.

`python -m grader.render.schema > docs/score-sheet.schema.json` writes the committed copy.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from grader.model.sheet import ScoreSheet


def score_sheet_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) that every `sheet.json` of this version keeps."""
    schema = ScoreSheet.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def schema_text() -> str:
    """Return the schema as the file in `docs` holds it."""
    return json.dumps(score_sheet_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
