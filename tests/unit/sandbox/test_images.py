"""Image names: a digest of all that goes in, and of nothing else."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

import grimp
import pytest

from grader.errors import ImageMissing, InfrastructureFault
from grader.sandbox.images import make_cache_folder, read_build, write_context
from grader.sandbox.port import Role
from grader.sandbox.recipes import ROOT, SOURCES, Recipe, read_recipe, recipes


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of everything that images are made from."""
    for name in ("docker", "requirements", "grader"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def checker(root: Path) -> Recipe:
    return read_recipe(Role.CHECKER, "amd64", root)


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("docker/base.sh", "base runtime-packages checker-packages image"),
        ("docker/runtime-packages.Dockerfile", "runtime-packages checker-packages image"),
        ("requirements/runtime-image.txt", "runtime-packages checker-packages image"),
        ("docker/checker-packages.Dockerfile", "checker-packages image"),
        ("requirements/checker-image.txt", "checker-packages image"),
        ("docker/checker.Dockerfile", "image"),
        ("grader/checker/main.py", "image"),
        ("grader/model/sheet.py", "image"),
        ("grader/frames.py", "image"),
        ("docker/runtime.Dockerfile", ""),
        ("grader/wiring.py", ""),
    ],
)
def test_a_name_changes_with_what_goes_in(repository: Path, file: str, changed: str) -> None:
    before = checker(repository)
    with (repository / file).open("a") as open_file:
        open_file.write("\n# changed\n")
    names = ("base", "runtime-packages", "checker-packages", "image")
    pairs = zip(names, before.all_tags, checker(repository).all_tags, strict=True)
    assert " ".join(name for name, old, new in pairs if old != new) == changed


def test_the_checkers_packages_stand_on_the_runtimes() -> None:
    runtime, of_checker = recipes("amd64")
    assert of_checker.packages_tags[0] == runtime.packages_tags[0]
    assert runtime.pinned.items() < of_checker.pinned.items()
    assert b"pandas==" not in of_checker.packages[1].lock


def test_a_renamed_file_changes_the_name(repository: Path) -> None:
    before = checker(repository).tag
    (repository / "grader/checker/main.py").rename(repository / "grader/checker/main2.py")
    assert checker(repository).tag != before


def test_another_architecture_has_another_name() -> None:
    assert {recipe.tag for recipe in recipes("amd64")}.isdisjoint(recipe.tag for recipe in recipes("arm64"))


def test_bytecode_of_this_machine_changes_nothing(repository: Path) -> None:
    before = checker(repository).tag
    (repository / "grader/checker/__pycache__").mkdir()
    (repository / "grader/checker/__pycache__/x.pyc").touch()
    assert checker(repository).tag == before


def test_a_missing_repository_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageMissing, match=r"base\.sh"):
        checker(tmp_path)


@pytest.mark.parametrize(("role", "entry"), [(Role.SUBMISSION, "agent"), (Role.CHECKER, "checker")])
def test_all_that_the_program_inside_imports_is_copied(role: Role, entry: str) -> None:
    graph = grimp.build_graph("grader", exclude_type_checking_imports=True, cache_dir=None)
    inside = {module for module in graph.modules if module.startswith(f"grader.{entry}.")}
    needed = inside.union(*(graph.find_upstream_modules(module) for module in inside))
    copied = {f"grader.{name.removesuffix('.py')}" for name in SOURCES[role]} | {"grader"}
    assert {m for m in needed if ".".join(m.split(".")[:2]) not in copied} == set()


def test_nothing_of_the_checker_gets_into_the_submissions_image() -> None:
    runtime, _ = recipes("amd64")
    assert {name.split("/")[1] for name in runtime.sources} == {"__init__.py", "frames.py", "agent"}


def test_a_context_holds_just_what_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "wheel").write_bytes(b"abc")
    target = io.BytesIO()
    write_context(target, {"wheels/a.whl": tmp_path / "wheel", "Dockerfile": b"FROM x"})
    with tarfile.open(fileobj=target) as archive:
        content = {entry.name: (entry.uid, entry.mtime, entry.mode, archive.extractfile(entry)) for entry in archive}
    assert list(content) == ["Dockerfile", "wheels/a.whl"]
    assert {values[:3] for values in content.values()} == {(0, 0, 0o644)}


def test_a_build_that_worked_says_nothing() -> None:
    assert read_build([{"stream": "Step 1\n"}, {"aux": {"ID": "sha256:1"}}]) == ""


def test_a_build_that_failed_ends_with_what_it_printed_last() -> None:
    events = [{"stream": f"line {number}\n"} for number in range(100)]
    failure = read_build([*events, {"error": "the command returned 1"}])
    assert failure.startswith("the command returned 1")
    assert "line 99" in failure
    assert "line 10\n" not in failure


def test_a_cache_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InfrastructureFault, match="file/cache cannot be written") as caught:
        make_cache_folder(tmp_path / "file" / "cache")
    assert "GRADER_CACHE_DIR" in caught.value.hint
