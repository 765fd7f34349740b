"""The pytest plugin that makes ordinary tests into checks."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from grader.checker import awards
from grader.checker.api import NotMeasured, SubmissionFailed
from grader.checker.awards import Award, AwardError
from grader.checker.link import HostGone, Link
from grader.clock import monotonic
from grader.model.result import Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenVariant:
    """The hidden data of this run.

    Attributes:
        path: Folder that the exercise's generator filled.
        number: The seed it was filled from; also good for random choices in checks.
    """

    path: Path
    number: int

    def random(self, purpose: str) -> random.Random:
        """A generator of random numbers that is the same whenever this variant is graded.

        A submission that sees thousands of its draws as they come can tell the others, and the variant's number.
        Where one does, use `grader.checker.chance.Chance`.
        """
        return random.Random(f"{self.number}/{purpose}")  # noqa: S311 - repeatable on purpose


@dataclass(slots=True, kw_only=True)
class Progress:
    """What is known of the check that runs now."""

    check: str
    award: Award
    began: float
    failure: BaseException | None = None
    error: pytest.ExceptionInfo[BaseException] | None = None
    message: str = ""
    unmeasured: NotMeasured | None = None


class CheckPlugin:
    """Runs checks and reports each to the host as it ends.

    Args:
        link: The line to the host.
        root: Folder of the checks.
        variant: The hidden data.
        programs: Fixtures that reach the submission, by name; `grader.checker.fixtures` makes them.
        expected: Ids of the checks that the host has read from the sources.
    """

    def __init__(
        self,
        *,
        link: Link,
        root: Path,
        variant: HiddenVariant,
        programs: Mapping[str, object],
        expected: Sequence[str],
    ) -> None:
        """Nothing is collected yet."""
        self._link = link
        self._root = root
        self.session = _session_fixtures({"variant": variant, **programs})
        self._expected = tuple(expected)
        self._earned: dict[str, bool] = {}
        self._now: Progress | None = None
        self.problem: dict[str, str | int] | None = None

    # -- fixtures ---------------------------------------------------------------------------

    @pytest.fixture
    def award(self) -> Award:
        """Says what share of the points is earned; to be called once."""
        return self._running.award

    @pytest.fixture
    def plot(self) -> Callable[[Figure, str], None]:
        """Attaches a picture to the check: `plot(figure, caption)`, with a matplotlib figure made without pyplot."""
        check = self._running.check

        def attach(figure: Figure, caption: str) -> None:
            from grader.checker.plots import figure_svg

            self._link.plot(check, caption, figure_svg(figure, f"{check}/{caption}"))

        return attach

    @property
    def _running(self) -> Progress:
        assert self._now is not None, "fixtures are only used while a check runs"
        return self._now

    # -- hooks ------------------------------------------------------------------------------

    def pytest_configure(self, config: pytest.Config) -> None:
        """Make the two words known."""
        config.addinivalue_line("markers", "check(id, points, competency, title, ...): this test is a check")
        config.addinivalue_line("markers", "requires(id): blocked when that check earned nothing")

    @pytest.hookimpl(wrapper=True)
    def pytest_load_initial_conftests(self) -> Generator[None, object, object]:
        """Keep why conftest.py could not be imported; pytest itself only prints it."""
        try:
            return (yield)
        except Exception as error:
            cause = getattr(error, "cause", error)
            self._note(cause if isinstance(cause, BaseException) else error)
            raise

    def pytest_exception_interact(self, call: pytest.CallInfo[object], report: object) -> None:
        """Keep why a file of checks could not be imported."""
        if isinstance(report, pytest.CollectReport) and call.excinfo is not None:
            self._note(call.excinfo.value.__cause__ or call.excinfo.value)

    def _note(self, error: BaseException) -> None:
        """Keep the first thing that kept the checks from running, with the innermost line of the author's files."""
        if self.problem is None:
            file, line = awards.place_of(error, self._root)
            self.problem = {"message": f"{type(error).__name__}: {error}"[:1500], "file": file, "line": line}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Refuse anything but the declared checks, and put each after what it requires."""
        by_id = {_check_id(item): item for item in items}
        if len(by_id) != len(items) or set(by_id) != set(self._expected):
            found = ", ".join(sorted(by_id))
            error = pytest.UsageError(f"the checks found ({found}) are not the checks declared")
            self._note(error)
            raise error
        ordered: dict[str, pytest.Item] = {}
        for check in by_id:
            _place(check, by_id, ordered, ())
        items[:] = list(ordered.values())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Frame each check: tell the host that it begins and how it ended."""
        check = _check_id(item)
        # What an author has left out with -k is not known to have earned nothing.
        blocker = next((name for name in _required(item) if not self._earned.get(name, True)), None)
        self._link.started(check)
        if blocker is not None:
            item.add_marker(pytest.mark.skip(reason="blocked"))
        self._now = Progress(check=check, award=Award(), began=monotonic())
        outcome = yield
        if blocker is not None:
            self._earned[check] = False
            self._link.result(awards.blocked_result(check, blocker))
        else:
            self._report(self._now)
        self._now = None
        return outcome

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep the first thing that went wrong in set-up, call or tear-down."""
        report = yield
        error = call.excinfo
        now = self._running
        if error is None or now.failure is not None or now.message:
            return report
        if error.errisinstance(HostGone):
            pytest.exit("the host is gone", returncode=3)
        if isinstance(error.value, NotMeasured):
            now.unmeasured = error.value
        elif error.errisinstance((SubmissionFailed, AssertionError)) and call.when != "teardown":
            now.failure = error.value
        else:
            now.error, now.message = error, _defect_message(error)
        return report

    def _report(self, now: Progress) -> None:
        seconds = monotonic() - now.began
        if now.unmeasured is not None:
            self._earned[now.check] = True  # not known to have earned nothing
            self._link.unmeasured(now.check, now.unmeasured.because)
            return
        if not now.message and now.failure is None and not now.award.given:
            now.message = "the check ended without calling award()"
        try:
            if now.message:
                raise AwardError(now.message)
            result = (
                awards.failed_result(now.check, now.failure, seconds)
                if now.failure
                else awards.award_result(now.check, now.award, seconds)
            )
        except (AwardError, ValueError) as error:
            self._earned[now.check] = True  # not known to have earned nothing, so it blocks no other check
            self._link.defect(awards.defect(now.check, now.error and now.error.value, str(error), self._root))
            return
        self._earned[now.check] = result.outcome in (Outcome.PASSED, Outcome.PARTIAL)
        self._link.result(result)


def _session_fixtures(values: Mapping[str, object]) -> ModuleType:
    """Make a plugin of what lives as long as the run; pytest wants functions for that, not methods."""
    plugin = ModuleType("grader_session_fixtures")
    for name, value in values.items():

        def give(value: object = value) -> object:
            return value

        # Its one parameter has a default, so pytest asks for no fixture of that name.
        setattr(plugin, name, pytest.fixture(scope="session", name=name)(give))
    return plugin


def _check_id(item: pytest.Item) -> str:
    mark = item.get_closest_marker("check")
    if mark is None:
        raise pytest.UsageError(f"{item.nodeid} has no check mark")
    return str(mark.kwargs.get("id"))


def _required(item: pytest.Item) -> list[str]:
    return [str(name) for mark in item.iter_markers("requires") for name in mark.args]


def _place(check: str, items: dict[str, pytest.Item], ordered: dict[str, pytest.Item], above: tuple[str, ...]) -> None:
    """Append a check after all that it requires."""
    if check in above or check not in items:
        raise pytest.UsageError(f"{above[-1]} requires {check}, which is unknown or requires it in turn")
    if check not in ordered:
        for name in _required(items[check]):
            _place(name, items, ordered, (*above, check))
        ordered[check] = items[check]


def _defect_message(error: pytest.ExceptionInfo[BaseException]) -> str:
    if error.errisinstance(pytest.skip.Exception):
        return "the check skipped itself; a check must award, fail or be blocked"
    if error.errisinstance(AwardError):
        return str(error.value)
    if isinstance(error.value, pytest.FixtureLookupError):
        return f"there is no fixture {error.value.argname!r} for this kind of exercise"
    return f"{error.type.__name__}: {error.value}"


def run(plugin: CheckPlugin, root: Path, options: Sequence[str] = ()) -> int:
    """Run all checks below `root` in this process; return pytest's exit status.

    Nothing outside of `root` steers it: own ini file, no plug-in autoload, no cache.
    """
    ini = root.parent / "pytest.ini"
    ini.write_text("[pytest]\naddopts =\npython_functions = test_*\nfilterwarnings =\n    default\n")
    sys.path.insert(0, str(root))  # helper modules of the exercise
    arguments = [f"-c{ini}", f"--rootdir={root}", f"--confcutdir={root}", "-pno:cacheprovider"]
    arguments += ["--import-mode=importlib", "-q", "--no-header", "--strict-markers", *options, str(root)]
    return int(pytest.main(arguments, plugins=[plugin, plugin.session]))
