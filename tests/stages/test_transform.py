"""Transformers by hand: lists of synonyms, the words of RM3, the vectors of Rocchio, and answers as queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.component import build, components
from pipelines.errors import ConfigurationError, EndpointError
from pipelines.models.chat import Answer, FunctionClient, Prompt, Sampling, register_chat_client
from pipelines.records import PADDING, Queries, Rankings
from pipelines.stages.transform import ChatTransformer
from pipelines.stages.transform.feedback import BothFeedback
from pipelines.stages.transform.hyde import HyDETransformer
from pipelines.stages.transform.multi_query import MultiQueryTransformer
from pipelines.stages.transform.rewriting import lines
from pipelines.stages.transform.rm3 import RM3Transformer, relevance_model
from pipelines.stages.transform.rocchio import RocchioTransformer, last
from pipelines.stages.transform.synonyms import SynonymsTransformer

ASKED = {"endpoint": "client:told", "model": "any"}


# Synonyms -----------------------------------------------------------------------------------------------------------


def appended(question: str, terms: dict[str, Any], **knobs: Any) -> str:
    return SynonymsTransformer(terms=terms, **knobs).transform([question]).texts[0]


ARR = {"ARR": "annual recurring revenue", "churn": ["attrition", "customer loss"]}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What was ARR?", "What was ARR? annual recurring revenue"),
        ("Annual  Recurring\nRevenue in 2023", "Annual  Recurring\nRevenue in 2023 ARR"),
        ("What is an arrow, arr?", "What is an arrow, arr?"),  # neither part of a word, nor an acronym in small letters
        ("ARR or annual recurring revenue", "ARR or annual recurring revenue"),  # it says both itself
        ("Churn and ARR", "Churn and ARR attrition customer loss annual recurring revenue"),
        ("Customer loss?", "Customer loss? churn attrition"),
        ("customer losses", "customer losses"),
        ("ARR, ARR!", "ARR, ARR! annual recurring revenue"),
        ("nothing of the kind", "nothing of the kind"),
        ("", ""),
    ],
)
def test_what_terms_mean_is_appended(question: str, expected: str) -> None:
    assert appended(question, ARR) == expected


def test_one_way_only() -> None:
    assert appended("annual recurring revenue", ARR, both_ways=False) == "annual recurring revenue"
    assert appended("ARR", ARR, both_ways=False) == "ARR annual recurring revenue"


@pytest.mark.parametrize(
    ("case", "question", "found"),
    [
        ("acronyms", "is it IT?", True),
        ("acronyms", "is it?", False),
        ("acronyms", "CHURN", True),
        ("exact", "CHURN", False),
        ("exact", "churn", True),
        ("ignore", "is it?", True),
    ],
)
def test_which_letters_must_agree(case: str, question: str, found: bool) -> None:
    terms = {"IT": "information technology", "churn": "attrition"}
    assert (appended(question, terms, case=case) != question) == found


def test_the_longest_term_wins_and_what_was_added_is_not_expanded() -> None:
    terms = {"net income": "profit", "income": "earnings", "profit": "gain"}
    assert appended("net income", terms, both_ways=False) == "net income profit"


def test_terms_of_odd_characters_are_no_patterns() -> None:
    assert appended("C++ or R&D (net)?", {"C++": "cpp", "(net)": "after tax"}) == "C++ or R&D (net)? cpp after tax"


def test_wordings_become_queries_of_their_own() -> None:
    queries = SynonymsTransformer(terms=ARR, how="queries", rrf_k=7).transform(["churn and ARR", "plain"])
    assert queries.texts == (
        "churn and ARR",
        "attrition and annual recurring revenue",
        "customer loss and annual recurring revenue",  # ARR has no second other wording
        "plain",
    )
    assert (queries.question.tolist(), queries.n_questions, queries.rrf_k) == ([0, 0, 0, 1], 2, 7)


words = st.text(alphabet="aB c1ſKß-", min_size=1, max_size=6).filter(lambda text: any(c.isalnum() for c in text))


@given(st.dictionaries(words, st.lists(words, min_size=1, max_size=3), max_size=4), st.text(alphabet="aB c1ſKß-"))
def test_any_list_goes_with_any_question(terms: dict[str, list[str]], question: str) -> None:
    for how in ("append", "queries"):
        for case in ("acronyms", "exact", "ignore"):
            found = SynonymsTransformer(terms=terms, how=how, case=case).transform([question])  # type: ignore[arg-type]
            assert found.texts[0].startswith(question)
            assert found.n_questions == 1


@pytest.mark.parametrize("terms", [{"": "x"}, {"a": ""}, {"a": []}, {"?": "x"}, {"a": {"b": "c"}}, ["a"], {"a": 3}])
def test_lists_that_are_none(terms: Any, sentence: Callable[[object], str]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        build("transform", {"use": "synonyms", "terms": terms}, "none", "p.yaml")
    sentence(refused.value)


# RM3 ----------------------------------------------------------------------------------------------------------------


def test_rm3_by_hand() -> None:
    """P(w) = sum of score x count / length: for a 3 x 2/4 + 1 x 0/2, for b 3 x 1/4 + 1 x 1/2, for c and d likewise."""
    found = [["a", "a", "b", "c"], ["b", "d"]]
    model = relevance_model(found, [3.0, 1.0], 2)
    # a 1.5, b 1.25, c 0.75, d 0.5; of the two best, a has 1.5 / 2.75 and b 1.25 / 2.75
    assert model == pytest.approx({"a": 1.5 / 2.75, "b": 1.25 / 2.75})
    rm3 = RM3Transformer(terms_added=2, original_weight=0.6)
    weights = rm3.terms(["b", "q", "q"], found, [3.0, 1.0])
    # 0.6 of the question, in which b is 1/3 and q 2/3, and 0.4 of the model
    assert weights == pytest.approx({"b": 0.6 / 3 + 0.4 * 1.25 / 2.75, "q": 0.6 * 2 / 3, "a": 0.4 * 1.5 / 2.75})
    assert sum(weights.values()) == pytest.approx(1.0)


def test_rm3_without_anything_to_learn_from() -> None:
    rm3 = RM3Transformer()
    assert rm3.terms(["q"], [], []) == {"q": 1.0}
    assert rm3.terms([], [], []) == {}
    assert rm3.terms([], [["a"]], [2.0]) == {"a": 1.0}
    assert rm3.terms(["q"], [[], ["q"]], [2.0, 1.0]) == {"q": 1.0}


def test_of_equal_words_the_first_by_name_are_taken() -> None:
    assert list(relevance_model([["c", "b", "a", "d"]], [1.0], 2)) == ["a", "b"]


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_the_extremes_of_rm3(weight: float) -> None:
    found = RM3Transformer(original_weight=weight).terms(["q"], [["a"]], [2.0])
    assert found == ({"a": 1.0} if weight == 0 else {"q": 1.0})


# Rocchio ------------------------------------------------------------------------------------------------------------

VECTORS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0.6, 0.8]], dtype=np.float32)


def rankings(*rows: Sequence[int]) -> Rankings:
    chunk = np.array(rows, dtype=np.int32)
    return Rankings(chunk, np.where(chunk == PADDING, 0, 1).astype(np.float32))


def test_rocchio_by_hand() -> None:
    asked = np.array([[1, 0, 0], [0, 0, 1]], dtype=np.float32)
    moved = RocchioTransformer(alpha=1, beta=0.5, documents=2).moved(asked, VECTORS, rankings([0, 1, 2], [2, -1, -1]))
    # (1, 0, 0) + 0.5 x ((1, 0, 0) + (0, 1, 0)) / 2 = (1.25, 0.25, 0), whose length is sqrt(1.625)
    assert moved[0] == pytest.approx(np.array([1.25, 0.25, 0]) / np.sqrt(1.625))
    assert moved[1] == pytest.approx([0, 0, 1])


def test_rocchio_moves_away_from_the_last() -> None:
    asked = np.array([[1, 0, 0]], dtype=np.float32)
    rocchio = RocchioTransformer(alpha=1, beta=0, gamma=0.5, documents=1, irrelevant=2, reach=4)
    assert (rocchio.looks_at(words=False), RocchioTransformer(documents=3).looks_at(words=False)) == (4, 3)
    moved = rocchio.moved(asked, VECTORS, rankings([0, 1, 2, 3]))
    # (1, 0, 0) - 0.5 x ((0, 0, 1) + (0, 0.6, 0.8)) / 2 = (1, -0.15, -0.45)
    assert moved[0] == pytest.approx(np.array([1, -0.15, -0.45]) / np.sqrt(1 + 0.15**2 + 0.45**2))


def test_what_is_taken_for_relevant_is_not_irrelevant_too() -> None:
    asked = np.array([[1, 0, 0]], dtype=np.float32)
    rocchio = RocchioTransformer(beta=0, gamma=1, documents=2, irrelevant=200, reach=4)
    assert rocchio.moved(asked, VECTORS, rankings([0, 1, -1, -1]))[0] == pytest.approx([1, 0, 0])


def test_the_last_hits_of_each_row() -> None:
    chunk = np.array([[5, 6, 7, 8], [5, 6, -1, -1], [-1, -1, -1, -1]], dtype=np.int32)
    assert last(chunk, 3).tolist() == [[8, 7, 6], [6, 5, -1], [-1, -1, -1]]


def test_a_question_that_nothing_was_found_for_stays() -> None:
    asked = np.array([[0.6, 0.8, 0]], dtype=np.float32)
    nothing = Rankings.empty(1, 3)
    assert RocchioTransformer(gamma=0.3).moved(asked, VECTORS, nothing)[0] == pytest.approx([0.6, 0.8, 0])
    assert RocchioTransformer(alpha=0, beta=0).moved(asked, VECTORS, nothing)[0] == pytest.approx([0.6, 0.8, 0])


def test_both_kinds_of_feedback_feed_as_each_alone() -> None:
    both = BothFeedback(documents=4)
    assert both.feeding(words=True) == RM3Transformer(documents=4).feeding(words=True)
    assert both.feeding(words=False) == RocchioTransformer(documents=4).feeding(words=False)


# Language models ----------------------------------------------------------------------------------------------------


def told(answer: Callable[[str], str] | str) -> None:
    register_chat_client("told", FunctionClient((lambda _: answer) if isinstance(answer, str) else answer, "told"))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("1. Who?\n2) What?\n(3) When?", ["Who?", "What?", "When?"]),
        ('Here are two versions:\n\n- "Who?"\n* who?\n• What?', ["Who?", "What?"]),
        ("2023 was what?\n3.5 % of what?", ["2023 was what?", "3.5 % of what?"]),
        ("\n - \n...\n", []),
    ],
)
def test_answers_by_lines(answer: str, expected: list[str]) -> None:
    assert [line.casefold() for line in lines(answer)] == [line.casefold() for line in expected]


@pytest.mark.parametrize("name", ["multi-query", "step-back", "decompose"])
def test_rewritten_questions_are_queries(name: str) -> None:
    told("<think>Hm.\nWhat else?</think>1. Who is it?\n2. What is it?\n3. When?\n4. Where?\n5. Why?")
    one = components("transform")[name](**ASKED, rrf_k=9)
    assert isinstance(one, ChatTransformer)
    most = {"multi-query": 3, "step-back": 1, "decompose": 4}[name]
    queries = one.transform(["Hm?", "Who is it?"])
    found = ["Who is it?", "What is it?", "When?", "Where?"][:most]
    assert queries.texts == ("Hm?", *found, "Who is it?", *found[1:])
    assert queries.rrf_k == 9
    alone = one.model_copy(update={"keep_question": False}).transform(["Hm?"])
    assert alone.texts == tuple(found)


@pytest.mark.parametrize("name", ["multi-query", "step-back", "decompose", "hyde"])
def test_the_question_stands_in_the_prompt(name: str) -> None:
    one = components("transform")[name](**ASKED, prompt="Say {n} of: {question}!")
    assert isinstance(one, ChatTransformer)
    asked = one.prompts("what is {n} of {question}?")[0].messages[0].content
    assert asked.endswith(" of: what is {n} of {question}?!")


@pytest.mark.parametrize("name", ["multi-query", "step-back", "decompose", "hyde"])
def test_a_prompt_without_a_place_for_the_question(name: str, sentence: Callable[[object], str]) -> None:
    with pytest.raises(ConfigurationError, match=r"\{question\}") as refused:
        build("transform", {"use": name, **ASKED, "prompt": "Say something."}, "none", "p.yaml")
    sentence(refused.value)


def test_answers_of_no_use_leave_the_question_and_are_told() -> None:
    told(lambda prompt: "Who?" if "good" in prompt else "...")
    notes: list[str] = []
    one = MultiQueryTransformer(**ASKED, keep_question=False)
    answers = [["Who?"], ["..."]]
    assert one.rewritten(["good", "bad"], answers, notes.append).texts == ("Who?", "bad")
    assert notes == ["1 of 2 answers of any held no query: the question itself was used."]


@pytest.mark.parametrize("name", ["multi-query", "step-back", "decompose", "hyde"])
def test_when_no_answer_is_of_any_use(name: str, sentence: Callable[[object], str]) -> None:
    told("<think>I am still thinking about")
    one = components("transform")[name](**ASKED)
    assert isinstance(one, ChatTransformer)
    with pytest.raises(EndpointError, match="None of the 2 answers") as refused:
        one.transform(["a", "b"])
    sentence(refused.value)


def test_hyde_searches_for_what_was_made_up() -> None:
    told(lambda prompt: f"About {prompt[-1]}.")
    one = HyDETransformer(**ASKED, question_repeats=2, prompt="{question}")
    queries = one.transform(["a", "b"])
    assert queries.texts == ("a a About a.", "b b About b.")
    assert (queries.meant, queries.passages) == (("a", "b"), (("About a.",), ("About b.",)))
    assert one.one_query
    assert one.model_copy(update={"with_question": False}).transform(["a"]).meant == ("",)


def test_several_passages_are_several_draws() -> None:
    class Counting:
        identity = "counting"

        def complete(self, prompts: Sequence[Prompt], sampling: Sampling) -> Any:
            return [(i, Answer(f"draw {one.draw}", 1, 1, 0.0)) for i, one in enumerate(prompts)]

    register_chat_client("told", Counting())
    several = HyDETransformer(**ASKED, passages=3, temperature=0.7)
    assert several.transform(["a"]).passages == (("draw 0", "draw 1", "draw 2"),)
    assert several.model_copy(update={"temperature": 0.0}).transform(["a"]).passages == (("draw 0",),)


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"concurrency": 9}, True),
        ({"timeout_s": 9.0}, True),
        ({"retries": 0}, True),
        ({"usd_per_million_prompt_tokens": 1.0}, True),
        ({"key_variable": "K"}, True),
        ({"model": "other"}, False),
        ({"temperature": 0.5}, False),
        ({"prompt": "Other words for {question}"}, False),
        ({"rrf_k": 1}, False),
    ],
)
def test_what_decides_the_queries(changed: dict[str, Any], same: bool) -> None:
    told("x")
    one, other = MultiQueryTransformer(**ASKED), MultiQueryTransformer(**{**ASKED, **changed})
    assert (one.rewriting() == other.rewriting()) == same
    assert one.fingerprint() != other.fingerprint()


def test_another_client_of_the_same_name_decides_too() -> None:
    one = MultiQueryTransformer(**ASKED)
    register_chat_client("told", FunctionClient(str.upper, "first"))
    before = one.rewriting(), one.fingerprint()
    register_chat_client("told", FunctionClient(str.upper, "second"))
    assert one.rewriting() != before[0]
    assert one.fingerprint() != before[1]


def test_the_queries_of_one_question() -> None:
    queries = Queries.several([["a", "b"], ["c"]], rrf_k=5)
    alone, own = queries.of_question(0)
    assert (alone.texts, own.tolist(), alone.rrf_k, alone.n_questions) == (("a", "b"), [0, 1], 5, 1)
