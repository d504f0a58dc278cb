"""How much work a training is, in units whose pace can be measured: pairs, as often as each is seen."""

from __future__ import annotations

from pipelines.component import Component


def training_work(component: Component) -> str:
    """Return what the pace of a training is kept under: what is trained, of which model, and where."""
    actual = component.resolved()
    how = [str(getattr(actual, name)) for name in ("method", "model", "precision", "device") if hasattr(actual, name)]
    return " ".join(["train", component.stage, component.name, *how])[:200]


def training_units(component: Component, n_pairs: int) -> float:
    """Return how many pairs are seen, one as often as it is seen; a map is learnt of each pair once."""
    epochs = getattr(component, "epochs", 1) if getattr(component, "method", "") != "adapter" else 1
    return float(n_pairs * epochs)
