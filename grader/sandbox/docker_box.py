"""Boxes that are Docker containers."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from grader.clock import Deadline
from grader.errors import BoxLost, EngineUnavailable, InfrastructureFault
from grader.model.run import Isolation
from grader.sandbox import cgroup, hardening, isolation, reaper
from grader.sandbox.cgroup import Cgroup
from grader.sandbox.docker_engine import Engine, freeze, translate
from grader.sandbox.failures import start_fault
from grader.sandbox.port import BoxSpec, Ending, Usage
from grader.sandbox.stream import BoxStream, DockerSocket

DRAIN_SECONDS = 0.5
SETTLE_SECONDS = 2.0
LATE_SECONDS = 2.0


class DockerSandbox:
    """Opens containers, each behind every wall of SECURITY section 3 or not at all.

    Args:
        engine: Connected; stays the caller's to close.
        runtime: OCI runtime of the boxes, by name.
        program: Runs in place of the images' own programs; for tests and probes.
    """

    def __init__(self, engine: Engine, runtime: str = "runc", *, program: tuple[str, ...] = ()) -> None:
        self._engine = engine
        self._runtime = runtime
        self._program = program
        self._profile = hardening.load_profile()
        self._floor = isolation.load_floor()
        self._info: dict[str, Any] = {}

    def open(self, spec: BoxSpec) -> DockerBox:
        """Start a box; see `port.Sandbox`.

        Raises:
            EngineUnavailable: No engine answers.
            ImageMissing: The image is not there, or cannot be started.
            InfrastructureFault: The engine did not build every wall, or failed.
        """
        name = f"grader-{spec.role}-{secrets.token_hex(8)}"
        try:
            return self._open(spec, name)
        except InfrastructureFault as fault:
            self._discard(name)
            raise start_fault(fault) from fault
        except BaseException:
            # Interrupted: the engine may still be making what this process no longer waits for.
            self._discard(name, late=Deadline(LATE_SECONDS))
            raise

    def _open(self, spec: BoxSpec, name: str) -> DockerBox:
        api: Any = self._engine.api  # the SDK's low-level calls have no types
        self._info = self._info or self._engine.info()
        self._refuse_limitless()
        with translate(f"starting the {spec.role} box"):
            body = self._body(spec, api.inspect_image(spec.image))
            container = str(api.create_container_from_config(body, name)["Id"])
            self._refuse_weak(body, api.inspect_container(container))
            stream = self._attach(container)
        try:
            with translate(f"starting the {spec.role} box"):
                api.start(container)
                inspected = api.inspect_container(container)
            # Again, because some of it (AppArmor, the runtime) is settled at the start only.
            self._refuse_weak(body, inspected)
        except BaseException:
            stream.close()
            raise
        in_files = self._runtime == hardening.GVISOR
        found = cgroup.find(int(inspected["State"].get("Pid") or 0), container, in_files=in_files)
        return DockerBox(self._engine, container, stream, self._isolation(spec, inspected), found)

    def _body(self, spec: BoxSpec, image: dict[str, Any]) -> dict[str, Any]:
        return hardening.container_body(
            spec,
            image=image,
            profile=self._profile,
            runtime=self._runtime,
            labels=reaper.labels_for(spec),
            cpus=int(self._info.get("NCPU") or 1),
            swap_limit=bool(self._info.get("SwapLimit")),
            program=self._program,
        )

    def _refuse_limitless(self) -> None:
        lacking = isolation.missing_limits(self._info)
        if lacking:
            raise InfrastructureFault(
                f"this engine cannot limit what a box uses: {', '.join(lacking)}",
                hint="Nothing was run. A rootless engine needs control groups v2 with delegation; see 'grader doctor'.",
            )

    def _refuse_weak(self, body: dict[str, Any], inspected: dict[str, Any]) -> None:
        found = hardening.differences(body, inspected)
        if found:
            raise InfrastructureFault(
                f"the engine did not build the box as asked: {'; '.join(found)}",
                hint="Nothing was run. 'grader doctor' tells what this engine can do.",
            )

    def _attach(self, container: str) -> BoxStream:
        """Connect to the box's three streams. Before it starts, so that no byte is missed."""
        wanted = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        file = self._engine.api.attach_socket(container, params=wanted)
        # Over a unix socket or TCP the SDK gives a file around the socket, over TLS the socket itself.
        connection = getattr(file, "_sock", file)
        if not isinstance(connection, socket.socket):
            raise InfrastructureFault(
                f"boxes cannot be reached over {self._engine.address}",
                hint="Use a unix:// or tcp:// address; for a machine behind ssh, forward its socket.",
            )
        # Closing the response closes what the HTTP client has built around the socket, from the outside in.
        return BoxStream(DockerSocket(connection, owner=getattr(file, "_response", file)))

    def _isolation(self, spec: BoxSpec, inspected: dict[str, Any]) -> Isolation:
        return isolation.read_back(
            product=self._engine.version.product,
            engine=self._engine.version.engine,
            runc=self._engine.version.runc,
            info=self._info,
            inspected=inspected,
            profile=self._profile,
            floor=self._floor,
            cpus=spec.limits.cpus,
        )

    def _discard(self, name: str, late: Deadline | None = None) -> None:
        """Remove a box that will not be used; never hides the reason why."""
        with contextlib.suppress(InfrastructureFault):
            while not _remove_surely(self._engine, name) and late is not None and not late.passed:
                time.sleep(0.05)


