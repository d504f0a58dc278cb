"""How much memory the training of a cross-encoder takes, reckoned before it starts."""

from __future__ import annotations

from pipelines.errors import ConfigurationError
from pipelines.training.memory import GROUP_TOKENS, Memory, free_memory, in_gib, shape_of
from pipelines.training.pair_methods import PairTraining

KEPT_GROUPS = 4
"""Of how many groups of texts the activations are kept; of a batch with more, they are computed anew."""

_LIBRARIES = 900 << 20
_FLOAT = 4
_HELD_WIDTHS, _HELD_INNERS = 12, 3


def pair_memory(how: PairTraining, longest_list: int) -> Memory:
    """Return what a training takes whose questions have up to `longest_list` texts: rather more than less.

    Raises:
        ConfigurationError: when there is no such model, or one without safetensors weights.
    """
    shape = shape_of(how.model)
    each = 2 if how.precision == "bfloat16" else _FLOAT
    held = min(how.batch * longest_list * how.max_tokens, KEPT_GROUPS * max(GROUP_TOKENS, how.max_tokens))
    per_token = shape.layers * (_HELD_WIDTHS * shape.width + _HELD_INNERS * shape.inner) * each
    weights = _FLOAT * shape.n_weights
    return Memory(_LIBRARIES, weights, weights, 2 * weights, held * per_token)


def memory_stated(how: PairTraining, longest_list: int) -> str:
    """Return what a training takes, for its user.

    Raises:
        ConfigurationError: when it cannot fit: with what is needed, what is free, and what to do.
    """
    needed, free = pair_memory(how, longest_list), free_memory(how.device)
    total = needed.total - (needed.libraries if how.device == "cuda" else 0)
    if total > free:
        raise ConfigurationError(
            f"This training needs about {in_gib(total)} of memory, but {in_gib(free)} are free; choose a smaller "
            f"model, or a smaller max_tokens than {how.max_tokens}, or close other programs."
        )
    return f"Training was reckoned to take {needed} of memory."
