"""A sentence-transformers model that encodes each distinct text once, and every text as if it were alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.errors import ConfigurationError
from pipelines.models.backends import Transform
from pipelines.models.batches import Batch, batches, one_by_one
from pipelines.progress import Keep, Progress
from pipelines.records import BoolArray, FloatArray, LongArray

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_NO_TOKENS = (
    "This model gives no vector for each token, only one for a whole text; late interaction needs a "
    "sentence-transformers model that begins with a plain transformer."
)
_DOCUMENT_PROMPTS = ("document", "passage", "corpus")


@dataclass(frozen=True)
class Encoding:
    """How texts are encoded: as queries or as documents, whether scaled to length 1, and how many at once.

    `prompt` is put before every text; None puts what the model's makers ask for, "" nothing.
    """

    queries: bool = False
    normalize: bool = True
    batch_size: int = 32
    prompt: str | None = None

    @property
    def task(self) -> str:
        """The name of the route that a model with several takes."""
        return "query" if self.queries else "document"


class Encoder:
    """A loaded model. The transformer runs in the precision that was asked for; pooling and scaling in float32.

    A text's vector depends on the text alone, to the bit: every text is padded to a width that its own length decides.
    Where a row's products at one width do depend on how many rows stand beside it, all batches have `fixed_rows` rows.
    """

    def __init__(self, model: SentenceTransformer, transform: Transform, fixed_rows: int | None = None) -> None:
        self._model, self._transform, self.fixed_rows = model, transform, fixed_rows
        limit = model.get_max_seq_length()
        self.max_tokens: int | None = None if limit is None or math.isinf(limit) else int(limit)

    @property
    def dimensions(self) -> int:
        """The width of the vectors."""
        return int(self._model.get_embedding_dimension() or 0)

    def encode(
        self, texts: Sequence[str], encoding: Encoding, progress: Progress, keep: Keep
    ) -> tuple[FloatArray, int]:
        """Return vectors float32 [n_texts, dimensions] and the number of texts that were cut at `max_tokens`.

        `keep` gets, after each batch, the first positions of its texts and float32 [n, dimensions + 2]: the vectors,
        the length of each text and the length that the model reads, in tokens.
        """
        first: dict[str, int] = {}
        own = np.asarray([first.setdefault(text, len(first)) for text in texts], dtype=np.int64)
        distinct = list(first)
        where = np.unique(own, return_index=True)[1]
        lengths = self._lengths(distinct, encoding)
        vectors = np.zeros((len(distinct), self.dimensions), dtype=np.float32)
        done = 0
        for batch in self._batches(lengths, encoding):
            at = batch.positions
            chosen = [distinct[i] for i in at]
            chosen += chosen[-1:] * ((self.fixed_rows or 0) - len(at) if batch.width_tokens else 0)
            vectors[at] = self._forward(chosen, batch, encoding)[: len(at)]
            keep(where[at], self._with_lengths(vectors[at], lengths[at]))
            done += len(at)
            progress(done, len(distinct))
        return vectors[own], int(self._cut(lengths)[own].sum())

    def tokens(self, texts: Sequence[str], encoding: Encoding) -> Iterator[tuple[int, FloatArray]]:
        """Yield the position of each of some distinct texts with its tokens' vectors, float32 [n_tokens, dimensions].

        They are the first module's, of length 1 each, without those of the tokens that only begin or end a text.

        Raises:
            ConfigurationError: when the model's first module gives no vector a token.
        """
        lengths = self._lengths(texts, encoding)
        special = self._special()
        for batch in self._batches(lengths, encoding):
            chosen = [texts[i] for i in batch.positions]
            chosen += chosen[-1:] * ((self.fixed_rows or 0) - len(chosen) if batch.width_tokens else 0)
            ids, mask, vectors = self._token_vectors(chosen, batch, encoding)
            for row, position in enumerate(batch.positions.tolist()):
                yield position, vectors[row][mask[row] & ~np.isin(ids[row], special)]

    def _special(self) -> LongArray:
        tokenizer: Any = getattr(self._model, "tokenizer", None)
        return np.asarray(getattr(tokenizer, "all_special_ids", None) or [], dtype=np.int64)

    def _token_vectors(
        self, texts: list[str], batch: Batch, encoding: Encoding
    ) -> tuple[LongArray, BoolArray, FloatArray]:
        """Return token numbers, which tokens are no padding, and vectors: [n, width], [n, width], [n, width, dims]."""
        import torch

        features = self._on_device(self._features(texts, batch, encoding))
        if not {"input_ids", "attention_mask"} <= set(features):
            raise ConfigurationError(_NO_TOKENS)
        with torch.inference_mode():
            vectors = self._transform(dict(features)).get("token_embeddings")
            if vectors is None:
                raise ConfigurationError(_NO_TOKENS)
            vectors = torch.nn.functional.normalize(vectors.float(), dim=2)
        ids, mask = (features[name].cpu().numpy() for name in ("input_ids", "attention_mask"))
        return ids.astype(np.int64), mask.astype(np.bool_), vectors.cpu().numpy()

    def _on_device(self, features: dict[str, Any]) -> dict[str, Any]:
        import torch

        device = self._model.device
        return {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in features.items()}

    def _batches(self, lengths: LongArray, encoding: Encoding) -> Iterator[Batch]:
        if not self.pads_freely:
            return one_by_one(len(lengths))
        return batches(lengths, self.max_tokens, self.fixed_rows or encoding.batch_size)

    @property
    def pads_freely(self) -> bool:
        """Whether the first module is a plain transformer over tokens, which can be told how wide to pad."""
        from sentence_transformers.base.modules import Transformer

        first = self._model[0]
        return isinstance(first, Transformer) and set(first.modality_config) == {"text"}

    def _prompt(self, encoding: Encoding) -> str:
        """Return what is put before a query or a document: mostly nothing."""
        if encoding.prompt is not None:
            return encoding.prompt
        prompts = self._model.prompts
        names = ("query",) if encoding.queries else _DOCUMENT_PROMPTS
        found = [prompts[name] for name in (*names, self._model.default_prompt_name) if prompts.get(name)]
        return str(found[0]) if found else ""

    def _lengths(self, texts: Sequence[str], encoding: Encoding) -> LongArray:
        from tokenizers import Tokenizer

        tokenizer: Any = getattr(self._model, "tokenizer", None)
        prompt = self._prompt(encoding)
        if isinstance(tokenizer, Tokenizer):  # a table of token vectors: no tokens that begin or end
            found = tokenizer.encode_batch([prompt + text for text in texts], add_special_tokens=False)
            return np.asarray([len(one.ids) for one in found], dtype=np.int64)
        if not texts or not callable(tokenizer):
            return np.zeros(len(texts), dtype=np.int64)
        encoded = tokenizer([prompt + text for text in texts], truncation=False, padding=False, verbose=False)
        return np.asarray([len(ids) for ids in encoded["input_ids"]], dtype=np.int64)

    def _forward(self, texts: list[str], batch: Batch, encoding: Encoding) -> FloatArray:
        import torch

        features = self._on_device(self._features(texts, batch, encoding))
        with torch.inference_mode():
            features = self._transform(features)
            for name, module in list(self._model.named_children())[1:]:
                features = module(features, **self._told(name, module, encoding))
            vectors = features["sentence_embedding"].float()[:, : self._model.truncate_dim]
            if encoding.normalize:
                vectors = torch.nn.functional.normalize(vectors, dim=1)
        result: FloatArray = vectors.cpu().numpy()
        return result

    def _told(self, name: str, module: Any, encoding: Encoding) -> dict[str, str]:
        """Return what a module wants to know besides its features: one with routes, whether these are queries."""
        wanted = {*getattr(module, "forward_kwargs", ()), *(self._model.module_kwargs or {}).get(name, ())}
        return {"task": encoding.task} if "task" in wanted else {}

    def _features(self, texts: list[str], batch: Batch, encoding: Encoding) -> dict[str, Any]:
        prompt = self._prompt(encoding) or None
        if not batch.width_tokens:
            name, first = next(self._model.named_children())
            return dict(self._model.preprocess(texts, prompt=prompt, **self._told(name, first, encoding)))
        wide = {"text": {"padding": "max_length", "max_length": batch.width_tokens}}
        return dict(self._model.preprocess(texts, prompt=prompt, processing_kwargs=wide))

    def _cut(self, lengths: LongArray) -> Any:
        return lengths > (np.inf if self.max_tokens is None else self.max_tokens)

    def _with_lengths(self, vectors: FloatArray, lengths: LongArray) -> FloatArray:
        limit = np.full(len(lengths), np.inf if self.max_tokens is None else self.max_tokens)
        return np.column_stack([vectors, lengths, limit]).astype(np.float32)
