"""Small JSON documents on disk: each kind is declared once, written whole or not at all, and checked when it is read.

Who reads one expects two errors: `OSError`, where the file cannot be read, and pydantic's `ValidationError`, where it
is not what was written.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator

DIGEST_CHARS = 16
SEAL = "seal"
"""Key of a sealed document that holds the digest of all others."""
_OF_A_FILE = "of a file"


def digest(*parts: object) -> str:
    """Digest plain values (anything that JSON can hold), in order."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_CHARS // 2).hexdigest()


class Document(BaseModel):
    """A document: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")
    sealed: ClassVar[bool] = False
    """Whether the file holds a digest of itself, so that a change of a single byte is found."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a document.

        Raises
        ------
        OSError
            When the file cannot be read.
        ValidationError
            When it is not what `write` wrote.
        """
        return cls.model_validate_json(path.read_bytes(), context=_OF_A_FILE)

    def write(self, path: Path) -> None:
        """Write it, the same bytes for the same values, whole or not at all."""
        told = self.model_dump(mode="json")
        if self.sealed:
            told[SEAL] = digest(told)
        text = json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            part.write_text(text + "\n", encoding="utf-8")
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise

    @model_validator(mode="before")
    @classmethod
    def _as_it_was_sealed(cls, told: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - whatever the file holds
        """Hold a document against its seal, and take that away."""
        if not cls.sealed or info.context != _OF_A_FILE or not isinstance(told, dict):
            return told
        rest = {key: part for key, part in told.items() if key != SEAL}
        if told.get(SEAL) != digest(rest):
            raise ValueError("it is not as it was written")
        return rest
