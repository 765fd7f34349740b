"""Finding an engine, and turning every foreign error into one of ours."""

from __future__ import annotations

import errno
import inspect
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import docker.errors
import pytest
import requests
import urllib3.exceptions

from grader.config import Settings
from grader.errors import BoxLost, EngineUnavailable, ImageMissing, InfrastructureFault
from grader.sandbox import docker_engine
from grader.sandbox.docker_engine import TRANSLATIONS, connect, locate, translate, translation

SDK_ERRORS = [kind for _, kind in inspect.getmembers(docker.errors, inspect.isclass) if issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", SDK_ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_of_the_sdk_is_mapped_by_name(kind: type[Exception]) -> None:
    assert kind in TRANSLATIONS


@pytest.mark.parametrize("module", [requests.exceptions, urllib3.exceptions], ids=lambda module: module.__name__)
def test_every_error_of_the_http_libraries_is_mapped(module: ModuleType) -> None:
    members = [kind for _, kind in inspect.getmembers(module, inspect.isclass) if kind.__module__ == module.__name__]
    kinds = [kind for kind in members if issubclass(kind, Exception)]
    assert len(kinds) > 10
    unmapped = [kind for kind in kinds if not issubclass(kind, (Warning, *TRANSLATIONS))]
    assert unmapped == []


@pytest.mark.parametrize(
    ("raised", "becomes"),
    [
        (docker.errors.ImageNotFound("no such image: x"), ImageMissing),
        (docker.errors.NotFound("no such container: x"), BoxLost),
        (docker.errors.BuildError("the command failed", []), ImageMissing),
        (docker.errors.ContextNotFound("there"), EngineUnavailable),
        (docker.errors.DockerException("Error while fetching server API version"), EngineUnavailable),
        (requests.exceptions.ConnectionError("refused"), EngineUnavailable),
        (urllib3.exceptions.ProtocolError("cut off"), EngineUnavailable),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), EngineUnavailable),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_becomes_the_nearest_of_ours(raised: Exception, becomes: type[InfrastructureFault]) -> None:
    with pytest.raises(becomes, match="starting a box") as caught, translate("starting a box"):
        raise raised
    assert caught.value.__cause__ is raised
    assert caught.value.hint


@pytest.mark.parametrize(
    "raised", [requests.exceptions.ReadTimeout("x"), urllib3.exceptions.ReadTimeoutError(None, "", "x"), TimeoutError()]
)
def test_an_answer_that_never_came_is_called_that(raised: Exception) -> None:
    with pytest.raises(InfrastructureFault, match="did not answer in time"), translate("stopping"):
        raise raised


@pytest.mark.parametrize(
    "raised",
    [OSError(errno.ENOSPC, "No space left on device"), docker.errors.APIError("write /x: no space left on device")],
)
def test_a_full_disk_says_so(raised: Exception) -> None:
    with pytest.raises(InfrastructureFault) as caught, translate("building"):
        raise raised
    assert type(caught.value) is InfrastructureFault
    assert "disk" in caught.value.hint


def test_a_user_who_may_not_gets_the_command() -> None:
    with pytest.raises(EngineUnavailable) as caught, translate("connecting"):
        raise docker.errors.DockerException("x") from PermissionError(errno.EACCES, "Permission denied")
    assert "usermod -aG docker" in caught.value.hint


def test_our_own_faults_pass_through_unchanged() -> None:
    fault = BoxLost("gone")
    with pytest.raises(BoxLost) as caught, translate("anything"):
        raise fault
    assert caught.value is fault


def test_a_subclass_nobody_knows_takes_its_parents_way() -> None:
    class NewApiError(docker.errors.NotFound):
        pass

    assert translation(NewApiError("x")) is TRANSLATIONS[docker.errors.NotFound]


def test_the_setting_goes_before_the_variable() -> None:
    address, _ = locate(Settings(docker_host="tcp://a:1"), {"DOCKER_HOST": "tcp://b:2"})
    assert address == "tcp://a:1"


@pytest.fixture
def contexts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Docker configuration with one context, `far`."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    meta = tmp_path / "contexts" / "meta" / docker.context.config.get_context_id("far")
    meta.mkdir(parents=True)
    endpoint = {"docker": {"Host": "tcp://far:2375", "SkipTLSVerify": True}}
    (meta / "meta.json").write_text(json.dumps({"Name": "far", "Metadata": {}, "Endpoints": endpoint}))
    return tmp_path


def test_the_context_of_the_command_line_counts(contexts: Path) -> None:
    (contexts / "config.json").write_text('{"currentContext": "far"}')
    assert locate(Settings(), {})[0] == "tcp://far:2375"


def test_docker_context_goes_before_the_current_one(contexts: Path) -> None:
    (contexts / "config.json").write_text('{"currentContext": "elsewhere"}')
    assert locate(Settings(), {"DOCKER_CONTEXT": "far"})[0] == "tcp://far:2375"


def test_docker_host_goes_before_any_context(contexts: Path) -> None:
    assert locate(Settings(), {"DOCKER_CONTEXT": "nowhere", "DOCKER_HOST": "tcp://near:1"})[0] == "tcp://near:1"


def test_a_context_that_does_not_exist_is_no_reason_to_use_another_engine(contexts: Path) -> None:
    with pytest.raises(EngineUnavailable, match="nowhere") as caught:
        locate(Settings(), {"DOCKER_CONTEXT": "nowhere"})
    assert "docker context ls" in caught.value.hint


@pytest.mark.parametrize("host", ["unix:///nowhere.sock", "tcp://127.0.0.1:1", "nonsense"])
def test_no_engine_there(host: str) -> None:
    with pytest.raises(EngineUnavailable, match=host) as caught:
        connect(Settings(docker_host=host), environment={})
    assert caught.value.exit_code == 4
    assert caught.value.hint


def test_long_errors_are_cut_to_one_line() -> None:
    text = docker_engine._short(docker.errors.DockerException("a\nb " + "x" * 900))
    assert text.startswith("a b")
    assert len(text) == 300


class OtherService(BaseHTTPRequestHandler):
    """Answers every question with an empty JSON object."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def test_podman_is_not_taken_for_docker() -> None:
    """Both answer alike, but for the parts that they say they have."""
    parts = [{"Name": "Podman Engine", "Version": "4.3.1"}, {"Name": "Conmon", "Version": "2.1.6"}]
    podman = docker_engine._version({"Version": "4.3.1", "ApiVersion": "1.41", "Components": parts})
    docker_ = docker_engine._version({"Version": "28.0.1", "ApiVersion": "1.48", "Components": [{"Name": "Engine"}]})
    assert [(each.product, each.engine) for each in (podman, docker_)] == [("Podman", "4.3.1"), ("Docker", "28.0.1")]


def test_another_service_is_not_taken_for_an_engine() -> None:
    with HTTPServer(("127.0.0.1", 0), OtherService) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with pytest.raises(EngineUnavailable, match="is no Docker engine"):
                connect(Settings(docker_host=f"tcp://127.0.0.1:{server.server_port}"), environment={})
        finally:
            server.shutdown()
            thread.join()
