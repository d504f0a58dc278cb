"""How encoders and rerankers learn from a golden set: pairs, hard negatives, leaks, trainers, checkpoints."""
