"""An embedder that is trained on the golden set's train split: one more choice in the same grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic.config import JsonDict

from pipelines.errors import ConfigurationError
from pipelines.models.backends import Way, resolve
from pipelines.models.encoder import Encoding
from pipelines.models.loading import Blend, EncoderSpec, load_encoder
from pipelines.models.weights import architecture, minilm_folder, model_folder, weights_identity
from pipelines.progress import Keep, Progress
from pipelines.records import FloatArray
from pipelines.stages.embed import Embedded, Embedder, TrainedEmbedder
from pipelines.stages.embed.minilm import MiniLMEmbedder
from pipelines.stages.embed.sentence_transformer import SentenceTransformerEmbedder
from pipelines.training.adapter import adapted, train_adapter
from pipelines.training.encoder import train_encoder
from pipelines.training.export_modules import Exported
from pipelines.training.knobs import PairKnobs
from pipelines.training.lesson import Lesson, Workshop
from pipelines.training.methods import TRAINING_VERSION, AdapterTraining, Base, EncoderTraining

MINILM = "all-MiniLM-L6-v2"
_UNTRAINED = "A finetuned embedder needs what it learnt, but got none; train it first."
_WEIGHTS: JsonDict = {"method": ["lora", "full"]}
_ADAPTER: JsonDict = {"method": ["adapter"]}
_LORA: JsonDict = {"method": ["lora"]}
_ENCODING = ("model", "device", "backend", "precision", "batch_size", "header", "normalize", "blend", "dimensions")
"""Knobs that change what is done with the trained weights, and not the weights: they cost no training.

