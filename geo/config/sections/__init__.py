"""The sections of a city's file, a module each."""
