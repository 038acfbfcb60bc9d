"""Exercises of chapter 6: drift and autogenerate."""
