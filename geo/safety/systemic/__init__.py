"""Systemic analysis: which collisions to look at, what roads that have them share, and where else that is found."""
