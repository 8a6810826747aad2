"""Typologies of several cities: read from runs that ended, fitted, and laid out beside each other."""
