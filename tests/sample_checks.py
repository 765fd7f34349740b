"""Thirty checks of `clean_parquet` as a candidate of middling skill might leave them."""

from __future__ import annotations

from dataclasses import dataclass

from grader.model.reasons import Reason

COMPETENCIES = {
    "data-pipelines": "Data formats and pipelines",
    "data-quality": "Data quality",
    "engineering": "Engineering care",
    "operations": "Production operations",
    "performance": "Performance",
}

GROUPS = {
    "A": "Time",
    "B": "Numbers",
    "C": "Text",
    "D": "Identity",
    "E": "Quarantine",
    "F": "Trust",
    "G": "Scale",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCheck:
    """What differs from one sample check to the next."""

    id: str
    title: str
    competency: str
    points: str
    earned: str
    because: str = ""
    reason: Reason | None = None
    evidence: tuple[tuple[str, str], ...] = ()
    question: str
    feedback: str


def _check(
    id: str,
    competency: str,
    points: str,
    earned: str,
    title: str,
    *,
    because: str = "",
    reason: Reason | None = None,
    evidence: tuple[tuple[str, str], ...] = (),
    question: str = "How did you test this part?",
    feedback: str = "Read the section of RULES.md on this column once more.",
) -> SampleCheck:
    return SampleCheck(
        id=id, competency=competency, points=points, earned=earned, title=title, because=because,
        reason=reason, evidence=evidence, question=question, feedback=feedback,
    )  # fmt: skip


CHECKS = (
    _check(
        "A1", "data-pipelines", "3", "3", "Reads timestamps with an offset and epoch milliseconds",
        because="All 3,204 timestamps of these two kinds are right.",
        evidence=(("ISO with offset", "2,118 of 2,118"), ("epoch milliseconds", "1,086 of 1,086")),
    ),
    _check(
        "A2", "data-pipelines", "4", "2.25", "Reads local times of each shop, daylight saving included",
        because="1,871 of 2,412 local times are right; most of the wrong ones are one hour off.",
        reason=Reason.WRONG_ANSWER,
        evidence=(
            ("right", "1,871 of 2,412 (77.6 %)"),
            ("one hour off", "498, all between 30 March and 26 October"),
            ("day and month swapped", "43"),
            ("first wrong cell", "part-03.parquet row 57: 2025-04-03 09:30 became 2025-04-03T09:30:00Z"),
        ),
        question="An order carries the local time 02:30 on the last Sunday of October. What does your program make "
        "of it, and how would you find out which of the two hours was meant?",
        feedback="Each shop has its own time zone, and the offset changes twice a year; RULES.md section 2 says "
        "what to do with local times.",
    ),
    _check("A3", "data-quality", "2", "2", "Leaves impossible dates alone",
           because="None of 96 impossible dates was turned into a possible one."),
    _check(
        "B1", "data-pipelines", "4", "4", "Reads amounts with a decimal comma",
        because="1,204 of 1,204 amounts are right.",
    ),
    _check("B2", "data-pipelines", "3", "3", "Reads amounts with currency names and thousands separators",
           because="All 688 amounts are right."),
    _check(
        "B3", "data-pipelines", "4", "0", "Finds amounts in cents that only the file's metadata tells about",
        because="0 of 927 amounts in cents were converted; all are a hundred times too large.",
        reason=Reason.WRONG_ANSWER,
        evidence=(("converted", "0 of 927"), ("files concerned", "part-04.parquet, part-15.parquet, part-21.parquet")),
        question="Three of the files state their unit of money outside the table. How would you notice this in a "
        "delivery that nobody told you about?",
        feedback="Parquet files can carry facts about their columns beside the data; RULES.md section 4 names one.",
    ),
    _check("B4", "data-quality", "3", "3", "Brings weights to one unit", because="All 2,950 weights are right."),
    _check("B5", "data-quality", "2", "2", "Turns placeholder values into nulls",
           because="All 411 placeholders are null."),
    _check("C1", "data-quality", "3", "3", "Maps status names in three languages",
           because="All 4,377 status names are right."),
    _check(
        "C2", "data-quality", "3", "1.5", "Forgives one wrong letter in a status name",
        because="104 of 208 misspelt names were mapped.", reason=Reason.WRONG_ANSWER,
        evidence=(("one letter changed", "96 of 98"), ("one letter missing", "8 of 57"),
                  ("one letter too many", "0 of 53")),
        question="Which mistakes in a word does your matching forgive, and which wrong matches could it make?",
        feedback="A missing or doubled letter is a typing mistake too.",
    ),
    _check(
        "C3", "data-quality", "3", "0", "Repairs garbled city names",
        because="0 of 341 garbled names were repaired.", reason=Reason.WRONG_ANSWER,
        evidence=(("repaired", "0 of 341"), ("example", "MÃ¼nchen stayed MÃ¼nchen")),
        question="A city arrives as “MÃ¼nchen”. What happened to it on its way, and when is it safe to undo that?",
        feedback="Some city names were written in one encoding and read in another; RULES.md section 5 shows how "
        "to recognise them.",
    ),
    _check("C4", "data-quality", "2", "2", "Writes composed characters and ordinary spaces",
           because="All 510 names are right."),
    _check("D1", "data-quality", "3", "3", "Brings order numbers to one form", because="All order numbers are right."),
    _check("D2", "data-quality", "3", "3", "Keeps one copy of an order that was delivered twice",
           because="All 602 repeated rows were recognised."),
    _check(
        "D3", "data-quality", "5", "1.75", "Keeps the newest version of an order",
        because="The newest version won for 241 of 380 orders.", reason=Reason.WRONG_ANSWER,
        evidence=(("newest version kept", "241 of 380"), ("first in file order kept", "139")),
        question="The newer version of an order can come earlier in the files. How does your program decide which "
        "one wins, and what if two carry the same moment?",
        feedback="The order of the files says nothing about which version is newer.",
    ),
    _check("D4", "data-quality", "4", "4", "Keeps orders of two shops that share a number",
           because="All 233 pairs were kept."),
    _check("D5", "data-quality", "3", "3", "Follows renamed articles", because="All 455 old names were replaced."),
    _check("E1", "data-quality", "4", "4", "Sets impossible quantities aside, with the right reason",
           because="All 120 rows are in quarantine with the right reason."),
    _check(
        "E2", "data-quality", "4", "3.2", "Sets orders of unknown customers aside, with the right reason",
        because="All 118 rows are in quarantine; 71 carry the right reason.", reason=Reason.WRONG_ANSWER,
        evidence=(("in quarantine", "118 of 118"), ("right reason", "71 of 118")),
        question="Why does it matter to finance which reason a row in quarantine carries?",
        feedback="Where a row has two defects, RULES.md section 8 says which one is named.",
    ),
    _check("E3", "data-quality", "4", "4", "Sets impossible dates aside, with the right reason",
           because="All 96 rows are in quarantine with the right reason."),
    _check("E4", "data-quality", "4", "4", "Sets unreadable amounts aside, with the right reason",
           because="All 101 rows are in quarantine with the right reason."),
    _check(
        "F1", "engineering", "7", "5.6", "Accounts for every row it was given",
        because="11,973 of 12,000 rows are accounted for exactly once.", reason=Reason.ROW_COVERAGE,
        evidence=(("exactly once", "11,973 of 12,000"), ("nowhere", "27"), ("twice", "0")),
        question="27 rows are neither in the orders nor in quarantine. How would you find out where your program "
        "drops them?",
        feedback="Every row that comes in is kept, a duplicate of a kept one, or in quarantine.",
    ),
    _check("F2", "engineering", "4", "4", "Leaves cells alone that were right",
           because="3 of 98,112 untouched cells changed."),
    _check("F3", "engineering", "2", "2", "Writes the columns and types that were agreed"),
    _check(
        "F4", "engineering", "3", "1.5", "Reports what is in the files, and twice the same",
        because="The counts agree; the second run wrote the rows in another order.", reason=Reason.UNSTABLE,
        evidence=(("counts", "agree"), ("orders.parquet, second run", "other bytes")),
        question="What in your program depends on the order in which the operating system lists files?",
        feedback="Two runs over the same input must write the same bytes.",
    ),
    _check("G1", "data-pipelines", "4", "4", "Copes with columns that differ from file to file",
           because="All 24 files were read."),
    _check(
        "G2", "operations", "3", "0", "Carries on when a file is damaged, and says so",
        because="The program crashed on the damaged file.", reason=Reason.CRASHED,
        evidence=(
            ("exit status", "1"),
            ("end of what it printed",
             'Traceback (most recent call last):\n  File "clean.py", line 212, in <module>\n    main()\n'
             "pyarrow.lib.ArrowInvalid: Could not open Parquet input source: Parquet magic bytes not found in footer."),
        ),
        question="One damaged file must not cost the other twenty-three. Where would you catch this, and what would "
        "the people on call need to see?",
        feedback="A file that cannot be read is listed in report.json, the others are processed, and the exit "
        "status is 3.",
    ),
    _check(
        "G3", "operations", "2", "0", "Leaves no half-written output behind",
        because="This builds on G2, which earned nothing.", reason=Reason.BLOCKED,
        question="How do you make sure that nobody reads an output that is only half written?",
        feedback="Write beside the destination first, and rename at the end.",
    ),
    _check(
        "G4", "performance", "4", "2.6", "Stays within memory on three million rows",
        because="Peak memory was 1.53 GB; the limit of the exercise was kept.", reason=Reason.MEMORY,
        evidence=(("peak memory", "1.53 GB"), ("rows", "3,000,000")),
        question="What would you change so that memory no longer grows with the number of rows?",
        feedback="The whole table does not have to be in memory at once.",
    ),
    _check("G5", "performance", "1", "1", "Is quick enough", because="3.1 times the time of the reference."),
)  # fmt: skip

NOTEBOOK_CHECKS = (
    _check(
        "N1", "engineering", "3", "3", "Runs from top to bottom",
        because="All 9 code cells ran, in 4 s.",
    ),
    _check("N2", "engineering", "1", "1", "Gives the same result twice"),
    _check("N3", "communication", "1", "1", "States its decision in the form asked for"),
    _check(
        "N4", "statistics", "2", "2", "Computes its numbers from the data",
        because="On other data the estimate moved from 0.112 to 0.187; the interval covers the true value.",
    ),
    _check(
        "N5", "statistics", "1", "0", "States an interval that can be believed",
        because="The interval covered the true value in 2 of 5 data sets.", reason=Reason.WRONG_ANSWER,
        evidence=(("covered", "2 of 5"), ("width beside the usual one", "0.4")),
        question="What is the unit that repeats in these data: the row, the file, or the day?",
        feedback="On other data sets your interval misses the true value too often.",
    ),
    _check("N6", "communication", "1", "1", "Says what the program does"),
)  # fmt: skip
