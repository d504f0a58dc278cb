"""What the README and docs claim in figures, measured side by side."""
