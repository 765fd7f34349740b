"""GET /openapi.json: the contract, as the program keeps it."""

from __future__ import annotations

import json
from typing import Any

from late.validation import CURRENCIES, MAX_ID, MAX_ROWS


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(text: str, schema: dict[str, Any], kind: str = "application/json") -> dict[str, Any]:
    return {"description": text, "content": {kind: {"schema": schema}}}


_FAILED = _ref("Failed")
_STRING, _PROBABILITY = {"type": "string"}, {"type": "number", "minimum": 0, "maximum": 1}
_SCHEMAS = {
    "PredictRequest": _object(
        {
            "request_id": {"type": "string", "minLength": 1, "maxLength": MAX_ID},
            "ts": {"type": "string", "format": "date-time", "description": "RFC 3339 with offset"},
            "tz": {"type": "string", "description": "name of an IANA time zone"},
            "amount": {"type": "number", "exclusiveMinimum": 0},
            "currency": {"type": "string", "enum": list(CURRENCIES)},
            "income": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "segment": _STRING,
            "customer_id": {"type": "integer"},
        }
    ),
    "Prediction": _object(
        {
            "request_id": {"type": "string", "minLength": 1, "maxLength": MAX_ID},
            "prediction_id": _STRING,
            "model_version": _STRING,
            "probability": _PROBABILITY,
            "decision": {"type": "string", "enum": ["approve", "review"]},
        }
    ),
    "PredictBatchRequest": _object(
        {"rows": {"type": "array", "items": _ref("PredictRequest"), "minItems": 1, "maxItems": MAX_ROWS}}
    ),
    "BatchPrediction": _object(
        {
            "model_version": _STRING,
            "results": {"type": "array", "items": _ref("Prediction"), "minItems": 1, "maxItems": MAX_ROWS},
        }
    ),
    "ModelVersion": _object({"model_version": _STRING}),
    "ActivateRequest": _object({"version": _STRING}),
    "Health": _object({"status": _STRING}),
    "Failed": _object({"detail": _STRING}),
    "HTTPValidationError": _object({"detail": {"type": "array", "items": _ref("ValidationError")}}),
    "ValidationError": _object(
        {
            "loc": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
            "msg": _STRING,
            "type": _STRING,
        }
    ),
}


def _post(summary: str, body: str, answer: str, failures: dict[str, str]) -> dict[str, Any]:
    return {
        "post": {
            "summary": summary,
            "operationId": f"post_{answer}",
            "requestBody": {"required": True, "content": {"application/json": {"schema": _ref(body)}}},
            "responses": {
                "200": _answer("Done", _ref(answer)),
                "422": _answer("The body is not as it should be", _ref("HTTPValidationError")),
                "413": _answer("The body has more than 1 MiB", _FAILED),
                "415": _answer("The body is not said to be application/json", _FAILED),
            }
            | {status: _answer(text, _FAILED) for status, text in failures.items()},
        }
    }


def _get(summary: str, name: str, answers: dict[str, Any]) -> dict[str, Any]:
    return {"get": {"summary": summary, "operationId": name, "responses": answers}}


_PREDICT_FAILURES = {
    "409": "A request_id was used with another body",
    "503": "No version is loaded",
}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Late-payment risk", "version": "1.0.0"},
    "paths": {
        "/v1/predict": _post("Score one request", "PredictRequest", "Prediction", _PREDICT_FAILURES),
        "/v1/predict_batch": _post(
            "Score up to 512 requests", "PredictBatchRequest", "BatchPrediction", _PREDICT_FAILURES
        ),
        "/health": _get("Whether the process lives", "health", {"200": _answer("It does", _ref("Health"))}),
        "/ready": _get(
            "Whether a version is served, and which",
            "ready",
            {"200": _answer("One is", _ref("ModelVersion")), "503": _answer("None is", _FAILED)},
        ),
        "/admin/activate": _post(
            "Serve another version",
            "ActivateRequest",
            "ModelVersion",
            {"409": "The version is unknown or corrupt; what was served is served on"},
        ),
        "/metrics": _get(
            "Counters for Prometheus", "metrics", {"200": _answer("Text format", _STRING, "text/plain")}
        ),
        "/openapi.json": _get("This document", "openapi", {"200": _answer("OpenAPI", {"type": "object"})}),
    },
    "components": {"schemas": _SCHEMAS},
}
BODY = json.dumps(DOCUMENT).encode()
