"""Runs: evaluated, recorded, queried and exported; jobs and the workers that do them."""
