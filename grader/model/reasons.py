"""The closed lists of reasons. No text of a candidate ever becomes part of one."""

from __future__ import annotations

from enum import StrEnum


class Rejection(StrEnum):
    """Why a submission cannot be graded at all."""

    EMPTY = "empty"
    UNREADABLE = "unreadable"
    NOT_ARCHIVE = "not_archive"
    BAD_ARCHIVE = "bad_archive"
    ENCRYPTED = "encrypted"
    BOMB = "bomb"
    PATH = "path"
    LINK = "link"
    SPECIAL = "special"
    NAME = "name"
    DUPLICATE = "duplicate"
    COUNT = "count"
    TOO_LARGE = "too_large"
    URL = "url"
    MANIFEST = "manifest"
    ENTRY_MISSING = "entry_missing"
    SYNTAX_ERROR = "syntax_error"
    MISSING_PACKAGE = "missing_package"
    IMPORT_ERROR = "import_error"
    IMPORT_TIMEOUT = "import_timeout"


class Reason(StrEnum):
    """Why a check did not pass."""

    WRONG_ANSWER = "wrong_answer"
    MISSING_OUTPUT = "missing_output"
    SCHEMA = "schema"
    ID_MISMATCH = "id_mismatch"
    ROW_COVERAGE = "row_coverage"
    NON_FINITE = "non_finite"
    FORMAT = "format"
    INVALID = "invalid"
    TOO_LARGE = "too_large"
    DECODED_CAP = "decoded_cap"
    SCHEMA_CAP = "schema_cap"
    EXIT_STATUS = "exit_status"
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    OOM = "oom"
    PIDS = "pids"
    DISK = "disk"
    OUTPUT_CAP = "output_cap"
    NO_RESPONSE = "no_response"
    PROTOCOL = "protocol"
    UNSTABLE = "unstable"
    SLOW = "slow"
    MEMORY = "memory"
    INACTIVE = "inactive"
    MISSING_PART = "missing_part"
    BLOCKED = "blocked"


REJECTION_WORDS: dict[Rejection, str] = {
    Rejection.EMPTY: "The submission holds no files.",
    Rejection.UNREADABLE: "The submission could not be read.",
    Rejection.NOT_ARCHIVE: "The file is not a zip or tar archive.",
    Rejection.BAD_ARCHIVE: "The archive is damaged, was cut short, or can be read in more than one way.",
    Rejection.ENCRYPTED: "The archive is locked with a password.",
    Rejection.BOMB: "The archive unpacks to far more than its size allows.",
    Rejection.PATH: "A path in the submission could lead outside of it, or be read in two ways.",
    Rejection.LINK: "The submission holds a link; links are not accepted.",
    Rejection.SPECIAL: "The submission holds something that is neither a file nor a folder.",
    Rejection.NAME: "A name in the submission is too long, too deep, or uses characters that are not accepted.",
    Rejection.DUPLICATE: "Two files in the submission have one name, or names that some systems take for one.",
    Rejection.COUNT: "The submission holds too many files.",
    Rejection.TOO_LARGE: "The submission is too large.",
    Rejection.URL: "An address cannot be graded; hand in the files.",
    Rejection.MANIFEST: "submission.toml cannot be used.",
    Rejection.ENTRY_MISSING: "The program that should be run is not in the submission.",
    Rejection.SYNTAX_ERROR: "The program is not valid Python.",
    Rejection.MISSING_PACKAGE: "The program needs a package that is not available while grading.",
    Rejection.IMPORT_ERROR: "The program stops with an error before it begins its work.",
    Rejection.IMPORT_TIMEOUT: "The program takes too long before it begins its work.",
}

REASON_WORDS: dict[Reason, str] = {
    Reason.WRONG_ANSWER: "The result is not right, or right only in part.",
    Reason.MISSING_OUTPUT: "Something that the brief asks for is not there, such as a file.",
    Reason.SCHEMA: "The result does not have the columns, types or fields that the brief asks for.",
    Reason.ID_MISMATCH: "The result names rows that do not belong to the data.",
    Reason.ROW_COVERAGE: "The result covers too few of the rows.",
    Reason.NON_FINITE: "The result holds numbers that are not finite.",
    Reason.FORMAT: "What was written or answered is not in the format that the brief asks for.",
    Reason.INVALID: "A file that was written is damaged and cannot be read.",
    Reason.TOO_LARGE: "A file that was written is larger than accepted.",
    Reason.DECODED_CAP: "A file that was written unpacks to more than accepted.",
    Reason.SCHEMA_CAP: "A file that was written has more columns or parts than accepted.",
    Reason.EXIT_STATUS: "The program ended with another exit status than the brief asks for.",
    Reason.CRASHED: "The program crashed.",
    Reason.TIMEOUT: "The program did not finish in the time allowed.",
    Reason.OOM: "The program needed more memory than allowed and was stopped.",
    Reason.PIDS: "The program started more processes or threads than allowed.",
    Reason.DISK: "The program wrote more to disk than allowed.",
    Reason.OUTPUT_CAP: "The program printed more than accepted and was stopped.",
    Reason.NO_RESPONSE: "The program ended without giving an answer.",
    Reason.PROTOCOL: "The program interfered with how its answers are collected.",
    Reason.UNSTABLE: "The same input did not give the same result twice.",
    Reason.SLOW: "The program is slower than asked for.",
    Reason.MEMORY: "The program needs more memory than asked for.",
    Reason.INACTIVE: "Credit for making no mistakes is given only where work was done.",
    Reason.MISSING_PART: "This part was not handed in.",
    Reason.BLOCKED: "This could not be checked, because what it builds on did not work.",
}
