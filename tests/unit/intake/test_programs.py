"""What a submission of each kind starts, and what is said when it is not there."""

from __future__ import annotations

import pytest

from grader.errors import SubmissionRejected
from grader.intake.manifest import read_manifest
from grader.intake.programs import Entry, entry_of_program
from grader.model.exercise import CallablePart, CommandPart, NotebookKindPart, Part, ServicePart
from grader.model.reasons import Rejection
from grader.model.submission import Submission, SubmissionFile

COMMAND = CommandPart(kind="command", argv=("python", "clean.py"), entry="clean.py")
CALLABLE = CallablePart(kind="callable", entry="drift:DriftDetector")
SERVICE = ServicePart(kind="service", argv=("uvicorn", "app:app", "--port", "$PORT"), entry="app.py")
NOTEBOOK = NotebookKindPart(kind="notebook", path="summary.ipynb")


def handed_in(toml: str, *paths: str) -> Submission:
    files = [SubmissionFile(path=path, content=b"") for path in paths]
    files.append(SubmissionFile(path="submission.toml", content=toml.encode()))
    return Submission(label="work", files=tuple(files), digest="")


def entry(toml: str, part: Part, *paths: str) -> Entry | None:
    submission = handed_in(toml, *paths)
    return entry_of_program(submission, read_manifest(submission, part)[0])


@pytest.mark.parametrize(
    ("part", "toml", "path", "expected"),
    [
        (CALLABLE, "", "drift.py", Entry("drift.py", "drift:DriftDetector", True)),
        (CALLABLE, "", "drift/__init__.py", Entry("drift/__init__.py", "drift:DriftDetector", True)),
        (CALLABLE, '[callable]\nentry = "pkg.mod:Own"', "pkg/mod.py", Entry("pkg/mod.py", "pkg.mod:Own", True)),
        (SERVICE, "", "app.py", Entry("app.py", "app:app", False)),
        (SERVICE, '[service]\nargv = ["python", "serve.py", "$PORT"]', "serve.py", Entry("serve.py")),
        (SERVICE, '[service]\nargv = ["python", "-m", "uvicorn", "web.main:make()"]', "web/main.py",
         Entry("web/main.py", "web.main:make()", False)),
        (SERVICE, '[service]\nargv = ["python", "-m", "http.server"]', "x.txt", None),
        (NOTEBOOK, "", "summary.ipynb", None),
        (NOTEBOOK, '[notebook]\npath = "./work/mine.ipynb"', "work/mine.ipynb", None),
        (COMMAND, "", "clean.py", Entry("clean.py", "", True)),
        (COMMAND, '[command]\nargv = ["python", "-m", "clean"]', "clean.py", Entry("clean.py", "", False)),
    ],
)  # fmt: skip
def test_the_entry_is_where_the_program_begins(part: Part, toml: str, path: str, expected: Entry | None) -> None:
    assert entry(toml, part, path) == expected


@pytest.mark.parametrize(
    ("part", "toml", "reason", "said"),
    [
        (CALLABLE, "", Rejection.ENTRY_MISSING, "'drift.py' is not in the submission, but 'drift:DriftDetector'"),
        (SERVICE, "", Rejection.ENTRY_MISSING, "'app.py' is not in the submission, but 'app:app' needs it."),
        (SERVICE, '[service]\nargv = ["python", "app.py"]', Rejection.ENTRY_MISSING, "'app.py' is not in the sub"),
        (CALLABLE, '[service]\nargv = ["x"]', Rejection.MANIFEST, "has a section [service], which this exercise"),
        (CALLABLE, '[callable]\nentry = "drift.py"', Rejection.MANIFEST, "value for 'callable.entry'"),
        (SERVICE, "[service]\nargv = []", Rejection.MANIFEST, "value for 'service.argv'"),
        (
            NOTEBOOK,
            "",
            Rejection.ENTRY_MISSING,
            "'summary.ipynb' is not in the submission, but this exercise needs",
        ),
        (NOTEBOOK, "[notebook]", Rejection.ENTRY_MISSING, "'summary.ipynb' is not in the submission"),
        (NOTEBOOK, '[notebook]\npath = "no.ipynb"', Rejection.ENTRY_MISSING, "'no.ipynb' is not in the submission"),
        (NOTEBOOK, '[command]\nargv = ["x"]', Rejection.MANIFEST, "has a section [command], which this exercise"),
    ],
)
def test_what_cannot_be_started_is_refused(part: Part, toml: str, reason: Rejection, said: str) -> None:
    with pytest.raises(SubmissionRejected) as caught:
        entry(toml, part, "Drift.py.txt")
    assert caught.value.reason is reason
    assert said in caught.value.message
    assert caught.value.hint


def test_a_file_with_other_capitals_is_pointed_out() -> None:
    with pytest.raises(SubmissionRejected) as caught:
        entry("", CALLABLE, "src/Drift.py")
    assert caught.value.hint.startswith("There is 'src/Drift.py': move or rename it")
