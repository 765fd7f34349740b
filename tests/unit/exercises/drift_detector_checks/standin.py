"""Runs the checks of drift_detector without boxes: the detector lives in this process.

    python standin.py FOLDER:module:Class[,Class...] FOLDER:module:Class VARIANT_FOLDER SEED [--few]

The first names the submission, or several that are graded in turn; the second is the reference. A line of JSON is
printed for each: check to what was awarded, and the checks that failed to do their own work.
It is for authors and for tests; whatever is measured outside of a box (CPU time, memory) is only roughly right here.
"""

from __future__ import annotations

import argparse
import copy
import functools
import importlib
import io
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

ROOT = Path(__file__).resolve().parents[4]
EXERCISE = ROOT / "exercises" / "drift_detector"
sys.path.insert(0, str(ROOT))

from grader.agent.caller import NoValue, plain  # noqa: E402
from grader.checker.api import Reason, SubmissionFailed  # noqa: E402
from grader.checker.awards import Award, award_result, failed_result  # noqa: E402
from grader.checker.callable import Answer, Cost  # noqa: E402
from grader.checker.plots import figure_svg  # noqa: E402

FEW = {
    "CLEAN_PLAIN": 12,
    "CLEAN_FEW": 4,
    "CLEAN_MANY": 4,
    "PER_SIZE": 2,
    "GROSS": 3,
    "LABELS": dict.fromkeys(
        ("clean", "covariate", "country", "intercept_s", "intercept_l", "label_shift", "slope_half", "slope_reversed"),
        3,
    ),
    "STREAM_WINDOWS": 14,
    "CLEAN_STREAMS": 3,
    "DRIFT_STREAMS": 2,
    "TIMED_BLOCKS": 1,
    "TIMED_WINDOWS": 13,
}


@dataclass(frozen=True)
class HiddenVariant:
    """As the harness gives it."""

    path: Path
    number: int

    def random(self, purpose: str) -> random.Random:
        return random.Random(f"{self.number}/{purpose}")


_SENT: dict[int, tuple[object, object]] = {}  # the table by its identity, kept alive; and what arrives


def _sent(value: object) -> object:
    """Send a table as the harness does: as Arrow, to a data frame of its own."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if id(value) not in _SENT:
        _SENT[id(value)] = (value, _through_arrow(value))
    return _SENT[id(value)][1].copy()


def _through_arrow(value: object) -> object:
    table = value if isinstance(value, pa.Table) else pa.Table.from_pandas(value, preserve_index=False)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    with pa.ipc.open_stream(sink.getvalue()) as stream:
        return stream.read_pandas()


def _restored(value: object) -> object:
    if isinstance(value, dict):
        if set(value) == {"$float"}:
            return float(value["$float"])
        return {key: _restored(item) for key, item in value.items()}
    return [_restored(item) for item in value] if isinstance(value, list) else value


class Session:
    """A session with an object of this process."""

    def __init__(self, make: type, folder: Path) -> None:
        self._make, self._folder = make, folder
        self._object: object = None
        self.last = Cost()

    @property
    def peak_memory(self) -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def path(self, name: str) -> str:
        return str(self._folder / name)

    def restart(self, workers: int = 1) -> None:
        self._object = None

    def construct(self, **arguments: object) -> None:
        self._required(self._one(lambda: setattr(self, "_object", self._make(**arguments))))

    def call(self, method: str, *, seconds: float | None = None, **arguments: object) -> object:
        return self._required(self._one(lambda: self._called(self._object, method, arguments)))

    def load(self, method: str, *, seconds: float | None = None, **arguments: object) -> None:
        self._object = self._object or self._make()
        restored: list[object] = []
        self._required(self._one(lambda: restored.append(self._called(self._object, method, arguments))))
        if isinstance(restored[0], self._make):
            self._object = restored[0]

    def ask(self, method: str, *, seconds: float | None = None, **arguments: object) -> Answer:
        return self.map(method, [arguments])[0]

    def map(self, method: str, calls: list[dict[str, object]], *, seconds: float | None = None) -> list[Answer]:
        wall, cpu = time.monotonic(), time.process_time()
        answers = [self._one(lambda each=each: self._called(self._object, method, each)) for each in calls]
        self.last = Cost(seconds=time.monotonic() - wall, cpu_seconds=time.process_time() - cpu)
        return answers

    def map_fresh(
        self, method: str, sequences: list[list[dict[str, object]]], *, seconds: float | None = None
    ) -> list[list[Answer]]:
        wall, cpu = time.monotonic(), time.process_time()
        runs = [self._run(method, copy.deepcopy(self._object), sequence) for sequence in sequences]
        self.last = Cost(seconds=time.monotonic() - wall, cpu_seconds=time.process_time() - cpu)
        return runs

    def _run(self, method: str, fresh: object, sequence: list[dict[str, object]]) -> list[Answer]:
        return [self._one(lambda each=each: self._called(fresh, method, each)) for each in sequence]

    def _called(self, target: object, method: str, arguments: dict[str, object]) -> object:
        return getattr(target, method)(**{name: _sent(value) for name, value in arguments.items()})

    def _one(self, action: object) -> Answer:
        try:
            value = action()
        except Exception as error:
            return Answer(error=type(error).__name__, message=str(error)[:500])
        try:
            return Answer(
                value=_restored(plain(None if not isinstance(value, dict) and hasattr(value, "fit") else value))
            )
        except NoValue as error:
            return Answer(reason=Reason.FORMAT, message=str(error))

    def _required(self, answer: Answer) -> object:
        if not answer.ok:
            raise SubmissionFailed(answer.reason or Reason.CRASHED, f"no result: {answer.error}: {answer.message}")
        return answer.value


class Detector:
    """The `submission` fixture."""

    def __init__(self, make: type) -> None:
        self._make = make

    @contextmanager
    def open(self, workers: int = 1) -> Iterator[Session]:
        with tempfile.TemporaryDirectory() as folder:
            yield Session(self._make, Path(folder))


class Runner:
    """A pytest plugin with the harness's fixtures; it keeps what is awarded."""

    def __init__(self, submission: type, reference: type, variant: HiddenVariant, pictures: Path | None) -> None:
        self._pictures = pictures
        self.results: dict[str, dict[str, object]] = {}
        self.defects: dict[str, str] = {}
        self._award, self._check = Award(), ""
        self.fixtures = _session_fixtures(Detector(submission), Detector(reference), variant)

    @pytest.fixture
    def award(self) -> Award:
        return self._award

    @pytest.fixture
    def plot(self) -> object:
        def attach(figure: object, caption: str) -> None:
            if self._pictures is not None:
                svg = figure_svg(figure, caption)
                name = f"{self._check}-{caption[:40].replace(' ', '_').replace('`', '')}"
                (self._pictures / f"{name}.svg").write_bytes(svg)
                figure.savefig(self._pictures / f"{name}.png", dpi=110, bbox_inches="tight")

        return attach

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "check: a check")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        mark = item.get_closest_marker("check").kwargs
        self._award, self._check, self._failure, self._error = Award(), mark["id"], None, ""
        began = time.monotonic()
        outcome = yield
        seconds = time.monotonic() - began
        if self._error or (self._failure is None and not self._award.given):
            self.defects[self._check] = self._error or "no award"
            return outcome
        made = failed_result(self._check, self._failure, seconds) if self._failure else None
        result = made or award_result(self._check, self._award, seconds)
        self.results[self._check] = json.loads(result.model_dump_json()) | {"points": mark["points"]}
        return outcome

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
        report = yield
        if call.excinfo is not None:
            if call.excinfo.errisinstance(SubmissionFailed):
                self._failure = call.excinfo.value
            else:
                self._error = f"{call.excinfo.typename}: {call.excinfo.value} in {call.excinfo.traceback[-1]}"
        return report


