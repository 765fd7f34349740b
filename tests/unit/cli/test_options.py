"""Options that several verbs share."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from grader.cli.options import candidate_option


@pytest.mark.parametrize("typed", ["Zo\u00eb", "Zoe\u0308", "  Zoe\u0308 "])
def test_a_candidate_is_the_same_however_the_name_is_typed(typed: str) -> None:
    @click.command()
    @candidate_option("Whose work it is.")
    def command(candidate: str) -> None:
        click.echo(ascii(candidate))

    assert CliRunner().invoke(command, ["--candidate", typed]).output == "'Zo\\xeb'\n"
