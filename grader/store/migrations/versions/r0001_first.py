"""The first tables, and triggers that keep the audit log as it was written."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_table(
        "candidates",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.Column("erased", sa.DateTime(), nullable=True),
        sa.Column("hold", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidates")),
        sa.UniqueConstraint("name", name=op.f("uq_candidates_name")),
    )
    op.create_table(
        "exercises",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercises")),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("exercise_id", sa.String(length=60), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["exercise_id"], ["exercises.id"], name=op.f("fk_batches_exercise_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sa.UniqueConstraint("name", "exercise_id", name=op.f("uq_batches_name_exercise_id")),
    )
    op.create_table(
        "exercise_versions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("exercise_id", sa.String(length=60), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("components", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["exercise_id"], ["exercises.id"], name=op.f("fk_exercise_versions_exercise_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_exercise_versions")),
    )
    op.create_index(op.f("ix_exercise_versions_exercise_id"), "exercise_versions", ["exercise_id"], unique=False)
    op.create_table(
        "regrades",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("exercise_digest", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("made", sa.DateTime(), nullable=False),
        sa.Column("accepted", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["exercise_digest"], ["exercise_versions.digest"], name=op.f("fk_regrades_exercise_digest")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regrades")),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("series", sa.String(length=32), server_default="", nullable=False),
        sa.Column("exercise_digest", sa.String(length=64), nullable=False),
        sa.Column("submission_digest", sa.String(length=80), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("images", sa.Text(), nullable=False),
        sa.Column("harness", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("parent", sa.String(length=32), nullable=True),
        sa.Column("refolded", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.DateTime(), nullable=False),
        sa.Column("started", sa.DateTime(), nullable=False),
        sa.Column("finished", sa.DateTime(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("earned", sa.Integer(), nullable=True),
        sa.Column("possible", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.CheckConstraint(
            "status in ('running','graded','rejected','faulted','cancelled')", name=op.f("ck_runs_status")
        ),
        sa.ForeignKeyConstraint(
            ["exercise_digest"], ["exercise_versions.digest"], name=op.f("fk_runs_exercise_digest")
        ),
        sa.ForeignKeyConstraint(["parent"], ["runs.id"], name=op.f("fk_runs_parent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_exercise_digest"), "runs", ["exercise_digest"], unique=False)
    op.create_index(op.f("ix_runs_submission_digest"), "runs", ["submission_digest"], unique=False)
    op.create_index(
        "uq_runs_live",
        "runs",
        ["key", "series"],
        unique=True,
        sqlite_where=sa.text("status IN ('running', 'graded', 'rejected')"),
        postgresql_where=sa.text("status IN ('running', 'graded', 'rejected')"),
    )
    op.create_table(
        "faults",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("party", sa.String(length=20), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_faults_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_faults")),
    )
    op.create_index(op.f("ix_faults_run_id"), "faults", ["run_id"], unique=False)
    op.create_table(
        "overrides",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("check_id", sa.String(length=4), nullable=True),
        sa.Column("earned", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("made", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_overrides_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overrides")),
    )
    op.create_index(op.f("ix_overrides_run_id"), "overrides", ["run_id"], unique=False)
    op.create_table(
        "results",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("check_id", sa.String(length=4), nullable=False),
        sa.Column("competency", sa.String(length=60), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("fraction", sa.Float(), nullable=True),
        sa.Column("earned", sa.Integer(), nullable=True),
        sa.Column("possible", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("metrics", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_results_run_id")),
        sa.PrimaryKeyConstraint("run_id", "check_id", name=op.f("pk_results")),
    )
    op.create_table(
        "run_artefacts",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_artefacts_run_id")),
        sa.PrimaryKeyConstraint("run_id", "name", name=op.f("pk_run_artefacts")),
    )
    op.create_table(
        "submissions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("candidate_id", sa.String(length=32), nullable=False),
        sa.Column("exercise_id", sa.String(length=60), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("artefact", sa.String(length=64), nullable=True),
        sa.Column("variant_of", sa.Text(), nullable=True),
        sa.Column("extra_time", sa.Float(), server_default="1", nullable=False),
        sa.Column("received", sa.DateTime(), nullable=False),
        sa.Column("shown_run", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidates.id"], name=op.f("fk_submissions_candidate_id")),
        sa.ForeignKeyConstraint(["exercise_id"], ["exercises.id"], name=op.f("fk_submissions_exercise_id")),
        sa.ForeignKeyConstraint(["shown_run"], ["runs.id"], name=op.f("fk_submissions_shown_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint(
            "candidate_id", "exercise_id", "digest", name=op.f("uq_submissions_candidate_id_exercise_id_digest")
        ),
    )
    op.create_index(op.f("ix_submissions_digest"), "submissions", ["digest"], unique=False)
    op.create_index(op.f("ix_submissions_exercise_id"), "submissions", ["exercise_id"], unique=False)
    op.create_index(op.f("ix_submissions_shown_run"), "submissions", ["shown_run"], unique=False)
    op.create_table(
        "batch_items",
        sa.Column("batch_id", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("submission_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_batch_items_batch_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_batch_items_submission_id")),
        sa.PrimaryKeyConstraint("batch_id", "place", name=op.f("pk_batch_items")),
    )
    op.create_index(op.f("ix_batch_items_submission_id"), "batch_items", ["submission_id"], unique=False)
    op.create_table(
        "regrade_items",
        sa.Column("regrade_id", sa.String(length=32), nullable=False),
        sa.Column("submission_id", sa.String(length=32), nullable=False),
        sa.Column("before_run", sa.String(length=32), nullable=False),
        sa.Column("after_run", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["after_run"], ["runs.id"], name=op.f("fk_regrade_items_after_run")),
        sa.ForeignKeyConstraint(["before_run"], ["runs.id"], name=op.f("fk_regrade_items_before_run")),
        sa.ForeignKeyConstraint(["regrade_id"], ["regrades.id"], name=op.f("fk_regrade_items_regrade_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_regrade_items_submission_id")),
        sa.PrimaryKeyConstraint("regrade_id", "submission_id", name=op.f("pk_regrade_items")),
    )
    op.create_index(op.f("ix_regrade_items_submission_id"), "regrade_items", ["submission_id"], unique=False)
    op.create_table(
        "sheets",
        sa.Column("submission_id", sa.String(length=32), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_sheets_run_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_sheets_submission_id")),
        sa.PrimaryKeyConstraint("submission_id", "run_id", "number", name=op.f("pk_sheets")),
    )
    op.create_index(op.f("ix_sheets_run_id"), "sheets", ["run_id"], unique=False)
    _keep_the_audit_log()


def _keep_the_audit_log() -> None:
    """Refuse every change of a line that was written: on the database, where no program can forget it."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION grader_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log "
            "FOR EACH STATEMENT EXECUTE FUNCTION grader_refuse()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_log_refuses_{event.lower()} BEFORE {event} ON audit_log "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )
