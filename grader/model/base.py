"""What all values that cross a process or disk border have in common."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer


class Frozen(BaseModel):
    """A value that cannot change and refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


CENT = Decimal("0.01")


def to_points(value: object) -> Decimal:
    """Round a number to hundredths of a point, half up.

    Raises:
        ValueError: The value is not a finite number of at least zero.
    """
    try:
        number = Decimal(str(value))
        rounded = number.quantize(CENT, rounding=ROUND_HALF_UP)
    except ArithmeticError as error:  # not a number at all, or too large to be rounded
        raise ValueError(f"{value!r} is not a number of points") from error
    if not rounded.is_finite() or number < 0:
        raise ValueError(f"{value!r} is not a number of points")
    return rounded


# Decimal inside, so that totals add up exactly; a plain number in JSON, so that people can read it.
Points = Annotated[
    Decimal,
    BeforeValidator(to_points),
    PlainSerializer(float, return_type=float, when_used="json"),
]


def _no_control(value: str) -> str:
    if any(ord(character) < 32 or 0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise ValueError("control characters are not allowed here")
    return value


Line = Annotated[str, AfterValidator(_no_control)]
"""One line of text without control characters."""
