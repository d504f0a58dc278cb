"""The stages of a pipeline, one folder each: its protocol in `__init__`, one file a component."""
