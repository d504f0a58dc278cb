"""Which stage executions a pipeline needs on a dataset, and how each of them is computed when it is not kept yet."""
