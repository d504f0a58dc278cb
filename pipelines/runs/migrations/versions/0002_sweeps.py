"""Sweeps: their trials, claims of several workers, pausing, logs and measured rates; runs found by what made them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of sweeps; add the columns."""
    op.add_column("run", sa.Column("identity", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_run_identity"), "run", ["identity"], unique=False)
    op.add_column("job", sa.Column("pause_requested", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "claim",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_claim")),
    )
    op.create_index(op.f("ix_claim_worker"), "claim", ["worker"], unique=False)
    op.create_table(
        "sweep",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("dataset_name", sa.Text(), nullable=False),
        sa.Column("dataset_path", sa.Text(), nullable=False),
        sa.Column("dataset_version", sa.String(length=64), nullable=False),
        sa.Column("split", sa.String(length=16), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("workers", sa.Integer(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sweep")),
        sa.UniqueConstraint("id", name=op.f("uq_sweep_id")),
    )
    op.create_index(op.f("ix_sweep_job_id"), "sweep", ["job_id"], unique=False)
    op.create_table(
        "trial",
        sa.Column("sweep_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("drawn", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=True),
        sa.Column("n_questions", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweep.id"], name=op.f("fk_trial_sweep_id_sweep"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sweep_id", "number", name=op.f("pk_trial")),
    )
    op.create_table(
        "log_line",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_log_line")),
    )
    op.create_index(op.f("ix_log_line_job_id"), "log_line", ["job_id"], unique=False)
    op.create_table(
        "rate",
        sa.Column("machine", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=200), nullable=False),
        sa.Column("units", sa.Float(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("machine", "what", name=op.f("pk_rate")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("rate")
    op.drop_table("log_line")
    op.drop_table("trial")
    op.drop_table("sweep")
    op.drop_table("claim")
    op.drop_column("job", "pause_requested")
    op.drop_index(op.f("ix_run_identity"), table_name="run")
    op.drop_column("run", "identity")