def _session_fixtures(submission: Detector, reference: Detector, variant: HiddenVariant) -> object:
    class Fixtures:
        @pytest.fixture(scope="session", name="submission")
        def submission_fixture(self) -> Detector:
            return submission

        @pytest.fixture(scope="session", name="reference")
        def reference_fixture(self) -> Detector:
            return reference

        @pytest.fixture(scope="session", name="variant")
        def variant_fixture(self) -> HiddenVariant:
            return variant

    return Fixtures()


def found_class(entry: str) -> type:
    """Import FOLDER:module:Class."""
    folder, module, name = entry.rsplit(":", 2)
    sys.path.insert(0, folder)
    sys.modules.pop(module, None)  # two detectors may have modules of one name
    try:
        return getattr(importlib.import_module(module), name)
    finally:
        sys.path.remove(folder)


def run(
    submission: type, reference: type, variant: HiddenVariant, *, few: bool, pictures: Path | None = None
) -> Runner:
    """Run all checks."""
    for path in (str(EXERCISE / "data"), str(EXERCISE / "checks")):
        if path not in sys.path:
            sys.path.insert(0, path)
    import anchors

    for name, value in FEW.items() if few else ():
        setattr(anchors, name, value)
    draw_once()
    if not (variant.path / "reference_power.json").exists():
        flat_power(variant.path)
    runner = Runner(submission, reference, variant, pictures)
    with tempfile.TemporaryDirectory() as folder:
        ini = Path(folder) / "pytest.ini"
        ini.write_text("[pytest]\n")
        checks = str(EXERCISE / "checks")
        options = [f"-c{ini}", f"--rootdir={checks}", "-pno:cacheprovider", "--import-mode=importlib", checks]
        options.append("--ignore-glob=*/test_n_*")  # the notebook is not run here
        pytest.main([*options, "-pno:terminal"], plugins=[runner, runner.fixtures])
    return runner


def draw_once() -> None:
    """Let several detectors, one after the other, see the same tables without drawing them anew."""
    import asking
    import care
    import sittings
    import timing
    import watch
    import world

    if hasattr(world.World, "cache_info"):
        return
    for method in ("reference", "reference_labels"):
        setattr(world.World, method, functools.cache(getattr(world.World, method)))
    world.World = functools.cache(world.World)
    for maker in (asking.make_window, asking.make_feedback, watch.make_stream, care.edge_windows, care.refused_windows):
        kept = functools.cache(maker)
        for module in (asking, care, sittings, timing, watch):
            if hasattr(module, maker.__name__):
                setattr(module, maker.__name__, kept)


def flat_power(folder: Path) -> None:
    """Write the file of the reference's rates that a hidden variant has, as if it always noticed nine in ten."""
    from world import SIZES

    rates = {kind: {str(size): 0.9 for size in sizes} for kind, sizes in SIZES.items()}
    (folder / "reference_power.json").write_text(json.dumps({"power": {"pooled": rates, "slice": rates}}))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("submission")
    parser.add_argument("reference")
    parser.add_argument("variant", type=Path)
    parser.add_argument("seed", type=int)
    parser.add_argument("--few", action="store_true")
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    variant = HiddenVariant(options.variant, options.seed)
    reference = found_class(options.reference)
    entry, _, names = options.submission.rpartition(":")
    for name in names.split(","):
        runner = run(found_class(f"{entry}:{name}"), reference, variant, few=options.few, pictures=options.pictures)
        sys.stdout.write(json.dumps({"results": runner.results, "defects": runner.defects}) + "\n")


if __name__ == "__main__":
    main()