class DockerBox:
    """One running container. See `port.Box`.

    Args:
        engine: Where it runs.
        container: Its id.
        stream: Attached to it.
        isolation: Its walls.
        group: Its control group, where that can be read from here.
    """

    def __init__(
        self,
        engine: Engine,
        container: str,
        stream: BoxStream,
        isolation: Isolation,
        group: Cgroup | None = None,
    ) -> None:
        self._engine = engine
        self._container = container
        self._stream = stream
        self._isolation = isolation
        self._cgroup = group
        self._lock = threading.Lock()
        self._usage = Usage(cpu_seconds=0.0, memory=0, peak_memory=0)
        self._killed = False
        self._paused = False
        self._ending: Ending | None = None

    @property
    def isolation(self) -> Isolation:
        """The walls, as read back."""
        return self._isolation

    @property
    def container(self) -> str:
        """The container's id, for tests and messages."""
        return self._container

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Write to the box's stdin; see `port.Box`."""
        self._stream.write(data, deadline)

    def read_exactly(self, size: int, deadline: Deadline) -> bytes:
        """Read from the box's stdout; see `port.Box`."""
        return self._stream.read_exactly(size, deadline)

    def usage(self) -> Usage:
        """Measure from outside; after the end, what was measured last.

        With an engine on another machine this takes up to a second, and is up to a second old.
        """
        if self._ending is None:
            with contextlib.suppress(BoxLost, FileNotFoundError, ProcessLookupError):
                self._count(*(self._cgroup.read() if self._cgroup else self._ask_engine()))
        return self._usage

    def _ask_engine(self) -> tuple[float, int]:
        with translate("measuring a box"):
            stats = self._engine.api.stats(self._container, stream=False, one_shot=True)
        cpu = stats.get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage") or 0
        figures = stats.get("memory_stats", {}).get("stats") or {}
        return cpu / 1e9, cgroup.held_memory(figures, in_files=self._isolation.runtime == hardening.GVISOR)

    def _count(self, cpu_seconds: float, memory: int) -> None:
        with self._lock:  # of a container that has ended the engine says zero; what was used may not go back
            self._usage = Usage(
                cpu_seconds=max(self._usage.cpu_seconds, cpu_seconds),
                memory=memory,
                peak_memory=max(self._usage.peak_memory, memory),
            )

    def pause(self) -> None:
        """Freeze the control group; see `port.Box`."""
        if not self._paused and self._ending is None:
            try:
                with translate("pausing a box"):
                    freeze(self._engine, self._container)
            except EngineUnavailable:
                raise
            except InfrastructureFault as fault:
                # It may be frozen all the same, and whoever goes on without the pause would wait for it for ever.
                with contextlib.suppress(InfrastructureFault), translate("resuming a box"):
                    self._engine.api.unpause(self._container)
                if self._has_ended():
                    raise EOFError("the box ended before it could be paused") from fault
                raise
            self._paused = True

    def resume(self) -> None:
        """Thaw the control group; see `port.Box`."""
        if self._paused and self._ending is None:
            with translate("resuming a box"):
                self._engine.api.unpause(self._container)
            self._paused = False

    def kill(self) -> None:
        """End everything in the box; see `port.Box`."""
        if self._ending is None and self._state().get("Running"):
            self._kill(self._stream.interrupt)

    def close(self) -> Ending:
        """End the box and remove it; see `port.Box`.

        Raises:
            InfrastructureFault: The engine is gone. A later call tries again.
        """
        if self._ending is None:
            with contextlib.suppress(InfrastructureFault):  # frozen processes do not die, on some engines
                self.resume()
            try:
                ending = self._end()
            finally:
                self._stream.close()
                _remove_surely(self._engine, self._container)
            self._ending = ending
        return self._ending

    def _end(self) -> Ending:
        self._stream.drain(Deadline(DRAIN_SECONDS), quiet=0.0)
        if self._settled_state().get("Running"):
            self._kill(self._stream.close)
        else:
            self._stream.drain(Deadline(DRAIN_SECONDS), quiet=DRAIN_SECONDS)
        state = self._state()
        return Ending(
            exit_status=state.get("ExitCode"),
            oom=bool(state.get("OOMKilled")),
            removed_by_us=self._killed,
            stderr=self._stream.stderr,
        )

    def _has_ended(self) -> bool:
        """Whether it has, as far as the engine notices soon."""
        deadline = Deadline(SETTLE_SECONDS)
        while (running := self._state().get("Running")) and not deadline.passed:
            time.sleep(0.01)
        return not running

    def _settled_state(self) -> dict[str, Any]:
        """Return the state; of a box whose stream has ended, not before the engine has noticed its end too."""
        deadline = Deadline(SETTLE_SECONDS if self._stream.ended else 0.0)
        while (state := self._state()).get("Running") and not deadline.passed:
            time.sleep(0.01)
        return state

    def _kill(self, hang_up: Callable[[], None]) -> None:
        """End a box that runs.

        Hanging up goes first: the engine cannot notice the end of a box before all its output has
        gone somewhere, and would wait for this process, which waits for the engine.
        """
        self._killed = True  # also if it ends by itself now, because its stdin does
        hang_up()
        try:
            with translate("ending a box"):
                self._engine.api.kill(self._container)
        except EngineUnavailable:
            raise
        except InfrastructureFault:
            if self._state().get("Running"):
                raise

    def _state(self) -> dict[str, Any]:
        """Return the container's state; nothing when somebody has removed it."""
        with contextlib.suppress(BoxLost), translate("asking how a box ended"):
            return dict(self._engine.api.inspect_container(self._container)["State"])
        return {}


def _remove_surely(engine: Engine, container: str) -> bool:
    """Remove a container, also when the user presses Ctrl-C while that is going on."""
    try:
        return reaper.remove(engine, container)
    except KeyboardInterrupt:
        reaper.remove(engine, container)
        raise
