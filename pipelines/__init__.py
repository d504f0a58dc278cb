"""RAG Workbench, the library: evaluate and tune retrieval on your own documents."""

__version__ = "0.1.0"
