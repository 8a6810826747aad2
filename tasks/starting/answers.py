"""What is settled of a guess: by what the user said beforehand, by what is answered, or as it was guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import yaml

from geo.config import CityConfig
from geo.config.yaml_text import read_value
from geo.errors import ConfigurationError
from geo.starting.guess import Guess, as_yaml

LEAVE_OUT = "-"
"""The answer that leaves a key out."""
Ask = Callable[[Guess], str]
"""Asks somebody, and gives the answer; empty: as it was guessed."""


@dataclass(slots=True)
class Answers:
    """What is said of keys.

    Attributes
    ----------
    given
        Values as YAML by key, said beforehand.
    ask
        Asks about what is not sure; None: nobody is there.
    settled
        All keys, in the order in which they were settled.
    open
        Those that are not sure, and that nobody was there to be asked about.
    """

    given: Mapping[str, str]
    ask: Ask | None = None
    settled: list[Guess] = field(default_factory=list)
    open: list[Guess] = field(default_factory=list)

    def settle(self, guess: Guess, refuse: Callable[[Guess], object] = lambda _: None) -> Guess:
        """Settle one key; gives it as it is to be written.

        Parameters
        ----------
        guess
            What is guessed.
        refuse
            Raises what is wrong with an answer.

        Raises
        ------
        ConfigurationError
            When what was said beforehand is refused, or cannot be read.
        """
        found = guess
        if guess.key in self.given:
            found = _said(guess, self.given[guess.key])
            refuse(found)
        elif guess.doubt and self.ask is not None:
            found = self._answered(guess, self.ask, refuse)
        elif guess.doubt:
            self.open.append(guess)
        self.settled.append(found)
        return found

    def settle_all(self, guesses: list[Guess]) -> list[Guess]:
        """Settle several keys."""
        return [self.settle(guess) for guess in guesses]

    def rest(self) -> list[Guess]:
        """Give what was said beforehand of keys that nothing was guessed about."""
        known = {guess.key for guess in self.settled}
        return [
            Guess(key, _value(key, text), ("As you said.",))
            for key, text in self.given.items()
            if key not in known
        ]

    def _answered(self, guess: Guess, ask: Ask, refuse: Callable[[Guess], object]) -> Guess:
        """Ask until there is an answer that can be read, and is not refused."""
        asked = guess
        while True:
            answer = ask(asked).strip()
            try:
                found = self._taken(guess, answer)
                if found is not guess:
                    refuse(found)
            except ConfigurationError as error:
                asked = replace(guess, doubt=f"{error.what[0].upper()}{error.what[1:]}. {guess.doubt}")
            else:
                return found

    def _taken(self, guess: Guess, answer: str) -> Guess:
        """Take an answer."""
        if not answer:
            return guess
        if answer == LEAVE_OUT:
            return replace(guess, left_out=True)
        values = [guess.value, *(option.value for option in guess.options)]
        if answer.isdigit() and 1 <= int(answer) <= len(values):
            return _said(guess, as_yaml(values[int(answer) - 1]))
        if answer.isdigit() and guess.options and not any(type(value) is int for value in values):
            raise ConfigurationError(f"there are {len(values)} to choose from", where=guess.key)
        return _said(guess, answer)


def _said(guess: Guess, text: str) -> Guess:
    """Take what was said for a guess, whose evidence stays beside it."""
    value = _value(guess.key, text)
    if value == guess.value:
        return replace(guess, why=("As you said.", *guess.why), doubt="", left_out=False)
    guessed = f"As you said; it was guessed to be {as_yaml(guess.value)}:"
    others = tuple(option for option in guess.options if option.value != value)
    return Guess(guess.key, value, (guessed, *guess.why), options=others)


def _value(key: str, text: str) -> object:
    """Read an answer as the city's file is read."""
    try:
        return read_value(text, CityConfig, key)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{text!r} is not a YAML value", where=key, todo="Quote it.") from error
