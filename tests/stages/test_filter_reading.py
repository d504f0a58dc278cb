"""What is read out of questions, on metadata that look otherwise than the bundled set's."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from pipelines.component import components
from pipelines.errors import ConfigurationError
from pipelines.pipeline import Pipeline
from pipelines.records import Column
from pipelines.stages.filter import Asked, Filtered
from pipelines.stages.filter.inferred import InferredFilter

from .reading_helpers import filtered, left, read, sieve

NOVATEK, OSTRAVA = "Novatek Systems Inc.", "Ostrava Steel AG"


@pytest.mark.parametrize(
    ("question", "field", "values"),
    [
        ("What was Novatek's margin?", "company", {NOVATEK}),  # leading word, possessive
        ("What did novatek systems earn?", "company", {NOVATEK}),  # legal form dropped, no capitals
        ("NOVATEK SYSTEMS INC: margin?", "company", {NOVATEK}),
        ("Ostrava Steel or Novatek: who grew?", "company", {NOVATEK, OSTRAVA}),
        ("What did NVTK say?", "ticker", {"NVTK"}),
        ("what did nvtk say", "ticker", {"NVTK"}),
        ("Bridgewell's lenders", "company", {"Bridgewell Development Group"}),
        ("The 10-Ks: which risks?", "filing_type", {"10-K"}),  # plural
        ("the 10K on risks", "filing_type", {"10-K"}),  # without the hyphen
        ("In annual reports, what is said?", "filing_type", {"annual_report"}),  # an underscore, plural
        ("press releases on steel", "filing_type", {"press-release"}),
        ("Which plants are in Germany?", "country", {"Germany"}),
        ("What is sold in the United States?", "country", {"United States"}),
        ("What did Omar Diallo sign?", "author", {"Omar Diallo"}),
        ("What did Diallo sign?", "author", {"Omar Diallo"}),  # a person's last name
    ],
)
def test_names(question: str, field: str, values: set[Any]) -> None:
    assert read(question).get(field) == values


@pytest.mark.parametrize(
    "question",
    [
        "Are all notes current, and is the policy on other assets the general rule?",
        "All in all, what changed?",  # ALL is a ticker
        "What is the current ratio?",
        "Other income: how much?",
        "What was noted on the old method?",
        "Which policy applies?",
        "How was the lost cargo found?",
        "how does the steel group price systems and grain",  # words of names, but no names
        "",
    ],
)
def test_common_words_are_no_values(question: str) -> None:
    assert read(question) == {}


def test_a_longer_name_is_another_name() -> None:
    assert "company" not in read("What did Novatek Ventures earn?")
    assert read("What did Novatek Systems earn?")["company"] == {NOVATEK}


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("revenue in FY2023", [1, 4]),  # the fiscal year, where it has a value of its own
        ("revenue in fiscal 2022", [0, 6]),
        ("revenue in 2022 against 2021", [0, 6, 7]),
        ("margin in Q2 2023", [3]),
        ("margin in the second quarter of 2023", [3]),
        ("2Q23 margin", [3]),
        ("the first half of 2023", [5]),
        ("filed since March 2024", [4]),
        ("What was published in August 2023?", [3]),
        ("results of last year", [1, 2, 3, 4, 5]),  # the newest date is 2024-03-20
        ("margin in the third quarter of 2019", list(range(8))),  # of which nothing is there: nothing is removed
        ("units sold: 2,023, at $2023 or 2023.50", list(range(8))),
        ("Who signed in Q1?", [2]),
    ],
)
def test_time(question: str, rows: list[int]) -> None:
    assert left(question) == rows


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("What was said in 2023?", [0, 2, 3, 5, 6]),  # by the date alone
        ("since July 2023", [1, 3, 4, 5]),
        ("last month", list(range(8))),  # February 2024: below
        ("What was filed in the previous quarter?", list(range(8))),
    ],
)
def test_dates_alone(question: str, rows: list[int]) -> None:
    found = left(question, "fiscal_year", "period")
    assert found == ([1] if question == "last month" else rows)


def test_relative_dates_count_from_the_day_that_is_given() -> None:
    assert left("results of last year", reference_date="2023-06-30") == [0, 6]
    assert left("over the last two years", "fiscal_year", "period", reference_date="2023-08-01") == [0, 2, 5, 6, 7]


def test_a_comparison_within_a_report_is_no_period() -> None:
    assert left("In Q2 2023, how did it compare with the quarter before, and with last year?") == [3]


@pytest.mark.parametrize(
    ("values", "question", "expected"),
    [
        ([2022, 2023], "in 2023", 2023),
        (["2022", "2023"], "in 2023", "2023"),
        (["FY22", "FY23"], "in fiscal year 2023", "FY23"),
        (["2023-Q1", "2023-Q2"], "in the first quarter of 2023", "2023-Q1"),
        (["2022/23", "2023/24"], "in 2022/23", "2022/23"),
        (["H1 2023", "H2 2023"], "H2 2023 results", "H2 2023"),
        (["2023-03", "2023-04"], "in April 2023", "2023-04"),
    ],
)
def test_every_form_of_time_field(values: list[Any], question: str, expected: Any) -> None:
    columns = {"when": Column.of(values)}
    guesses = InferredFilter().open(Filtered(columns, len(values))).reader.guesses(question + " report")
    assert expected in guesses[0].values["when"]


def test_numbers_need_their_field() -> None:
    columns = {"edition": Column.of([1, 2, 3]), "page": Column.of([4, 5, 6])}
    reader = InferredFilter().open(Filtered(columns, 3)).reader

    def editions(question: str) -> set[Any]:
        return {value for guess in reader.guesses(question) for value in guess.values.get("edition", ())}

    assert editions("under the second edition") == {2}
    assert editions("edition 3 says") == {3}
    assert editions("from the 1st to the 2nd edition") == {1, 2}
    assert editions("in all three editions, and 2 of 3 cases on page 5") == set()


def test_one_name_in_two_fields_may_mean_either() -> None:
    columns = {"buyer": Column.of(["Acme Ltd", "Borel SA", "Cind AG"]), "seller": Column.of(["Borel SA", "X", "Y"])}
    found = InferredFilter().open(Filtered(columns, 3)).candidates([Asked("What did Borel do?", {})])
    assert found.allowed[0].tolist() == [True, True, False]


def test_a_name_that_several_begin_with_names_each() -> None:
    columns = {"company": Column.of(["Kestrel Motors", "Kestrel Energy", "Lund Foods"])}
    found = InferredFilter().open(Filtered(columns, 3)).candidates([Asked("What did Kestrel earn?", {})])
    assert found.allowed[0].tolist() == [True, True, False]


def test_a_word_of_a_title_is_no_title() -> None:
    columns = {
        "title": Column.of(["Europe after the Storm", "Rates in Review"]),
        "topic": Column.of(["Europe at war", "x"]),
    }
    reader = InferredFilter().open(Filtered(columns, 2)).reader
    assert reader.guesses("How did Europe react, and what of Rates?") == []
    assert reader.guesses("What does 'Europe after the Storm' say?")[0].values == {"title": ("Europe after the Storm",)}


def test_what_a_chunk_mentions_is_read_only_when_named() -> None:
    columns = {"mentioned_year": Column.of([2022, 2023]), "section": Column.of(["Liquidity", "Scope"])}
    columns |= {"company_mentioned": Column.of(["Novatek", "Ostrava"]), "entity_org": Column.of(["Novatek", "Ostrava"])}
    question = "What does Novatek say of Liquidity in 2023?"
    assert InferredFilter().open(Filtered(columns, 2)).reader.guesses(question) == []
    named = InferredFilter(fields=["mentioned_year"]).open(Filtered(columns, 2)).reader.guesses(question)
    assert [one.where for one in named] == [{"mentioned_year": 2023}]


def test_without_metadata_nothing_is_read() -> None:
    for name in ("known", "inferred", "boost"):
        opened = components("filter")[name]().open(Filtered({}, 3, ["a", "b", "c"]))
        assert opened.candidates([Asked("What did Novatek say in 2023?", {"year": 2023})]).mask.tolist() == [-1]


def test_aliases_of_the_user() -> None:
    assert "company" not in read("What did the Colossus earn?")
    knobs = {"aliases": ["the Colossus = Ostrava Steel AG"]}
    assert read("What did the colossus earn?", **knobs)["company"] == {OSTRAVA}
    with pytest.raises(ConfigurationError, match=r"another name to 'Ostrava Steal', .* Did you mean 'Ostrava S"):
        sieve(aliases=["x = Ostrava Steal"])
    with pytest.raises(ConfigurationError, match=r"filter\.inferred\.aliases"):
        Pipeline.parse({"filter": {"use": "inferred", "aliases": ["no equals sign"]}})


def test_a_higher_threshold_reads_less() -> None:
    question = "What did Ferris of Novatek file in 10-Ks of 2023, early in May 2023?"
    read_at = [set(read(question, threshold=t)) for t in (0.0, 0.5, 0.8, 0.96)]
    assert all(less <= more for more, less in pairwise(read_at))
    assert read_at[1] and not read_at[-1]


def test_only_the_fields_that_are_named() -> None:
    assert set(read("Novatek in Germany, 2023", fields=["country"])) == {"country"}
    with pytest.raises(ConfigurationError, match=r"field 'countri' out of questions.* Did you mean 'country'"):
        sieve(fields=["countri"])


def test_where_too_few_remain_the_least_sure_is_dropped() -> None:
    """Novatek (0.8) has no report on Germany (0.95): the country is kept, and whoever is least sure goes."""
    question = "What did Novatek build in Germany?"
    guesses = sieve().reader.guesses(question)
    assert [next(iter(one.values)) for one in guesses] == ["country", "company"]
    assert left(question) == [4, 5]
    assert left(question, least=0) == []
    assert left("Ostrava Steel, H1 2023", least=7) == [4, 5]  # six chunks a row: the half year goes first
    notes = sieve().candidates([Asked(question, {}), Asked("Who?", {})]).notes
    assert notes[0] == "The filter reads conditions out of 1 of 2 questions."
    assert "For 1 of them too few chunks met all" in notes[1]


def test_a_filter_that_leaves_nothing_is_told() -> None:
    notes = sieve(least=0).candidates([Asked("What did Novatek build in Germany?", {}), Asked("Who?", {})]).notes
    assert any("removes every chunk for 1 of 2 questions" in note for note in notes)


def test_chunks_without_the_field_can_be_kept() -> None:
    columns = {"year": Column.of([2022, 2023, None])}
    for keep, expected in ((False, [False, True, False]), (True, [False, True, True])):
        opened = InferredFilter(keep_missing=keep).open(Filtered(columns, 3))
        assert opened.candidates([Asked("in 2023", {})]).allowed[0].tolist() == expected


def test_agreement_with_the_labels() -> None:
    asked = [
        Asked("Novatek in 2023", {"company": NOVATEK, "fiscal_year": 2023, "country": "Germany"}),  # two of three
        Asked("Novatek or Ostrava Steel", {"company": OSTRAVA}),  # one of two read
        Asked("Who?", {"company": OSTRAVA}),
        Asked("Novatek", {}),
        Asked("Novatek", {"no such field": 1}),
    ]
    found = sieve().candidates(asked).agreement
    assert found is not None
    assert found.tolist() == [[2, 2, 3], [1, 2, 1], [0, 0, 1], [0, 0, 0], [0, 0, 0]]


def test_known_leaves_out_what_no_chunk_has() -> None:
    known = components("filter")["known"]()
    asked = [
        Asked("", {"company": NOVATEK, "fiscal_year": 2023}),
        Asked("", {"company": "Nobody Ltd", "fiscal_year": 2022}),  # a value that no chunk has
        Asked("", {"fiscal_year": "2023"}),  # of another type
        Asked("", {"planet": "Mars"}),  # a field that there is not
        Asked("", {}),
        Asked("", {"company": NOVATEK, "country": "Germany"}),  # together nowhere: the rarer is dropped
    ]
    found = known.open(filtered()).candidates(asked)
    rows = [None if m < 0 else [i for i in range(8) if found.allowed[m][6 * i]] for m in found.mask]
    assert rows == [[1, 2, 3], [0, 6], None, None, None, [0, 1, 2, 3]]
    assert "3 questions of 6 carry labels that no chunk has" in found.notes[0]
    assert any("For 1 of 6 questions too few chunks meet all labelled values" in note for note in found.notes)


def test_boost_lifts_by_the_share_of_the_conditions_met() -> None:
    boost = components("filter")["boost"](weight=0.6)
    found = boost.open(filtered()).candidates([Asked("Novatek in the United States, Q2 2023", {}), Asked("Who?", {})])
    assert found.mask.tolist() == [0, -1]
    assert found.allowed.all()
    levels = found.level[0][::6].tolist()
    assert levels == [2, 3, 3, 4, 1, 1, 0, 0]  # company, country, year, period
    assert found.bonus[0].tolist() == pytest.approx([0, 0.15, 0.3, 0.45, 0.6])
    labelled = components("filter")["boost"](source="known").open(filtered())
    assert labelled.candidates([Asked("", {"company": OSTRAVA})]).level[0][::6].tolist() == [0, 0, 0, 0, 1, 1, 0, 0]
