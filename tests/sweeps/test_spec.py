"""A sweep's file: what it means, how it is written back, and everything that can be wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.errors import ConfigurationError
from pipelines.pipeline import Pipeline, parse_settings
from pipelines.sweeps.search import Race
from pipelines.sweeps.spec import SweepSpec

BRIEF = """
chunk: [{use: recursive, size: [128, 256]}, {use: sentence, size: 256}]
retrieve: {use: [dense, bm25, hybrid], depth: [10, 50]}
rerank: [none, {use: mmr, lambda_mult: {from: 0.3, to: 0.9, step: 0.2}}]
search: {strategy: grid, trials: 200, objectives: [ndcg@10, -context_tokens], seed: 7, batch: 16, race: false,
         report_on: test}
"""
EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "examples" / "sweeps").glob("*.yaml"))


def parsed(text: str) -> SweepSpec:
    return SweepSpec.parse(parse_settings(text.encode(), "s.yaml"), "s.yaml")


def test_the_format() -> None:
    spec = parsed(BRIEF)
    # 3 chunkings x (3 retrievers x 2 depths) x (none + 4 lambdas).
    assert spec.space.size() == 3 * 6 * 5
    assert [objective.metric for objective in spec.objectives] == ["ndcg@10", "context_tokens@10"]
    assert (spec.search.seed, spec.search.n_batch, spec.search.race) == (7, 16, None)


def test_what_is_left_out() -> None:
    spec = parsed("chunk: fixed")
    search = spec.search
    assert (search.strategy, search.n_trials, search.objectives) == ("grid", 100, ("ndcg@10",))
    assert (search.seed, search.race, search.report_on) == (0, None, "test")
    batches = [parsed(f"search: {{strategy: {name}}}").search.n_batch for name in ("grid", "random", "tpe", "nsga2")]
    assert batches == [None, None, 8, 16]
    assert parsed("").space.size() == 1
    assert next(iter(parsed("").space.configurations())).settings == {}


def test_racing() -> None:
    assert parsed("search: {race: true}").search.race == Race(alpha=0.05, rounds=5)
    assert parsed("search: {race: {alpha: 0.1}}").search.race == Race(alpha=0.1, rounds=5)


@pytest.mark.parametrize(
    "text", [BRIEF, "", "search: {strategy: tpe, race: {rounds: 3}}", *(p.read_text() for p in EXAMPLES)]
)
def test_it_goes_through_yaml_and_back(text: str, tmp_path: Path) -> None:
    spec = parsed(text)
    (tmp_path / "again.yaml").write_text(spec.to_yaml())
    again = SweepSpec.read(tmp_path / "again.yaml")
    assert again == spec
    assert again.settings() == spec.settings()
    assert again.fingerprint() == spec.fingerprint()
    assert yaml.safe_load(spec.to_yaml()) == spec.settings()


def test_the_fingerprint_tells_sweeps_apart() -> None:
    texts = ["", "chunk: fixed", "chunk: {use: fixed, size: [16, 32]}", "search: {seed: 1}", "search: {race: true}"]
    assert len({parsed(text).fingerprint() for text in texts}) == len(texts)


def test_a_pipeline_is_a_sweep_of_one() -> None:
    for path in sorted((Path(__file__).parents[2] / "docs" / "examples").glob("*.yaml")):
        (only,) = SweepSpec.read(path).space.configurations()
        assert Pipeline.parse(only.settings) == Pipeline.read(path)
        assert only.params == {}


def test_a_folder_is_named_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    spec = parsed("embed: [minilm, {use: sentence-transformer, model: model}]")
    assert spec.settings()["embed"][1]["model"] == str(tmp_path / "model")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_sweeps(path: Path) -> None:
    spec = SweepSpec.read(path)
    assert spec.space.knobs()
    assert path.read_text().startswith("# ")


REFUSED: list[tuple[str, str, str]] = [
    ("[chunk]", "a sweep is a mapping of stages", "but this holds ['chunk']."),
    ("serach: {}", "there is no stage 'serach'", "Did you mean 'search'?"),
    ("12: fixed", "there is no stage '12'", "and search."),
    ("chunk: !!set {a, b}", "holds a value that JSON cannot hold", "write numbers, texts, lists and mappings."),
    ("chunk: {use: fixed, size: .nan}", "holds a value that JSON cannot hold", ""),
    # Alternatives
    ("chunk: []", "stage 'chunk' holds an empty list", "name one or more components."),
    ("chunk: {use: []}", "holds an empty list under use", "name one or more components."),
    ("chunk: [fixed, 3]", "stage 'chunk' takes a component's name, a mapping such as {use: recursive}", "but holds 3."),
    ("chunk: [fixed, [sentence]]", "or a list of these, but holds ['sentence'].", ""),
    ("chunk: [fixed, null]", "but holds None.", ""),
    ("chunk: [fixed, sentense]", "there is no chunk component 'sentense'", "Did you mean 'sentence'?"),
    ("chunk: {use: [fixed, 3]}", "there is no chunk component '3'", ""),
    ("chunk: [fixed, fixed]", "names the component 'fixed' twice with the same knobs", "name it once."),
    ("chunk: {use: fixed, sise: 100}", "chunk component 'fixed' has no knob 'sise'", "Did you mean 'size'?"),
    ("chunk: {use: [fixed, sentence], sise: 3}", "none of the chunk components fixed, sentence has a knob 'sise'",
     "their knobs are: overlap, size, tokenizer. Did you mean 'size'?"),
    ("embed: [sentence-transformer]", "embed.sentence-transformer needs the knob 'model'", ""),
    # Values
    ("chunk: {use: fixed, size: []}", "chunk.fixed.size holds an empty list", "name one or more values to try."),
    ("chunk: {use: fixed, size: [100, 8]}", "chunk.fixed.size must be 16 to 8192 tokens", "but got 8."),
    ("chunk: {use: fixed, size: [100, 100]}", "chunk.fixed.size names 100 twice", "name each value once."),
    ("chunk: {use: fixed, size: [100, [200]]}", "chunk.fixed.size must be 16 to 8192 tokens", "but got [200]."),
    ("chunk: {use: fixed, size: null}", "chunk.fixed.size must be 16 to 8192 tokens", "but got None."),
    ("chunk: [fixed, {use: sentence, overlap: 0.9}]", "chunk.sentence.overlap must be 0.0 to 0.5", "but got 0.9."),
    ("retrieve: {use: hybrid, fusion: [rrf, both]}", "fusion must be rrf | weighted", "but got 'both'."),
    ("score: {use: standard, cutoffs: [[1], [0]]}", "score.standard.cutoffs must be", "1 to 1000"),
    ("filter: {use: where, where: [{year: {$like: 3}}]}", "unknown operator '$like'", "$gte"),
    # Ranges
    ("chunk: {use: fixed, size: {from: 8, to: 100}}", "chunk.fixed.size must be 16 to 8192 tokens", "but got 8."),
    ("chunk: {use: fixed, size: {from: 100, to: 9000, count: 3}}", "must be 16 to 8192 tokens", "but got 9000."),
    ("chunk: {use: fixed, size: {from: 16.5, to: 100}}", "chunk.fixed.size: from must be a whole number", "16.5."),
    ("chunk: {use: fixed, size: {from: many, to: 100}}", "from must be a whole number", "but got 'many'."),
    ("chunk: {use: fixed, size: {from: true, to: 100}}", "from must be a whole number", "but got True."),
    ("chunk: {use: fixed, size: {from: 200, to: 100}}", "but got 200 to 100", "write a single value without a range."),
    ("chunk: {use: fixed, size: {from: 100, to: 200, setp: 2}}", "but holds 'setp'.", "Did you mean 'step'?"),
    ("chunk: {use: fixed, size: {from: 100}}", "but 'to' is missing.", "a range such as {from: 1, to: 9}"),
    ("chunk: {use: fixed, size: {from: 100, to: 200, step: 0}}", "step must be more than 0, at most 100", "but got 0."),
    ("chunk: {use: fixed, size: {from: 100, to: 200, step: 101}}", "step must be more than 0, at most 100", "got 101."),
    ("chunk: {use: fixed, size: {from: 100, to: 200, count: 1}}", "count must be 2 to 10000 values", "but got 1."),
    ("chunk: {use: fixed, size: {from: 100, to: 200, step: 5, count: 2}}", "both step and count", "name one of them."),
    ("chunk: {use: fixed, size: {from: 100, to: 200, step: 5, log: true}}", "both step and log", "use count with log."),
    ("chunk: {use: fixed, size: {from: 100, to: 200, log: 1}}", "log must be true | false", "but got 1."),
    ("chunk: {use: fixed, overlap: {from: 0, to: 0.5, count: 3, log: true}}", "from must be more than 0", "0.0."),
    ("chunk: {use: fixed, overlap: {from: 0, to: 0.5, step: 0.00001}}", "comes to more than 10000 values", ""),
    ("retrieve: {use: hybrid, fusion: {from: 1, to: 2}}", "must be rrf | weighted, or a list of such values", ""),
    ("embed: {use: minilm, normalize: {from: 0, to: 1}}", "must be true | false, or a list of such values", ""),
    # Search
    ("search: tpe", "search takes a mapping such as {strategy: tpe, trials: 100}", "but holds 'tpe'."),
    ("search: {stratgy: tpe}", "search has no key 'stratgy'; its keys are: strategy, trials", "'strategy'?"),
    ("search: {strategy: gird}", "search.strategy must be grid | random | tpe | nsga2", "but got 'gird'."),
    ("search: {trials: 0}", "search.trials must be 1 to 100000", "but got 0."),
    ("search: {trials: true}", "search.trials must be 1 to 100000", "but got True."),
    ("search: {seed: 1.5}", "search.seed must be 0 to 2147483647", "but got 1.5."),
    ("search: {batch: many}", "search.batch must be 1 to 100000", "but got 'many'."),
    ("search: {strategy: nsga2, batch: 1}", "search.batch must be 2 or more with nsga2", ""),
    ("search: {objectives: ndcg@10}", "search.objectives must be a list of 1 to 8 metrics' names", "'ndcg@10'."),
    ("search: {objectives: []}", "search.objectives must be a list of 1 to 8 metrics' names", "but got []."),
    ("search: {objectives: [3]}", "search.objectives must be a list of 1 to 8 metrics' names", "but got 3."),
    ("search: {race: maybe}", "search.race must be true | false | {alpha: 0.05, rounds: 5}", "but got 'maybe'."),
    ("search: {race: {alpa: 0.1}}", "search.race has no key 'alpa'; its keys are: alpha, rounds", "'alpha'?"),
    ("search: {race: {alpha: 2}}", "search.race.alpha must be more than 0.0, at most 0.5", "but got 2."),
    ("search: {report_on: tset}", "search.report_on must be train | dev | test", "but got 'tset'."),
    # Grids that cannot be
    ("retrieve: {use: hybrid, alpha: {from: 0, to: 1}}", "retrieve.alpha is a range from 0.0 to 1.0 without step",
     "name a step or a count, or search with random, tpe or nsga2."),
    ("chunk: {use: fixed, size: {from: 16, to: 8192}, overlap: {from: 0, to: 0.9, count: 91}}",
     "the grid has 744,107 configurations", "leave values out"),
    ("chunk: {use: fixed, size: [16, 32, 64]}\nsearch: {trials: 2}", "the grid has 3 configurations",
     "search.trials allows 2; set trials to 3 or more"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said", "also"), REFUSED, ids=[text for text, _, _ in REFUSED])
def test_sweeps_that_are_none(text: str, said: str, also: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parsed(text)
    message = str(refused.value)
    assert message.startswith("s.yaml")
    assert said in message
    assert also in message
    assert "\n" not in message
    assert message.endswith((".", "?"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="There is no file"):
        SweepSpec.read(tmp_path / "none.yaml")


def test_a_grid_as_large_as_its_cap_is_taken() -> None:
    assert parsed("chunk: {use: fixed, size: [16, 32, 64]}\nsearch: {trials: 3}").space.size() == 3


def test_the_same_grid_is_a_large_one_but_no_obstacle_to_a_sampler() -> None:
    wide: dict[str, Any] = {
        "chunk": {"use": "fixed", "size": {"from": 16, "to": 8192}, "overlap": {"from": 0, "to": 0.9}}
    }
    assert SweepSpec.parse({**wide, "search": {"strategy": "tpe"}}).space.size() is None
