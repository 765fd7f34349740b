"""The registry of formats stays cheap to look at."""

from __future__ import annotations

import subprocess
import sys

from grader.model.sheet import Audience
from grader.render.formats import FORMATS


def test_formats_know_their_names_and_audiences() -> None:
    assert {name: (each.name, each.extension, each.audience) for name, each in FORMATS.items()} == {
        "json": ("json", ".json", Audience.AUTHOR),
        "html": ("html", ".html", Audience.RECRUITER),
        "md": ("md", ".md", Audience.RECRUITER),
        "csv": ("csv", ".csv", Audience.RECRUITER),
        "junit": ("junit", ".xml", Audience.RECRUITER),
        "gradescope": ("gradescope", ".json", Audience.CANDIDATE),
    }
    assert all(each.summary for each in FORMATS.values())


def test_looking_at_the_list_loads_no_templates() -> None:
    code = "import sys, grader.render.formats; sys.exit('jinja2' in sys.modules or 'rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
