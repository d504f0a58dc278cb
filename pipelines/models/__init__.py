"""Clients that several stages share: encoders, tokenizers, devices."""
