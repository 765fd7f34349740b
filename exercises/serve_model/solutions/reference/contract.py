"""Bodies of requests and answers: what is accepted, and what OpenAPI says."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

MAX_ROWS = 512
MAX_ERRORS = 100
ZONES = frozenset(available_timezones())
RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)


def instant(text: str) -> datetime:
    """The moment that an RFC 3339 text names; fractions beyond microseconds are cut off."""
    return datetime.fromisoformat(text.upper())


def _timestamp(text: str) -> str:
    if not RFC_3339.fullmatch(text):
        raise ValueError("must be RFC 3339 with an offset")
    # Nearer to the ends of the calendar than a day, conversion to another zone overflows.
    if not 1 < instant(text).year < 9999:
        raise ValueError("the year is out of range")
    return text


def _zone(name: str) -> str:
    if name not in ZONES:  # looked up in the list: as a file name, "Europe" or "../x" would raise other errors
        raise ValueError("not an IANA time zone")
    return name


class PredictRequest(BaseModel):
    """One row to score."""

    model_config = ConfigDict(strict=True, extra="forbid")

    request_id: Annotated[str, Field(min_length=1, max_length=64)]
    ts: Annotated[str, AfterValidator(_timestamp), Field(json_schema_extra={"format": "date-time"})]
    tz: Annotated[str, AfterValidator(_zone), Field(description="IANA name", examples=["Europe/Oslo"])]
    amount: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    currency: Literal["EUR", "NOK", "USD", "JPY"]
    income: Annotated[float, Field(allow_inf_nan=False)] | None
    segment: str
    customer_id: int

    def content(self) -> tuple[Any, ...]:
        """What makes two bodies of one request_id the same."""
        return (self.ts, self.tz, self.amount, self.currency, self.income, self.segment, self.customer_id)


class BatchRequest(BaseModel):
    """Rows to score together."""

    model_config = ConfigDict(strict=True, extra="forbid")

    rows: Annotated[list[PredictRequest], Field(min_length=1, max_length=MAX_ROWS)]


class ActivateRequest(BaseModel):
    """The version to serve from now on."""

    model_config = ConfigDict(strict=True, extra="forbid")

    version: Annotated[str, Field(min_length=1, max_length=64)]


class Prediction(BaseModel):
    """The answer for one row."""

    request_id: str
    prediction_id: str
    model_version: str
    probability: Annotated[float, Field(ge=0, le=1)]
    decision: Literal["approve", "review"]


class BatchPrediction(BaseModel):
    """The answers for a batch, in the order of its rows."""

    model_version: str
    results: list[Prediction]


class Served(BaseModel):
    """The version that is served."""

    model_version: str


class Status(BaseModel):
    """Whether something is as it should be."""

    status: str


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    loc: list[str | int]
    msg: str
    type: str


class Invalid(BaseModel):
    """What is wrong with a body."""

    detail: list[FieldProblem]


ROW: TypeAdapter[PredictRequest] = TypeAdapter(PredictRequest)
BATCH: TypeAdapter[BatchRequest] = TypeAdapter(BatchRequest)
ACTIVATION: TypeAdapter[ActivateRequest] = TypeAdapter(ActivateRequest)


def problems(error: ValidationError) -> list[dict[str, Any]]:
    """Describe what is wrong without repeating the input, which may be NaN or a megabyte."""
    found = error.errors(include_url=False, include_context=False, include_input=False)[:MAX_ERRORS]
    return [{"loc": ["body", *each["loc"]], "msg": each["msg"], "type": each["type"]} for each in found]
