"""The tables of the run store. Change them only together with a migration."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text, false

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

dataset_version = Table(
    "dataset_version",
    metadata,
    Column("version", String(64), primary_key=True),
    Column("first_seen", String(32), nullable=False),
)

configuration = Table(
    "configuration",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("label", Text, nullable=False),
    Column("settings", JSON, nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("dataset_name", Text, nullable=False, index=True),
    Column("dataset_path", Text, nullable=False),
    Column("dataset_version", String(64), ForeignKey("dataset_version.version"), nullable=False, index=True),
    Column("configuration", String(64), ForeignKey("configuration.fingerprint"), nullable=False, index=True),
    Column("split", String(16), nullable=False),
    Column("n_questions", Integer, nullable=False),
    Column("n_documents", Integer, nullable=False),
    Column("n_chunks", Integer, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("created", String(32), nullable=False),
    Column("code_version", String(64), nullable=False),
    Column("libraries", JSON, nullable=False),
    Column("machine", Text, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("identity", String(64), index=True),
)

stage = Table(
    "stage",
    metadata,
    Column("run_id", String(32), ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    Column("stage", String(32), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("seconds_computed", Float, nullable=False),
    Column("found", String(8), nullable=False),
)

metric = Table(
    "metric",
    metadata,
    Column("run_id", String(32), ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("family", String(64), nullable=False),
    Column("unit", String(32)),
    Column("higher_is_better", Boolean, nullable=False),
    Column("mean", Float),
    Column("low", Float),
    Column("high", Float),
    Column("n", Integer, nullable=False),
    Column("unscored", Integer, nullable=False),
    Column("reason", Text),
    Index("ix_metric_name", "name"),
)

loss = Table(
    "loss",
    metadata,
    Column("run_id", String(32), ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    Column("shares", JSON, nullable=False),
)

job = Table(
    "job",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("identity", String(64), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("cancel_requested", Boolean, nullable=False),
    Column("pause_requested", Boolean, nullable=False, server_default=false()),
    Column("attempts", Integer, nullable=False),
    Column("worker", Text),
    Column("lease_until", Float),
    Column("progress", JSON, nullable=False),
    Column("submitted", Float, nullable=False),
    Column("started", Float),
    Column("ended", Float),
    Column("run_id", String(32)),
    Column("error", Text),
    Column("exit_code", Integer),
)

claim = Table(
    "claim",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("worker", Text, nullable=False, index=True),
    Column("lease_until", Float, nullable=False),
)

sweep = Table(
    "sweep",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("job_id", String(32), nullable=False, index=True),
    Column("dataset_name", Text, nullable=False),
    Column("dataset_path", Text, nullable=False),
    Column("dataset_version", String(64), nullable=False),
    Column("split", String(16), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("workers", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("report", JSON),
)

trial = Table(
    "trial",
    metadata,
    Column("sweep_id", String(32), ForeignKey("sweep.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("batch", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("params", JSON, nullable=False),
    Column("drawn", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created", Float, nullable=False),
    Column("run_id", String(32)),
    Column("n_questions", Integer),
    Column("reason", Text),
)

log_line = Table(
    "log_line",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("job_id", String(32), nullable=False, index=True),
    Column("at", Float, nullable=False),
    Column("text", Text, nullable=False),
)

rate = Table(
    "rate",
    metadata,
    Column("machine", String(200), primary_key=True),
    Column("what", String(200), primary_key=True),
    Column("units", Float, nullable=False),
    Column("seconds", Float, nullable=False),
)

finetune = Table(
    "finetune",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("job_id", String(32), nullable=False, index=True),
    Column("dataset_name", Text, nullable=False),
    Column("dataset_path", Text, nullable=False),
    Column("dataset_version", String(64), nullable=False),
    Column("split", String(16), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("created", Float, nullable=False),
    Column("trainings", JSON),
    Column("report", JSON),
)

training_point = Table(
    "training_point",
    metadata,
    Column("training", String(64), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("body", JSON, nullable=False),
)
