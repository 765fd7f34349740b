"""The images as they are: built for real, looked at from inside."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from grader.config import Settings
from grader.errors import ImageMissing
from grader.sandbox.docker_engine import Engine
from grader.sandbox.doctor import gather, remove_images
from grader.sandbox.images import (
    LABEL_PACKAGES,
    Images,
    build_image,
    ensure_images,
    find_images,
    image_id,
    locked_packages,
)
from grader.sandbox.port import Role
from grader.sandbox.recipes import recipes

pytestmark = pytest.mark.docker

# Distribution → module, where they differ; what the guides promise to candidates and to authors of checks.
MODULES = {"scikit-learn": "sklearn.ensemble", "xgboost-cpu": "xgboost", "statsmodels": "statsmodels.api"}
LISTED = Path(__file__).resolve().parents[3] / "requirements"


@pytest.fixture(scope="session")
def images(engine: Engine) -> Images:
    return ensure_images(engine, Settings(), print)


@pytest.fixture(params=["runtime", "checker"])
def image(request: pytest.FixtureRequest, images: Images) -> str:
    return str(getattr(images, request.param))


def inside(engine: Engine, image: str, *command: str) -> str:
    """Run a command as boxes run theirs: no network, nothing writable but /tmp."""
    return (
        engine.client.containers.run(
            image,
            list(command[1:]),
            entrypoint=command[0],
            network_mode="none",
            read_only=True,
            tmpfs={"/tmp": "size=64m"},
            environment={"MPLCONFIGDIR": "/tmp"},
            remove=True,
        )
        .decode()
        .strip()
    )


def python(engine: Engine, image: str, program: str) -> str:
    return inside(engine, image, "/opt/venv/bin/python", "-I", "-c", program)


def test_a_second_call_does_nothing_and_is_quick(engine: Engine, images: Images) -> None:
    started = time.monotonic()
    assert ensure_images(engine, Settings(), pytest.fail) == images == find_images(engine)
    assert time.monotonic() - started < 5


def test_holds_no_setuid_program(engine: Engine, image: str) -> None:
    found = "find / -xdev -type f -perm /6000 2>/dev/null || true"
    assert inside(engine, image, "sh", "-c", found) == ""


def test_holds_neither_pip_nor_wheels_nor_caches(engine: Engine, image: str) -> None:
    assert inside(engine, image, "sh", "-c", "ls -d /wheels /root/.cache /opt/venv/bin/pip* 2>/dev/null || true") == ""
    assert python(engine, image, "import importlib.util as u; print(u.find_spec('pip'))") == "None"


def test_holds_no_address_of_this_machines_mirrors(engine: Engine, image: str) -> None:
    found = "find /etc/apt -type f -exec grep -lE '^(deb|URIs|Acquire::https?::Proxy)' {} + 2>/dev/null || true"
    assert inside(engine, image, "sh", "-c", found) == ""


@pytest.mark.parametrize("role", list(Role))
def test_holds_just_the_pinned_packages(engine: Engine, images: Images, role: Role) -> None:
    image = images.runtime if role is Role.SUBMISSION else images.checker
    program = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    found = {
        name.lower().replace("_", "-"): version for name, version in json.loads(python(engine, image, program)).items()
    }
    labelled = json.loads(engine.client.images.get(image).labels[LABEL_PACKAGES])
    assert found == locked_packages(role) == labelled


@pytest.mark.parametrize("name", ["runtime", "checker"])
def test_every_promised_package_can_be_imported(engine: Engine, images: Images, name: str) -> None:
    lines = (LISTED / f"{name}-image.in").read_text().splitlines()
    modules = [MODULES.get(line, line) for line in lines if line and not line.startswith("#")]
    assert python(engine, getattr(images, name), f"import {', '.join(modules)}; print('fine')") == "fine"


def test_bytecode_is_there_for_all_that_can_be_compiled(engine: Engine, image: str) -> None:
    program = """
import ast, importlib.util, json, pathlib, warnings
warnings.simplefilter("ignore")
lacking = [p for top in ("/opt/venv/lib", "/opt/more", "/opt/grader") for p in pathlib.Path(top).rglob("*.py")
           if not pathlib.Path(importlib.util.cache_from_source(p)).exists()]
def compiles(path):
    try:
        return bool(ast.parse(path.read_bytes()))
    except SyntaxError:
        return False
print([str(p) for p in lacking if compiles(p)])
"""
    assert python(engine, image, program) == "[]"


def test_runs_as_nobody_with_a_fixed_program(engine: Engine, image: str) -> None:
    config = engine.api.inspect_image(image)["Config"]
    assert config["User"] == "65534:65534"
    assert config["Entrypoint"][:2] == ["/opt/venv/bin/python", "-I"]
    assert {variable.split("=")[0] for variable in config["Env"]} >= {"PATH", "LANG"}
    assert config["Healthcheck"] == {"Test": ["NONE"]}


def test_a_submission_does_not_find_our_agent_on_its_path(engine: Engine, images: Images) -> None:
    assert python(engine, images.runtime, "import importlib.util as u; print(u.find_spec('grader'))") == "None"


def test_the_agents_path_takes_nothing_from_where_it_is_started(engine: Engine, images: Images) -> None:
    entrypoint = engine.api.inspect_image(images.runtime)["Config"]["Entrypoint"]
    program = entrypoint[-1].split("from grader")[0] + "print(sys.path[0], '' in sys.path, '/tmp' in sys.path)"
    command = ["env", "PYTHONPATH=/tmp", *entrypoint[:-1], program]
    assert inside(engine, images.runtime, *command) == "/opt/grader False False"


def test_a_build_that_fails_leaves_no_image_and_says_why(engine: Engine, images: Images) -> None:
    recipe = replace(
        recipes(engine.version.arch)[0], dockerfile=b"ARG BELOW\nFROM ${BELOW}\nRUN echo flooded; exit 3\n"
    )
    with pytest.raises(ImageMissing, match=r"(?s)code: 3.*flooded"):
        build_image(engine, Settings(), recipe, lambda _: None)
    assert image_id(engine, recipe.tag) is None


def test_builds_have_no_network(engine: Engine, images: Images) -> None:
    dockerfile = b"ARG BELOW\nFROM ${BELOW}\nRUN test $(wc -l </proc/net/route) -gt 1\n"
    recipe = replace(recipes(engine.version.arch)[0], dockerfile=dockerfile)
    with pytest.raises(ImageMissing, match="code: 1"):
        build_image(engine, Settings(), recipe, lambda _: None)


def test_images_of_older_sources_are_found_and_removed(engine: Engine, images: Images) -> None:
    old = "grader-checker:000000000000"
    engine.client.images.get(images.checker).tag(old)
    facts = gather(Settings())
    assert old in facts.outdated
    assert facts.missing == ()
    assert remove_images(engine, [old]) == [f"removed the image {old}"]
    assert find_images(engine) == images
