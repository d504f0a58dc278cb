"""Runs compared question by question: differences with their uncertainty, and which questions got worse."""
