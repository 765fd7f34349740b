"""The score sheet as a PDF: the HTML page, printed by WeasyPrint, which may fetch nothing from anywhere."""

from __future__ import annotations

import io
import logging
import warnings
from contextlib import redirect_stdout
from typing import Any

from grader.errors import UsageError

PACKAGES = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")
"""What WeasyPrint needs of Debian and Ubuntu; Pango brings a font."""

_WITHOUT_HELP = f"Type: apt-get install {' '.join(PACKAGES)}   (on other systems: install Pango)"


def from_page(page: str) -> bytes:
    """Print a page; equal pages give equal bytes where the same fonts are installed.

    Args:
        page: A whole HTML document, with its style sheet in it. Addresses in it are not followed, but for `data:`.

    Raises:
        UsageError: WeasyPrint is not installed, or a library that it needs.
    """
    printer = _weasyprint()
    fetcher = printer.urls.URLFetcher(allowed_protocols=("data",), allow_redirects=False)
    document = printer.HTML(string=page, url_fetcher=fetcher, media_type="print")
    content = document.write_pdf(pdf_tags=True)
    assert isinstance(content, bytes)
    return content


def _weasyprint() -> Any:
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)  # it tells of CSS that is for screens
    try:
        # Where a library is missing it prints advice of its own, to where our result goes.
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            import weasyprint
    except ModuleNotFoundError as error:
        raise UsageError("A PDF needs the package weasyprint.", hint="Type: pip install 'grader[pdf]'") from error
    except OSError as error:
        first = str(error).splitlines()[0].partition(":")[0]
        raise UsageError(f"A PDF needs a library that is not installed: {first}.", hint=_WITHOUT_HELP) from error
    return weasyprint
