"""Finding the notebook in a submission.

Beside a program it is optional: what is missing costs its own points only.
"""

from __future__ import annotations

from grader.intake.paths import shown
from grader.model.submission import Submission, SubmissionManifest


def find_notebook(
    submission: Submission, manifest: SubmissionManifest, asked: str | None
) -> tuple[str | None, tuple[str, ...]]:
    """Return where the notebook is, and facts for people to read.

    Args:
        submission: What was handed in.
        manifest: What `submission.toml` says.
        asked: Where the exercise asks for it; None when it asks for no notebook.

    Returns:
        A path in the submission, or None when there is no notebook.
    """
    if asked is None:
        return None, ()
    named = manifest.notebook.path if manifest.notebook else asked
    path = named.removeprefix("./")
    if path in submission.paths:
        return path, ()
    others = [each for each in submission.paths if each.lower().endswith(".ipynb")]
    if not others and manifest.notebook is None:
        return None, ()
    there = f"; there is {', '.join(map(shown, others[:3]))}, which was not run" if others else ""
    return None, (f"The notebook {shown(path)} is not in the submission{there}.",)
