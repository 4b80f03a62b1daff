"""Played stories over HTTP: what really happened in 2020, and the demonstration."""
