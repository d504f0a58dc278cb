"""Finetuning as a user sees it: a spec, a job, before and after, the learning curve, base models side by side."""
