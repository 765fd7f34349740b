"""Which file a command starts, and what is said when it is not there."""

from __future__ import annotations

import pytest

from grader.errors import SubmissionRejected
from grader.intake.entry import check_entry, entry_file
from grader.model.reasons import Rejection
from grader.model.submission import Submission, SubmissionFile

USUAL = ("python", "clean.py")


def holding(*paths: str) -> Submission:
    return Submission(label="work", files=tuple(SubmissionFile(path=path, content=b"") for path in paths), digest="")


PRESENT = ("clean.py", "src/clean.py", "pkg/clean.py", "pkg/__main__.py", "__main__.py", "run.sh", "bin/run", "x.sql")


@pytest.mark.parametrize(
    ("command", "entry"),
    [
        ("python clean.py", "clean.py"), ("python3.13 -u -B ./src/clean.py --fast", "src/clean.py"),
        ("python -W ignore -X utf8 clean.py", "clean.py"), ("python -Wignore clean.py", "clean.py"),
        ("python --check-hash-based-pycs always clean.py", "clean.py"), ("python .", "__main__.py"),
        ("./run.sh x", "run.sh"), ("bin/run", "bin/run"), ("bash -e run.sh", "run.sh"),
        ("/usr/bin/python3 clean.py", "clean.py"), ("clean.py", "clean.py"),
    ],
)  # fmt: skip
def test_the_entry_is_the_file_that_the_command_starts(command: str, entry: str) -> None:
    assert entry_file(holding(*PRESENT), command.split()) == (entry, False)


@pytest.mark.parametrize(
    ("command", "entry"),
    [
        ("python -m pkg.clean", "pkg/clean.py"), ("python -um pkg", "pkg/__main__.py"),
        ("python -mpkg", "pkg/__main__.py"),
    ],
)  # fmt: skip
def test_the_entry_may_be_a_module(command: str, entry: str) -> None:
    assert entry_file(holding(*PRESENT), command.split()) == (entry, True)


@pytest.mark.parametrize(
    "command",
    [
        "python -c print(1)", "python -Ic print(1)", "python -", "python", "python -m", "bash -c run.sh",
        "duckdb -init x.sql", "python other.py",
    ],
)  # fmt: skip
def test_a_command_may_start_nothing_of_the_submission(command: str) -> None:
    assert entry_file(holding(*PRESENT), command.split()) is None


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("python clean.py", "clean.py"), ("python -m pkg.clean", "pkg/clean.py"), ("python -m pkg", "pkg/__main__.py"),
        ("python pkg", "pkg/__main__.py"), ("python .", "__main__.py"), ("bash run.sh", "run.sh"),
        ("python -m runpy clean", "other.py"), ("duckdb", "other.sql"), ("bash -euo pipefail run.sh", "run.sh"),
        ("bash -o pipefail -e run.sh", "run.sh"), ("bash --norc -- run.sh", "run.sh"), ("sh +e -u run.sh", "run.sh"),
        ("bash --rcfile x.sh run.sh", "run.sh"), ("bash -e -c other.py", "run.py"), ("bash -s x", "run.sh"),
    ],
)  # fmt: skip
def test_an_entry_that_is_there_passes(command: str, path: str) -> None:
    check_entry(holding(path), command.split(), USUAL)


@pytest.mark.parametrize(
    "argv", [["python", "/etc/x.py"], ["python", "../x.py"], ["a/../../x"], ["clean.py"], ["./clean.py"]]
)
def test_a_command_that_can_never_be_right_is_refused(argv: list[str]) -> None:
    with pytest.raises(SubmissionRejected) as caught:
        check_entry(holding("clean.py"), argv, USUAL)
    assert caught.value.reason is Rejection.MANIFEST
    assert '["python", "clean.py"]' in caught.value.hint


@pytest.mark.parametrize(
    ("present", "said"),
    [
        ("Clean.py", "There is 'Clean.py': capitals count"), ("src/clean.py", "There is 'src/clean.py': move it"),
        ("clean_.py", "Did you mean 'clean_.py'?"), ("README.md", "The submission holds README.md."),
    ],
)  # fmt: skip
def test_a_missing_entry_is_named_with_the_nearest(present: str, said: str) -> None:
    with pytest.raises(SubmissionRejected) as caught:
        check_entry(holding(present), USUAL, USUAL)
    assert caught.value.reason is Rejection.ENTRY_MISSING
    assert caught.value.message == "'clean.py' is not in the submission, but 'python clean.py' needs it."
    assert caught.value.hint.startswith(said)


def test_a_missing_module_names_both_places() -> None:
    with pytest.raises(SubmissionRejected, match=r"'pkg/clean.py' or 'pkg/clean/__main__.py' is not"):
        check_entry(holding("clean.py"), ["python", "-m", "pkg.clean"], USUAL)


def test_a_long_listing_is_cut() -> None:
    with pytest.raises(SubmissionRejected) as caught:
        check_entry(holding(*(f"f{number:02}.csv" for number in range(14)), "lib/a", "lib/b"), USUAL, USUAL)
    assert caught.value.hint.endswith("f09.csv and 5 more.")
