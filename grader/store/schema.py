"""The tables of the store, as they are now. How older ones become these is in `migrations`.

Points are whole hundredths, so that sums are exact on every database. Moments are UTC. Names of people stand in
`candidates` and `submissions` and inside sheets, and nowhere else: erasing them there erases them.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

REVISION = "0003"
"""The newest migration; a database that carries another one is older, or newer than this grader."""

LIVE = ("running", "graded", "rejected")
"""Runs of which there is at most one for a key: whoever finds one has nothing to do."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, on databases that know time zones and on those that do not."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Drop the zone, which is UTC."""
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say that it is UTC."""
        return value.replace(tzinfo=UTC) if value else None


exercises = Table(
    "exercises",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("title", Text, nullable=False),
)

# `content` is the exercise as it was (model.Exercise as JSON); `components` the digests of its parts.
exercise_versions = Table(
    "exercise_versions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("exercise_id", ForeignKey("exercises.id"), nullable=False, index=True),
    Column("version", String(40), nullable=False),
    Column("content", Text, nullable=False),
    Column("components", Text, nullable=False),
    Column("first_seen", Moment, nullable=False),
)

# `name` is NULL once it was erased; `hold` is why nothing of this person may be erased now.
candidates = Table(
    "candidates",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, unique=True),
    Column("created", Moment, nullable=False),
    Column("erased", Moment),
    Column("hold", Text),
)

# `key` is the digest of submission, exercise, images and seed; where results were folded again, that of the run that
# measured them. `series` is "" or the regrade it belongs to.
# `answers` is JSON: check -> [share of its points or null, outcome or null]. `band` is in percent. What people have
# corrected is in `earned` and `answers`, and in `status` where that gave the run its total; `results` is as measured.
runs = Table(
    "runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("series", String(32), nullable=False, server_default=""),
    Column("exercise_digest", ForeignKey("exercise_versions.digest"), nullable=False, index=True),
    Column("submission_digest", String(80), nullable=False, index=True),
    Column("commitment", String(64), nullable=False),
    Column("images", Text, nullable=False),
    Column("harness", String(80), nullable=False),
    Column("status", String(20), nullable=False),
    Column("parent", ForeignKey("runs.id")),
    Column("refolded", Boolean, nullable=False, server_default=false()),
    Column("owner", Text, nullable=False),
    Column("lease_until", Moment, nullable=False),
    Column("started", Moment, nullable=False),
    Column("finished", Moment),
    Column("seconds", Float),
    Column("earned", Integer),
    Column("possible", Integer),
    Column("reason", String(60)),
    Column("answers", Text, nullable=False, server_default="{}"),
    Column("band", Float),
    CheckConstraint("status in ('running','graded','rejected','faulted','cancelled')", name="status"),
)
Index(
    "uq_runs_live",
    runs.c.key,
    runs.c.series,
    unique=True,
    sqlite_where=runs.c.status.in_(LIVE),
    postgresql_where=runs.c.status.in_(LIVE),
)

# What one person handed in for one exercise. `shown_run` is the run whose score counts; `variant_of` is whose variant
# that was on, NULL for the one shared by all.
submissions = Table(
    "submissions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("candidate_id", ForeignKey("candidates.id"), nullable=False),
    Column("exercise_id", ForeignKey("exercises.id"), nullable=False, index=True),
    Column("label", Text),
    Column("digest", String(80), nullable=False, index=True),
    Column("artefact", String(64)),
    Column("variant_of", Text),
    Column("extra_time", Float, nullable=False, server_default="1"),
    Column("received", Moment, nullable=False),
    Column("shown_run", ForeignKey("runs.id"), index=True),
    UniqueConstraint("candidate_id", "exercise_id", "digest"),
)

results = Table(
    "results",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("check_id", String(4), primary_key=True),
    Column("competency", String(60), nullable=False),
    Column("outcome", String(20)),
    Column("reason", String(60)),
    Column("fraction", Float),
    Column("earned", Integer),
    Column("possible", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("metrics", Text, nullable=False),
)

# Every sheet that was ever signed for a submission: zlib over its JSON. The highest number is the present one.
sheets = Table(
    "sheets",
    metadata,
    Column("submission_id", ForeignKey("submissions.id"), primary_key=True),
    Column("run_id", ForeignKey("runs.id"), primary_key=True, index=True),
    Column("number", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("made", Moment, nullable=False),
)

faults = Table(
    "faults",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False, index=True),
    Column("party", String(20), nullable=False),
    Column("message", Text, nullable=False),
    Column("hint", Text, nullable=False),
)

run_artefacts = Table(
    "run_artefacts",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("digest", String(64), nullable=False),
)

# A person's correction of a check of a run, in the order in which they were made: the last one of a check stands. Where
# `earned` is NULL it was taken back. Rows are never changed, but for the words when somebody is erased.
overrides = Table(
    "overrides",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False, index=True),
    Column("check_id", String(4)),
    Column("earned", Integer),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("made", Moment, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("exercise_id", ForeignKey("exercises.id"), nullable=False),
    Column("folder", Text, nullable=False),
    Column("created", Moment, nullable=False),
    UniqueConstraint("name", "exercise_id"),
)

# `place` is the folder below the batch's own that holds the sheet.
batch_items = Table(
    "batch_items",
    metadata,
    Column("batch_id", ForeignKey("batches.id"), primary_key=True),
    Column("place", Text, primary_key=True),
    Column("submission_id", ForeignKey("submissions.id"), nullable=False, index=True),
)

regrades = Table(
    "regrades",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("exercise_digest", ForeignKey("exercise_versions.digest"), nullable=False),
    Column("scope", Text, nullable=False),
    Column("made", Moment, nullable=False),
    Column("accepted", Moment),
)

# Which run would replace which, for whom; `after_run` is NULL while it is missing.
regrade_items = Table(
    "regrade_items",
    metadata,
    Column("regrade_id", ForeignKey("regrades.id"), primary_key=True),
    Column("submission_id", ForeignKey("submissions.id"), primary_key=True, index=True),
    Column("before_run", ForeignKey("runs.id"), nullable=False),
    Column("after_run", ForeignKey("runs.id")),
)

# Triggers refuse every change of what is written here.
audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("details", Text, nullable=False),
)
