"""What is known of the thesis's figures: a record for each, which `reproduce.py` lists, runs and draws."""

from support.thesis import guidenet, meld, mi_repr, pearl
from support.thesis.records import Figure

FIGURES: dict[str, Figure] = dict(
    sorted(
        {**mi_repr.FIGURES, **guidenet.FIGURES, **pearl.FIGURES, **meld.FIGURES}.items(), key=lambda item: int(item[0])
    )
)
"""By number."""
