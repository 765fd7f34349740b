"""Many HTTP requests to a submission's server, a fixed number at once, timed outside of its box.

The host drives the loop: it sends the next request when an answer has come, so that nothing inside the box
can make an answer look quicker than it was. What the way through the box's stream costs is in every time.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader import frames
from grader.clock import Deadline, monotonic
from grader.errors import FrameError
from grader.frames import Frame
from grader.sandbox.channel import Channel, Refusal

LISTEN_SECONDS = 0.005
KEPT_CAP = 64 * 1024 * 1024
EXCHANGES_CAP = 50_000
HEADERS_CAP = 1000  # characters of one answer's headers


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """One HTTP request: the header of an `http.request` frame, and the body."""

    header: Mapping[str, Any]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """How a load is made.

    Attributes:
        concurrency: Requests that are under way at once.
        keep_alive: Whether each of them keeps its connection for the next.
        repeat: Whether to begin again with the first request until it is stopped.
        seconds: Most that one request may take.
        cap: Most bytes that one answer may have.
    """

    concurrency: int
    keep_alive: bool
    repeat: bool
    seconds: float
    cap: int


@dataclass(slots=True, kw_only=True)
class Exchange:
    """A request and its answer: which request, seconds since the load began, seconds it took, the answer."""

    request: int
    began: float
    seconds: float = 0.0
    status: int = 0
    error: str = ""
    headers: list[list[str]] = field(default_factory=list)
    body: bytes = b""


@dataclass(slots=True)
class Guest:
    """A request of somebody else, carried along by a load that runs in the background."""

    op: str
    header: Mapping[str, Any]
    body: bytes
    done: threading.Event = field(default_factory=threading.Event)
    reply: Frame | None = None


class Load:
    """One load on one channel; while it runs, the channel is its own.

    Args:
        channel: Into the box whose agent makes the requests.
        requests: What to send, in this order.
        options: How.
        deadline: When it must have ended.
    """

    def __init__(
        self, channel: Channel, requests: Sequence[LoadRequest], options: LoadOptions, deadline: Deadline
    ) -> None:
        """Nothing is sent yet."""
        self._channel = channel
        self._requests = requests
        self._options = options
        self._deadline = deadline
        self._waiting = deque(range(len(requests)))
        self._under_way: dict[int, tuple[int, Exchange]] = {}
        self._guests_under_way: dict[int, Guest] = {}
        self._guests: deque[Guest] = deque()
        self._began = 0.0
        self._kept = 0
        self._stopping = threading.Event()
        self._resting: list[int] = []
        self._over = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self.exchanges: list[Exchange] = []

    def run(self) -> None:
        """Make all requests and return when the last answer has come.

        Raises:
            EOFError, TimeoutError, FrameError: The channel broke, as `Channel.receive`.
        """
        self._began = monotonic()
        for slot in range(self._options.concurrency):
            self._next(slot)
        while True:
            self._send_guests()
            if not (self._under_way or self._guests_under_way or self._resting) and self._may_end():
                return
            self._wake()
            frame = self._channel.poll(Deadline(LISTEN_SECONDS), self._deadline)
            if frame is not None:
                self._take(frame)
            elif self._deadline.passed:
                raise TimeoutError("the load did not end")

    def start(self) -> None:
        """Run in the background."""
        self._thread = threading.Thread(target=self._run_quietly, daemon=True)
        self._thread.start()

    def _run_quietly(self) -> None:
        try:
            self.run()
        except (OSError, ValueError) as error:  # the box was closed under it, from another thread
            self._failure = error if isinstance(error, TimeoutError) else EOFError(str(error))
        except BaseException as error:  # whoever stops the load, or waits for an answer, has to know
            self._failure = error
        finally:
            with self._lock:
                self._over = True
                for guest in (*self._guests, *self._guests_under_way.values()):
                    guest.done.set()

    def stop(self, *, at_once: bool) -> None:
        """Wait for the end; with `at_once` after the answers that are still to come, not after all requests.

        Raises:
            EOFError, TimeoutError, FrameError: The channel broke meanwhile.
        """
        if at_once or self._options.repeat:
            self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        if self._failure is not None:
            raise self._failure

    def request(self, op: str, header: Mapping[str, Any], body: bytes, deadline: Deadline) -> Frame:
        """Ask the agent something else while the load runs in the background.

        Raises:
            Refusal: The agent refused.
            EOFError, TimeoutError, FrameError: The channel broke.
        """
        guest = Guest(op, header, body)
        with self._lock:
            over = self._over
            if not over:
                self._guests.append(guest)
        if over:
            if self._failure is not None:
                raise self._failure
            return self._channel.request(op, header, deadline, body)
        if not guest.done.wait(max(0.0, deadline.left)):
            raise TimeoutError(f"the box did not answer within {deadline.seconds:g} s")
        if guest.reply is None:
            raise self._failure or EOFError("the box ended")
        if guest.reply.kind == frames.REFUSAL:
            raise Refusal(
                str(guest.reply.header.get("code", ""))[:80], str(guest.reply.header.get("message", ""))[:2000]
            )
        return guest.reply

    def _may_end(self) -> bool:
        """Whether nothing more will be sent; from then on nobody else can join."""
        with self._lock:
            self._over = not self._guests and (not self._waiting or self._stopping.is_set())
            return self._over

    def _next(self, slot: int) -> None:
        if self._options.repeat and not self._waiting and len(self.exchanges) < EXCHANGES_CAP:
            self._waiting.extend(range(len(self._requests)))
        if not self._waiting or self._stopping.is_set():
            return
        place = self._waiting.popleft()
        request = self._requests[place]
        header = {
            **request.header,
            "seconds": self._options.seconds,
            "cap": self._options.cap,
            "connection": f"slot {slot}" if self._options.keep_alive else "",
        }
        exchange = Exchange(request=place, began=monotonic() - self._began)
        number = self._channel.start("http.request", header, self._deadline, request.body)
        self._under_way[number] = (slot, exchange)

    def _send_guests(self) -> None:
        while self._guests:
            with self._lock:
                guest = self._guests.popleft()
            self._guests_under_way[self._channel.start(guest.op, guest.header, self._deadline, guest.body)] = guest

    def _take(self, frame: Frame) -> None:
        guest = self._guests_under_way.pop(frame.request, None)
        if guest is not None and frame.kind != frames.REQUEST:
            guest.reply = frame
            guest.done.set()
            return
        if frame.request not in self._under_way or frame.kind == frames.REQUEST:
            raise FrameError("The box sent a frame that answers no question.")
        slot, exchange = self._under_way.pop(frame.request)
        exchange.seconds = monotonic() - self._began - exchange.began
        self._fill(exchange, frame)
        self.exchanges.append(exchange)
        if exchange.error == "refused" and self._options.repeat:
            self._resting.append(slot)  # nobody listens there: asking again at once would only burn time
        else:
            self._next(slot)

    def _wake(self) -> None:
        resting, self._resting = self._resting, []
        for slot in resting:
            self._next(slot)

    def _fill(self, exchange: Exchange, frame: Frame) -> None:
        """Take the answer over; it is the submission's, so nothing in it is what it should be for sure."""
        status, error = frame.header.get("status"), frame.header.get("error")
        exchange.status = status if isinstance(status, int) and 0 <= status < 1000 else 0
        exchange.error = error[:40] if isinstance(error, str) else "protocol"
        headers = frame.header.get("headers")
        if isinstance(headers, list):
            exchange.headers = _pairs(headers)
        self._kept += len(frame.body)
        if self._kept <= KEPT_CAP:
            exchange.body = frame.body
        else:
            exchange.error = "too_large"


def _pairs(headers: list[Any]) -> list[list[str]]:
    """Keep as many headers as a sheet could ever need; what is no pair of texts is left out."""
    pairs: list[list[str]] = []
    left = HEADERS_CAP
    for each in headers:
        if isinstance(each, list) and len(each) == 2 and all(isinstance(part, str) for part in each):
            left -= len(each[0]) + len(each[1])
            if left < 0:
                break
            pairs.append(each)
    return pairs
