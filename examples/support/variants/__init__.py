"""The thesis's ablations, a table of variants for each algorithm."""

from support.variants import meld, pearl
from support.variants.records import Ablation

ABLATIONS: dict[str, Ablation] = {"pearl": pearl.ABLATION, "meld": meld.ABLATION}
"""By algorithm."""
