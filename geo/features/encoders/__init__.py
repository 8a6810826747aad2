"""Kinds of encoders, a module each: what it is told in a city's file, and how it is loaded."""
