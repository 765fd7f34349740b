"""Requests of httpx as the relay carries them."""

from __future__ import annotations

import httpx

from grader.checker.http import from_httpx


def test_what_httpx_adds_by_itself_is_left_out() -> None:
    request = from_httpx(httpx.Client(base_url="http://service").build_request("GET", "/items?n=1"))
    assert (request.path, dict(request.headers)) == ("/items?n=1", {})


def test_what_a_check_sets_itself_arrives_but_not_the_name_of_its_tool() -> None:
    own = {"accept": "text/csv", "x-key": "1"}
    headers = {**own, "user-agent": "check/1"}
    request = from_httpx(httpx.Client(base_url="http://service").build_request("GET", "/", headers=headers))
    assert dict(request.headers) == own
