"""Claims: of several workers one computes, a dead one's are free again, a slow one's once its lease is over."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from pipelines.runs.claims import StoredClaims
from pipelines.runs.database import Database
from pipelines.runs.jobs import LEASE_S, Jobs
from pipelines.runs.schema import claim
from pipelines.settings import database_url

SLOW, QUICK = "elsewhere:1:1.0", "elsewhere:2:1.0"


@pytest.fixture
def database() -> Database:
    """The run store of this test."""
    return Database(database_url())


def held(database: Database) -> dict[str, str]:
    """Who holds which key."""
    with database.reading() as connection:
        return {row.key: row.worker for row in connection.execute(select(claim.c.key, claim.c.worker))}


def test_a_key_is_claimed_by_one_and_free_when_given_back(database: Database) -> None:
    one, other = StoredClaims(database, SLOW), StoredClaims(database, QUICK)
    assert one.take("k")
    assert one.take("k"), "its own claim is no obstacle"
    assert not other.take("k")
    assert other.take("another")
    other.give_back("k")
    assert held(database) == {"k": SLOW, "another": QUICK}, "what another holds cannot be given back"
    one.give_back("k")
    assert other.take("k")


def test_the_claims_of_a_dead_worker_are_free(database: Database, dead_worker: str) -> None:
    assert StoredClaims(database, dead_worker).take("k")
    assert StoredClaims(database, QUICK).take("k")
    assert held(database) == {"k": QUICK}


def test_a_lease_that_is_over_frees_a_claim_and_a_beat_renews_it(database: Database) -> None:
    slow, jobs = StoredClaims(database, SLOW), Jobs(database)
    job = jobs.submit("sweep", "same", "title", {}, again=True)
    assert jobs.claim(SLOW) is not None
    slow.take("k")
    with database.writing() as connection:
        connection.execute(update(claim).values(lease_until=time.time() - 1))
    assert jobs.beat(job.id, SLOW, {}) == "go on"
    assert not StoredClaims(database, QUICK).take("k"), "the beat has renewed it"
    with database.writing() as connection:
        connection.execute(update(claim).values(lease_until=time.time() - 1))
    assert StoredClaims(database, QUICK).take("k")
    assert LEASE_S > 1


def test_a_worker_that_ends_leaves_no_claim(database: Database) -> None:
    claims = StoredClaims(database, SLOW)
    for key in "abc":
        claims.take(key)
    StoredClaims(database, QUICK).take("d")
    claims.clear()
    assert held(database) == {"d": QUICK}


def test_of_twenty_threads_one_gets_each_key(database: Database) -> None:
    keys = [f"key {i}" for i in range(10)]

    def take(n: int) -> list[str]:
        claims = StoredClaims(database, f"elsewhere:{n}:1.0")
        return [key for key in keys if claims.take(key)]

    with ThreadPoolExecutor(20) as pool:
        taken = Counter(key for found in pool.map(take, range(20)) for key in found)
    assert taken == dict.fromkeys(keys, 1)
