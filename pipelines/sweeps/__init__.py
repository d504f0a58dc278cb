"""Sweeps: many pipelines from one search space, as one study."""