The model is in the key by its weights; device and precision by how the training resolves them; a header is in the key
of the texts.
"""


class FinetunedEmbedder(TrainedEmbedder, SentenceTransformerEmbedder, name="finetuned", version=1):
    """Train an encoder on the golden set's train split, and embed with it. It wants 50 questions or more.

    The training is a stage like any other: it is done once for a train split, a chunking and its knobs, and looked up
    ever after. No dev question is trained on (they decide where to stop), and no test question is looked at.

    `adapter` learns a linear map of the vectors, in seconds, and embeds no document again. `lora` trains small matrices
    beside the weights, `full` all weights: minutes to hours. Choose `adapter` first, `full` for the highest gain.
    """

    model: str = Field(MINILM, min_length=1, description="Base model: a folder, or its name on the hub")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Number format of embedding and training; auto takes bfloat16 where the hardware has it"
    )
    method: Literal["adapter", "lora", "full"] = Field(
        "adapter",
        description="What is trained: a linear map of the vectors, matrices beside the weights, or the weights",
    )
    blend: float = Field(
        1.0,
        ge=0.0,
        le=1.0,
        description="Share of what was learnt, the rest being the base: less forgets less. It costs no training",
    )
    loss: Literal["mnrl", "cached-mnrl", "gist", "triplet", "cosent"] = Field(
        "mnrl",
        description="What is made small: multiple negatives ranking, the same in bounded memory, guided by the base "
        "model, triplets, or cosines in the order of grades",
        json_schema_extra={"when": _WEIGHTS},
    )
    epochs: int = Field(
        3, ge=1, le=100, description="How often every pair is seen", json_schema_extra={"when": _WEIGHTS}
    )
    train_batch: int = Field(
        32,
        ge=2,
        le=4096,
        description="Pairs a step: the others' texts are negatives",
        json_schema_extra={"unit": "pairs", "when": _WEIGHTS},
    )
    learning_rate: float | None = Field(
        None,
        gt=0.0,
        le=1.0,
        description="Size of the steps; none takes what suits the method",
        json_schema_extra={"when": _WEIGHTS},
    )
    warmup: float = Field(
        0.1,
        ge=0.0,
        le=1.0,
        description="Share of the steps over which the learning rate rises",
        json_schema_extra={"when": _WEIGHTS},
    )
    select_by: str = Field(
        "ndcg@10",
        pattern=r"^[a-z_]+@\d+(tok)?$",
        examples=["ndcg@10", "recall@5"],
        description="Metric of the dev questions, over all chunks, that decides where training stops",
    )
    patience: int = Field(
        2,
        ge=0,
        le=100,
        description="Epochs (of an adapter: looks at dev) without a better dev metric after which training stops; 0 "
        "trains all, and takes the last",
        json_schema_extra={"unit": "epochs"},
    )
    matryoshka: tuple[Annotated[int, Field(ge=8, le=8192)], ...] = Field(
        (),
        description="Lengths at which vectors that are cut should do well too; none trains the full length alone",
        json_schema_extra={"when": _WEIGHTS},
    )
    teacher: str = Field(
        "",
        max_length=4096,
        description="Model whose similarities are learnt beside the pairs: a folder or a name; empty for none",
        json_schema_extra={"when": _WEIGHTS},
    )
    lora_rank: int = Field(16, ge=1, le=512, description="Width of the matrices", json_schema_extra={"when": _LORA})
    lora_alpha: int = Field(32, ge=1, le=2048, description="Weight of the matrices", json_schema_extra={"when": _LORA})
    lora_dropout: float = Field(
        0.0, ge=0.0, le=0.95, description="Share of inputs left out by chance", json_schema_extra={"when": _LORA}
    )
    adapter_side: Literal["query", "both"] = Field(
        "query",
        description="Whose vectors are mapped; query embeds no document again",
        json_schema_extra={"when": _ADAPTER},
    )
    adapter_fit: Literal["closed", "gradient"] = Field(
        "gradient",
        description="Solved at once (least squares), or by steps against all chunks as negatives",
        json_schema_extra={"when": _ADAPTER},
    )
    adapter_stay: float | None = Field(
        1.0,
        ge=0.0,
        le=1e6,
        description="How strongly the map is held to the base; null tries several, and chooses by the dev questions",
        json_schema_extra={"when": _ADAPTER},
    )

    @field_validator("teacher")
    @classmethod
    def _absolute_teacher(cls, teacher: str) -> str:
        """Name a folder by its full path: the work is done by another process, in another folder."""
        return str(Path(teacher).expanduser().resolve()) if teacher and Path(teacher).expanduser().is_dir() else teacher

    def base(self) -> SentenceTransformerEmbedder:
        """Return the embedder of the base model, whose kept vectors serve mining and adapters."""
        names = ("device", "backend", "precision", "batch_size", "header", "query_prompt", "document_prompt")
        knobs = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if self.model != MINILM:
            return SentenceTransformerEmbedder(model=self.model, **knobs)
        if {"query_prompt", "document_prompt"} & set(knobs):
            return SentenceTransformerEmbedder(model=str(minilm_folder()), **knobs)
        return MiniLMEmbedder(**knobs)

    def extra_identity(self) -> Mapping[str, str]:
        """Return the digests of the base's weights, of the teacher's, and of what was struck out."""
        teacher = {"teacher_weights": self._teacher_identity()} if self.teacher else {}
        return {**self.base().extra_identity(), **teacher, **self.struck_identity()}

    def settings_model(self) -> Path:
        """Return the folder of the base model."""
        return model_folder(str(self.base().settings_model()))

    def _architecture(self) -> str | None:
        return architecture(str(self.settings_model()))

    # Training -----------------------------------------------------------------------------------------------------

    def fits(self) -> bool:
        """Whether something must be made before texts can be embedded: always."""
        return True

    def chosen_by(self) -> str:
        """Return the metric of the dev questions that decides where training stops; "" where none does."""
        return self.select_by if self.patience else ""

    def training_identity(self) -> Mapping[str, object]:
        """Return what decides the weights besides the data: the base's weights, the method and its knobs."""
        left_out = {*_ENCODING, *PairKnobs.model_fields, "select_by"}
        knobs = {name: value for name, value in self.model_dump(mode="json").items() if name not in left_out}
        own = {
            "version": TRAINING_VERSION,
            "seed": self.seed,
            **self.base().extra_identity(),
            "teacher": self._teacher_identity(),
        }
        if self.method == "adapter":
            return {**knobs, **own, "over": self.base().fingerprint()}
        way = self._training_way()
        return {**knobs, **own, "on": [way.device, way.precision]}

    def _teacher(self) -> str:
        """Return the folder or the hub name of the teacher; "" for none."""
        return str(minilm_folder()) if self.teacher == MINILM else self.teacher

    def _teacher_identity(self) -> str:
        return weights_identity(self._teacher()) if self.teacher else ""

    def _training_way(self) -> Way:
        """Return how weights are trained: by torch, whatever computes the trained model later."""
        return resolve(self.device, "torch", self.precision, self._architecture())

    def train(self, lesson: Lesson, folder: Path, workshop: Workshop) -> None:
        """Write the trained model, or the map, into the empty `folder`."""
        if self.method == "adapter":
            how = AdapterTraining(self.adapter_side, self.adapter_fit, self.adapter_stay, self.patience, self.seed)
            return train_adapter(how, lesson, folder, workshop)
        return train_encoder(self._encoder_training(self.method), lesson, folder, workshop)

    def _encoder_training(self, method: Literal["lora", "full"]) -> EncoderTraining:
        way = self._training_way()
        return EncoderTraining(
            base=Base(
                self.settings_model(), way.device, way.precision, self.query_prompt, self.document_prompt, self.model
            ),
            method=method,
            loss=self.loss,
            epochs=self.epochs,
            batch=self.train_batch,
            learning_rate=self.learning_rate,
            warmup=self.warmup,
            patience=self.patience,
            matryoshka=self.matryoshka,
            teacher=self._teacher(),
            lora_rank=self.lora_rank,
            lora_alpha=self.lora_alpha,
            lora_dropout=self.lora_dropout,
            seed=self.seed,
        )

    # Embedding ----------------------------------------------------------------------------------------------------

    @property
    def _plain(self) -> bool:
        """Whether vectors are made of the base's own: of an adapter's, and where nothing of what was learnt counts."""
        return self.method == "adapter" or self.blend == 0.0

    def beneath(self) -> Embedder:
        """Return the embedder whose vectors are kept by text: an adapter maps those of the base, whole ones are cut."""
        return self.base() if self._plain else super().beneath()

    def shape(self, vectors: FloatArray, *, queries: bool, fitted: Path | None) -> FloatArray:
        """Return the vectors as an adapter maps them, cut and scaled."""
        if self.method == "adapter" and self.blend > 0.0:
            if fitted is None:
                raise ConfigurationError(_UNTRAINED)
            vectors = adapted(vectors, fitted, queries=queries, blend=self.blend)
        return super().shape(vectors, queries=queries, fitted=fitted)

    def of_documents(self) -> Embedder:
        """Return the base where queries alone are mapped, or nothing is: documents are indexed once, as the base's."""
        as_base = self.blend == 0.0 or (self.method == "adapter" and self.adapter_side == "query")
        return self.base() if as_base and self.dimensions is None and self.normalize else self

    def exported(self) -> Exported:
        """Return what makes the trained encoder, for `write_model`."""
        return Exported(
            self.settings_model(),
            Path(self.model).name,
            self.method,
            self.blend,
            self.dimensions,
            self.query_prompt,
            self.document_prompt,
        )

    def _embed(
        self, texts: Sequence[str], fitted: Path | None, encoding: Encoding, progress: Progress, keep: Keep
    ) -> Embedded:
        if fitted is None:
            raise ConfigurationError(_UNTRAINED)
        blend = None if self.blend == 1.0 else Blend(str(self.settings_model()), self.blend)
        encoder = load_encoder(EncoderSpec(str(fitted), fitted.name, self._way(), blend=blend))
        vectors, truncated = encoder.encode(texts, encoding, progress, keep)
        return Embedded(vectors, truncated, encoder.max_tokens)
