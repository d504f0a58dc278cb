"""Losses: which share of the evidence each stage lost, a row a run; runs of before have none."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "loss",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("shares", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_loss_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_loss")),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("loss")
