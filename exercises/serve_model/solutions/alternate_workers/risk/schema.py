"""The contract as pydantic models. They describe it in /openapi.json; risk/validate.py is what checks requests."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from risk.validate import MOST_ROWS


class PredictRequest(BaseModel):
    """One row to score."""

    model_config = ConfigDict(extra="forbid")

    request_id: Annotated[str, Field(min_length=1, max_length=64)]
    ts: Annotated[str, Field(description="RFC 3339 with offset", examples=["2025-03-01T12:00:00Z"])]
    tz: Annotated[str, Field(description="The name of an IANA time zone", examples=["Europe/Oslo"])]
    amount: Annotated[float, Field(gt=0)]
    currency: Literal["EUR", "NOK", "USD", "JPY"]
    income: float | None
    segment: str
    customer_id: int


class PredictResponse(BaseModel):
    """The score of a row."""

    model_config = ConfigDict(protected_namespaces=())

    request_id: str
    prediction_id: str
    model_version: str
    probability: Annotated[float, Field(ge=0, le=1)]
    decision: Literal["approve", "review"]


class BatchRequest(BaseModel):
    """Rows to score by one version."""

    model_config = ConfigDict(extra="forbid")

    rows: Annotated[list[PredictRequest], Field(min_length=1, max_length=MOST_ROWS)]


class BatchResponse(BaseModel):
    """The scores, in the order of the rows."""

    model_config = ConfigDict(protected_namespaces=())

    model_version: str
    results: list[PredictResponse]


class ActivateRequest(BaseModel):
    """The version to serve."""

    model_config = ConfigDict(extra="forbid")

    version: str


class ModelVersion(BaseModel):
    """The version that is served."""

    model_config = ConfigDict(protected_namespaces=())

    model_version: str


class Health(BaseModel):
    """The process lives."""

    status: str


class Problem(BaseModel):
    """What is wrong, and where."""

    loc: list[str | int]
    msg: str
    type: str


class Refused(BaseModel):
    """Why a request was refused with 422."""

    detail: list[Problem]


class Failed(BaseModel):
    """Why a request failed otherwise."""

    detail: str


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """openapi_extra for a route that reads its body itself."""
    reference = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": reference}}}}


def add_bodies(document: dict[str, Any]) -> dict[str, Any]:
    """Put the models of bodies, which FastAPI does not see, among the components."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (PredictRequest, BatchRequest, ActivateRequest):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
    return document
