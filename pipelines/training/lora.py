"""LoRA: small matrices beside the weights are trained, and added to the weights at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.errors import ConfigurationError
from pipelines.training.methods import EncoderTraining

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

LEARNING_RATES = {"full": 5e-5, "lora": 5e-4}
"""What suits the method: few new weights, which begin at nothing, take ten times the steps."""


def attach(model: SentenceTransformer, how: EncoderTraining) -> None:
    """Put matrices beside every linear layer of the transformer, and hold all other weights.

    Raises:
        ConfigurationError: for a model without a transformer.
    """
    from peft import LoraConfig, get_peft_model

    transformer = getattr(model[0], "auto_model", None)
    if transformer is None:
        raise ConfigurationError(
            "The method 'lora' needs a model that begins with a transformer, and this one has none; choose the method "
            "full or adapter."
        )
    for weight in model.parameters():
        weight.requires_grad_(False)
    config = LoraConfig(
        r=how.lora_rank,
        lora_alpha=how.lora_alpha,
        lora_dropout=how.lora_dropout,
        target_modules="all-linear",
        exclude_modules=r".*pooler.*",
    )
    get_peft_model(transformer, config)


def merge(model: Any) -> None:
    """Add the matrices to the weights, in place: what stays is a model as it was before `attach`."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, module in list(model.named_modules()):
        if isinstance(module, BaseTunerLayer):
            module.merge(safe_merge=True)
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, module.get_base_layer())
    for attribute in ("peft_config", "_hf_peft_config_loaded"):
        for module in model.modules():
            module.__dict__.pop(attribute, None)
