"""Which of a network's masks is the carriageway."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.ground.prompted.sections import Field, Flags, Floats, Numbers, Sections, Seen, look

NARROWEST_M, WIDEST_M = 3.0, 25.0
"""What is narrower or wider than this on average is no carriageway (metres)."""
NONE = -1


@dataclass(frozen=True, slots=True)
class Choice:
    """The mask that was chosen for each prompt, and what sections show on it.

    Attributes
    ----------
    mask
        Its place among the prompt's masks; `NONE` where none is a carriageway, ``(prompts,)``.
    iou
        What the network predicts of it, ``(prompts,)``; NaN where there is none.
    seen
        Of every section, on the mask of its prompt.
    """

    mask: Numbers
    iou: Floats
    seen: Seen


def choose(
    sections: Sections, prompt: Numbers, field: Field, iou: NDArray[np.float32], valid: Field
) -> Choice:
    """Choose the mask with the highest predicted IoU times the share of the line inside, of those as wide as roads.

    Parameters
    ----------
    sections
        Of the lines that were prompted for.
    prompt
        Place of the prompt that each belongs to.
    field
        Masks, those of one prompt after another: ``(prompts * masks, rows, columns)``.
    iou
        Predicted of them, ``(prompts, masks)``.
    valid
        Where there is data.
    """
    prompts, each = iou.shape
    looks = [look(sections, field, prompt * each + mask, valid) for mask in range(each)]
    score = np.stack(
        [_score(seen, sections, prompt, iou[:, mask]) for mask, seen in enumerate(looks)], axis=1
    )
    best = np.argmax(score, axis=1)
    some = score[np.arange(prompts), best] > 0
    chosen: Numbers = np.where(some, best, NONE)
    predicted = np.where(some, iou[np.arange(prompts), best], np.nan).astype(np.float64)
    own = chosen[prompt]

    def of(name: str, none: float) -> Floats:
        held = np.stack([getattr(seen, name) for seen in looks], axis=1)
        shown: Floats = np.where(own == NONE, none, held[np.arange(len(own)), own])
        return shown

    known: Flags = looks[0].known
    found: Flags = of("found", 0.0) > 0
    left, right = of("left", np.nan), of("right", np.nan)
    return Choice(chosen, predicted, Seen(known, found, left, right))


def _score(seen: Seen, sections: Sections, prompt: Numbers, iou: NDArray[np.float32]) -> Floats:
    """Score one mask of each prompt; 0 where it is as wide as no road, or holds nothing of the line."""
    prompts = len(iou)

    def per_prompt(values: Floats | Flags) -> Floats:
        weights = np.asarray(values, dtype=np.float64)
        return np.bincount(prompt, weights=weights, minlength=prompts).astype(np.float64)

    # an open end is as far away as one may look
    width: Floats = np.where(np.isnan(seen.left), sections.left, seen.left)
    width = width + np.where(np.isnan(seen.right), sections.right, seen.right)
    inside, known = per_prompt(seen.found), per_prompt(seen.known)
    share = np.divide(inside, known, out=np.zeros(prompts), where=known > 0)
    mean = np.divide(
        per_prompt(np.where(seen.found, width, 0)), inside, out=np.zeros(prompts), where=inside > 0
    )
    return np.where((mean >= NARROWEST_M) & (mean <= WIDEST_M), np.maximum(iou, 0) * share, 0.0)
