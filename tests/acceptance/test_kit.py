"""Kits through the real command line: what a candidate does with one, from the first check to the receipt."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib import util
from pathlib import Path
from types import ModuleType

import pytest

from grader.catalog.exercises import load_exercise
from grader.catalog.kit_files import SECCOMP
from grader.catalog.leaks import find_leaks
from grader.sandbox.docker_engine import Engine
from grader.sandbox.hardening import container_body, differences, load_profile
from grader.sandbox.port import BoxSpec, Role
from tests.acceptance.conftest import Done, Grader
from tests.conftest import TINY

pytestmark = pytest.mark.docker

Write = Callable[..., Path]
EXERCISES = TINY.parents[2] / "exercises"
ALL = sorted(
    path.parent.parent for path in EXERCISES.glob("*/template/checks") if (path.parents[1] / "exercise.toml").is_file()
)


@pytest.fixture(scope="session")
def kits(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Kits as `grader kit` writes them, each made once."""
    folder = tmp_path_factory.mktemp("kits")

    def make(exercise: str) -> Path:
        if not (folder / exercise).exists():
            command = [sys.executable, "-m", "grader.cli.main", "kit", exercise, str(folder / exercise)]
            subprocess.run([*command, "--candidate", "Ada L."], env=environment, check=True, capture_output=True)
        return folder / exercise

    return make


