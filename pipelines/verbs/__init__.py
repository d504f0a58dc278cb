"""The verbs by what they are about; `pipelines.api` gathers them."""
