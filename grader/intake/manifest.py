"""Reading `submission.toml`: what the candidate says about how the work is to be run.

It is the candidate's text. It is parsed with a bound on its size and never run; what it names is
looked for among the submission's own files only.
"""

from __future__ import annotations

import difflib
import tomllib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from grader.errors import SubmissionRejected
from grader.intake.limits import KIB, readable
from grader.intake.paths import shown, visible
from grader.intake.programs import allowed_values, check_program, in_words, with_defaults
from grader.model.exercise import Part
from grader.model.reasons import Rejection
from grader.model.submission import Submission, SubmissionManifest

FILE = "submission.toml"
_LARGEST = 64 * KIB
# The parser takes quadratic time over keys such as a.a.a.a: 58 s were seen for one file of 64 KiB.
_MOST_DOTS = 200


def read_manifest(submission: Submission, part: Part) -> tuple[SubmissionManifest, tuple[str, ...]]:
    """Read the submission's manifest, fill in how the exercise starts programs, and look for the program.

    Args:
        submission: What was handed in.
        part: The exercise's part; what it says counts where the candidate says nothing.

    Returns:
        The manifest, with the section of the part's kind always present, and facts for people to read.

    Raises:
        SubmissionRejected: `manifest` or `entry_missing`.
    """
    content = submission.read(FILE)
    observations: tuple[str, ...] = ()
    if content is None:
        observations = (_absent(submission, part),)
        manifest = SubmissionManifest()
    else:
        manifest = _validate(_parse(content), part)
    manifest = with_defaults(manifest, part)
    check_program(submission, manifest, part)
    return manifest, observations


def _absent(submission: Submission, part: Part) -> str:
    near = [path for path in submission.paths if path.rpartition("/")[2].lower().startswith("submission.t")]
    found = f" (there is {shown(near[0])}, which is not read)" if near else ""
    return f"There is no {FILE} at the top{found}; the program is started as the kit does it: {in_words(part)}."


def _parse(content: bytes) -> dict[str, Any]:
    if len(content) > _LARGEST:
        raise _refused(f"is larger than {readable(_LARGEST)}", "Keep to the few lines that the kit's file has.")
    try:
        text = content.decode("utf-8-sig")  # Windows editors put a mark in front
    except UnicodeDecodeError as error:
        raise _refused("is not UTF-8 text", "Save it again with the encoding UTF-8.") from error
    if text.count(".") > _MOST_DOTS:
        raise _refused(f"holds more than {_MOST_DOTS} dots", "Keep to the few lines that the kit's file has.")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refused(
            f"is not valid TOML: {visible(str(error))}", "Compare it with the file that came with the kit."
        ) from error
    except (ValueError, RecursionError) as error:
        raise _refused(
            "holds a number that is too long, or values inside each other too deep",
            "Compare it with the file that came with the kit.",
        ) from error


def _refused(what: str, hint: str) -> SubmissionRejected:
    return SubmissionRejected(Rejection.MANIFEST, f"{FILE} {what}.", hint=hint)


def _validate(values: dict[str, Any], part: Part) -> SubmissionManifest:
    try:
        return SubmissionManifest.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        # An unknown key is most likely a misspelt one, and then the reason for the rest.
        details.sort(key=lambda each: each["type"] != "extra_forbidden")
        first = _explain(details[0], part)
        more = f" There is more wrong with it ({len(details) - 1})." if len(details) > 1 else ""
        raise SubmissionRejected(Rejection.MANIFEST, first.message, hint=first.hint + more) from error


def _explain(detail: ErrorDetails, part: Part) -> SubmissionRejected:
    location = [str(each) for each in detail["loc"] if isinstance(each, str)]
    key = shown(".".join(location))
    kind = detail["type"]
    if kind == "extra_forbidden":
        known = _known_keys(location[:-1])
        near = difflib.get_close_matches(location[-1], known, n=1)
        meant = f"Did you mean {near[0]!r}? " if near else ""
        return _refused(f"has the unknown key {key}", f"{meant}Known here: {', '.join(known)}.")
    allowed = allowed_values(part, location)
    if allowed is not None:
        return _refused(f"has a value for {key} that cannot be used", allowed)
    if kind in ("model_type", "model_attributes_type"):
        return _refused(f"gives {key} a value of its own", f"Write it as a section: [{'.'.join(location)}].")
    return _refused(f"has a value for {key} that cannot be used", f"{_allowed(detail)}.")


def _allowed(detail: ErrorDetails) -> str:
    if detail["type"] == "string_too_long":
        return f"Write at most {detail['ctx']['max_length']} characters"
    if detail["type"] == "missing":
        return "It must be given when its section is there"
    return "Write one text in quotes, of one line"


def _known_keys(location: list[str]) -> list[str]:
    """Return the keys of a section, the empty location being the whole file."""
    model: type[BaseModel] = SubmissionManifest
    for name in location:
        annotation = model.model_fields[name].annotation
        choices = get_args(annotation) or (annotation,)  # "Section | None", or "Section"
        model = next(each for each in choices if isinstance(each, type) and issubclass(each, BaseModel))
    return list(model.model_fields)
