"""submission.toml: what is understood, and what is said about the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SubmissionRejected
from grader.intake.manifest import read_manifest
from grader.model.exercise import CommandPart
from grader.model.reasons import Rejection
from grader.model.submission import Submission, SubmissionFile

PART = CommandPart(kind="command", argv=("python", "clean.py"), entry="clean.py")
CLEAN = SubmissionFile(path="clean.py", content=b"not python (")


def declaring(toml: str | bytes, *more: SubmissionFile) -> Submission:
    content = toml.encode() if isinstance(toml, str) else toml
    file = SubmissionFile(path="submission.toml", content=content)
    return Submission(label="work", files=(CLEAN, file, *more), digest="")


def refusal(toml: str | bytes) -> SubmissionRejected:
    with pytest.raises(SubmissionRejected) as caught:
        read_manifest(declaring(toml), PART)
    assert caught.value.reason is Rejection.MANIFEST
    assert caught.value.message.startswith("submission.toml ")
    assert caught.value.hint
    return caught.value


def test_everything_that_may_be_said_is_read() -> None:
    toml = (
        '[command]\nargv = ["python", "-u", "clean.py"]\n[declaration]\nai_use = "none"\n[notebook]\npath = "n.ipynb"\n'
    )
    manifest, observations = read_manifest(declaring(toml), PART)
    assert manifest.command is not None
    assert manifest.command.argv == ("python", "-u", "clean.py")
    assert manifest.declaration.ai_use == "none"
    assert manifest.notebook is not None
    assert observations == ()


@pytest.mark.parametrize("toml", ["", "# nothing\r\n", "\ufeff[declaration]\n"])
def test_what_is_left_out_takes_the_exercises_value(toml: str) -> None:
    manifest, _ = read_manifest(declaring(toml), PART)
    assert manifest.command is not None
    assert manifest.command.argv == PART.argv


def test_no_file_at_all_is_noted_and_not_refused() -> None:
    manifest, (fact,) = read_manifest(Submission(label="work", files=(CLEAN,), digest=""), PART)
    assert manifest.command is not None
    assert manifest.command.argv == PART.argv
    assert "python clean.py" in fact


def test_a_misspelt_file_name_is_noted() -> None:
    wrong = SubmissionFile(path="Submission.toml", content=b"")
    _, (fact,) = read_manifest(Submission(label="work", files=(wrong, CLEAN), digest=""), PART)
    assert "'Submission.toml'" in fact


@pytest.mark.parametrize(
    ("toml", "key", "meant"),
    [
        ('[comand]\nargv = ["x"]', "'comand'", "'command'"), ('[command]\nagrv = ["x"]', "'command.agrv'", "'argv'"),
        ('[declaration]\nai_usage = "x"', "'declaration.ai_usage'", "'ai_use'"),
        ('[notebook]\nfile = "x"', "'notebook.file'", "Known here: path"), ("x = 1", "'x'", "Known here: command"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_named_with_the_nearest(toml: str, key: str, meant: str) -> None:
    said = refusal(toml)
    assert f"unknown key {key}" in said.message
    assert meant in said.hint


@pytest.mark.parametrize(
    "argv",
    [
        '"python clean.py"', "[]", "[1]", '["python\\u0000"]', '["a\\nb"]', '["\\u001b[31m"]', "{a = 1}", "true",
        f'["{"x" * 201}"]', "[" + '"x",' * 21 + "]",
    ],
)  # fmt: skip
def test_an_argv_that_cannot_be_run_is_refused_with_an_example(argv: str) -> None:
    said = refusal(f"[command]\nargv = {argv}")
    assert "'command.argv'" in said.message
    assert 'argv = ["python", "clean.py"]' in said.hint


@pytest.mark.parametrize(
    ("toml", "key", "allowed"),
    [
        ('command = "python clean.py"', "'command'", "[command]"), ("[declaration]\nai_use = 3", "ai_use'", "one text"),
        (f'[declaration]\nai_use = "{"x" * 2001}"', "ai_use'", "2000"),
        ('[notebook]\npath = "a\\nb"', "path'", "one line"),
        ("[[notebook]]", "'notebook'", "[notebook]"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_what_is_allowed(toml: str, key: str, allowed: str) -> None:
    said = refusal(toml)
    assert key in said.message
    assert allowed in said.hint


def test_several_faults_are_counted_and_the_unknown_key_comes_first() -> None:
    said = refusal("[command]\nagrv = 1\n[declaration]\nai_use = 1")
    assert "agrv" in said.message
    assert said.hint.endswith("There is more wrong with it (2).")


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[command\nargv", "at line 1"), ("a = 1\na = 2", "not valid TOML"), ("a = " + "[" * 5000, "too deep"),
        ("a = " + "9" * 5000, "too long"), ("a.b" * 9, "not valid TOML"), (b"\xff\xfea\0", "not UTF-8"),
        ("#" * 65_537, "64.0 KiB"),
    ],
)  # fmt: skip
def test_what_is_not_toml_is_refused(toml: str | bytes, said: str) -> None:
    assert said in refusal(toml).message


@pytest.mark.parametrize(
    "toml", [f"[{'a.' * 16_000}k]\n{'b = 1' * 9}", "a." * 32_000 + "a = 1", "'a'." * 300 + "a = 1"]
)
def test_keys_that_would_take_a_minute_to_parse_are_refused_first(toml: str) -> None:
    assert "dots" in refusal(toml).message


@given(st.binary(max_size=200) | st.text("[]{}\"'=.,\n#abc019-\\", max_size=200).map(str.encode))
def test_noise_is_read_or_rejected(noise: bytes) -> None:
    try:
        read_manifest(declaring(noise), PART)
    except SubmissionRejected as error:
        rejection = error
    else:
        return
    assert rejection.reason in (Rejection.MANIFEST, Rejection.ENTRY_MISSING)


def test_the_program_must_be_there() -> None:
    with pytest.raises(SubmissionRejected) as caught:
        read_manifest(declaring('[command]\nargv = ["python", "claen.py"]'), PART)
    assert caught.value.reason is Rejection.ENTRY_MISSING
    assert "'clean.py'" in caught.value.hint