@pytest.fixture
def kit(kits: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """A kit that may be changed."""
    return lambda exercise: Path(shutil.copytree(kits(exercise), tmp_path / "kit"))


def tool(kit: Path, name: str, *arguments: str, **variables: str) -> Done:
    """Start a tool of a kit as a candidate does."""
    command = [sys.executable, f"tools/{name}.py", *arguments]
    done = subprocess.run(
        command, cwd=kit, env=os.environ | variables, capture_output=True, text=True, timeout=300, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("source", ALL, ids=lambda path: path.name)
def test_no_kit_gives_anything_away(kits: Callable[[str], Path], environment: dict[str, str], source: Path) -> None:
    kit = kits(source.name)
    data = next(Path(environment["GRADER_CACHE_DIR"], "variants").glob(f"{source.name}-public-*"))
    assert find_leaks(kit, load_exercise(source), source, data) == ()


@pytest.mark.parametrize("source", ALL, ids=lambda path: path.name)
def test_a_brief_says_how_long_and_what_is_not_graded(kits: Callable[[str], Path], source: Path) -> None:
    brief = (source / "brief.md").read_text()
    assert "\n## Time\n" in brief
    assert "\n**Not graded:** " in brief
    assert "Ada L." in (kits(source.name) / "README.md").read_text()


@pytest.mark.parametrize("source", ALL, ids=lambda path: path.name)
def test_the_stub_can_be_packed_and_graded(grader: Grader, kit: Callable[[str], Path], source: Path) -> None:
    folder = kit(source.name)
    assert grader("preflight", source.name, folder).status == 0
    assert tool(folder, "pack").status == 0
    receipt = grader("preflight", source.name, folder / "submission.zip", "--json")
    assert (receipt.status, receipt.data["gradable"]) == (0, True)
    assert load_exercise(source).manifest.part.entry_path in receipt.data["paths"]


@pytest.mark.slow
@pytest.mark.parametrize("source", ALL, ids=lambda path: path.name)
def test_the_reference_passes_the_public_checks_in_the_box(kit: Callable[[str], Path], source: Path) -> None:
    folder = kit(source.name)
    shutil.copytree(source / "solutions" / "reference", folder, dirs_exist_ok=True)
    done = tool(folder, "box_check", "-q")
    assert done.status == 0, done.out + done.err
    assert " passed" in done.out


SPY = """
import os, pathlib

def test_walls():
    assert os.getuid() == 65534
    assert pathlib.Path.cwd() == pathlib.Path("/work/submission")
    for name in ("/", "/opt", "/etc"):
        assert not os.access(name, os.W_OK)
    lines = pathlib.Path("/proc/net/dev").read_text().splitlines()[2:]
    assert [line.partition(":")[0].strip() for line in lines] == ["lo"]
    assert "CANARY" not in os.environ

def test_memory():
    bytearray(3 * 2**30)
"""


def test_a_box_of_a_kit_has_walls_and_limits(kit: Callable[[str], Path]) -> None:
    folder = kit("tiny_sum")
    (folder / "checks").mkdir()
    (folder / "checks" / "test_spy.py").write_text(SPY)
    done = tool(folder, "box_check", "-q", "-k", "walls", CANARY="1")
    assert (done.status, "1 passed" in done.out) == (0, True), done.out
    done = tool(folder, "box_check", "-q", "-k", "memory")
    assert (done.status, "more than 0.25 GiB" in done.err) == (2, True), done.out + done.err
    left = subprocess.run(
        ["docker", "ps", "--all", "--quiet", "--filter", "name=kit-check-"], capture_output=True, check=True
    )
    assert left.stdout == b""


def load_tool(kit: Path) -> ModuleType:
    spec = util.spec_from_file_location("box_check", kit / "tools" / "box_check.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_walls_are_those_of_grading(kits: Callable[[str], Path], engine: Engine) -> None:
    """What Docker makes of box_check's options is compared with what grading asks its boxes to be."""
    kit = kits("tiny_sum")
    box = tomllib.loads((kit / "kit.toml").read_text())["box"]
    walls = load_tool(kit).walls(box, 64)
    create = ["docker", "create", "--interactive", *walls, "--entrypoint=/opt/venv/bin/python", box["image"]]
    made = subprocess.run(create, capture_output=True, text=True, check=True).stdout.strip()
    try:
        inspected = engine.api.inspect_container(made)
        image = engine.api.inspect_image(box["image"])
    finally:
        subprocess.run(["docker", "rm", "--force", made], capture_output=True, check=True)
    assert image["Id"] == box["digest"]
    limits = load_exercise(TINY).manifest.limits
    spec = BoxSpec(role=Role.SUBMISSION, image=image["Id"], limits=limits.submission, run="0" * 32, seconds=60)
    asked = container_body(
        spec, image=image, profile=load_profile(SECCOMP), runtime="runc", labels={}, cpus=64, swap_limit=True
    )
    # How it is started differs on purpose: checks run in place of the agent.
    found = {line.partition(":")[0] for line in differences(asked, inspected)}
    assert found <= {"Config.Entrypoint", "Config.Env", "Config.Image", "HostConfig.SecurityOpt"}
    asked_profile = [
        json.loads(each.partition("=")[2]) for each in asked["HostConfig"]["SecurityOpt"] if "seccomp" in each
    ]
    made_profile = [
        json.loads(each.partition("=")[2]) for each in inspected["HostConfig"]["SecurityOpt"] if "seccomp" in each
    ]
    assert made_profile == asked_profile


def test_without_the_image_it_says_what_to_ask_for(kit: Callable[[str], Path]) -> None:
    folder = kit("tiny_sum")
    text = (folder / "kit.toml").read_text()
    name = tomllib.loads(text)["box"]["image"]
    (folder / "kit.toml").write_text(text.replace(name, "grader-runtime:ffffffffffff"))
    done = tool(folder, "box_check")
    assert (done.status, done.out) == (2, "")
    assert "docker save --output image.tar grader-runtime:ffffffffffff" in done.err
    assert "docker load --input image.tar" in done.err


def test_without_docker_it_points_at_the_plain_checks(kit: Callable[[str], Path], tmp_path: Path) -> None:
    folder = kit("tiny_sum")
    done = tool(folder, "box_check", PATH=str(tmp_path / "nowhere"))
    assert (done.status, "make check" in done.err) == (2, True)
    done = tool(folder, "box_check", DOCKER_HOST=f"unix://{tmp_path}/nobody.sock")
    assert (done.status, "Docker does not answer" in done.err) == (2, True)


def test_make_has_a_target_for_everything_that_the_readme_names(kits: Callable[[str], Path]) -> None:
    kit = kits("clean_parquet")
    shown = subprocess.run(["make", "help"], cwd=kit, capture_output=True, text=True, check=True).stdout
    for target in ("setup", "check", "notebook", "box-check", "pack"):
        assert f"make {target} " in shown
        assert f"`make {target}`" in (kit / "README.md").read_text()


def test_preflight_gives_a_receipt_and_no_score(grader: Grader, submission: Write) -> None:
    good = grader("preflight", "tiny_sum", submission(), "--json")
    assert (good.status, good.data["gradable"], good.data["files"]) == (0, True, 2)
    bad = grader("preflight", "tiny_sum", submission("bob", {"add.py": "import pyspark\n"}), "--json")
    assert (bad.status, bad.data["gradable"], bad.data["reason"]) == (3, False, "missing_package")
    assert "pyspark" in bad.data["message"]
    assert bad.data["digest"] != good.data["digest"]


def test_a_receipt_can_be_read(grader: Grader, submission: Write) -> None:
    good = grader("preflight", "tiny_sum", submission())
    assert good.out.startswith("Gradable\n")
    for words in ("receipt  20", "will be run  python add.py", "not a score"):
        assert words in good.out
    bad = grader("preflight", "tiny_sum", submission("bob", {"add.py": "\x1b[2J(\n"}))
    assert (bad.status, bad.out.startswith("Not gradable\n")) == (3, True)
    assert "\x1b" not in bad.out
    assert "add.py line 1" in bad.out
