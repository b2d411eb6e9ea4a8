"""The variants of the thesis's ablations of PEARL, its figures 16 and 17, labelled as there, and of section 5.2.2."""

from functools import partial

from rlcore.experiment import override

from support.variants.records import Ablation, Variant


def _with(label: str, *options: str) -> Variant:
    return Variant(label, partial(override, assignments=options))


ABLATION = Ablation(
    benchmark="half-cheetah-vel-v0",
    variants={
        "pearl": Variant("PEARL"),
        "rnn-decorrelated": _with("RNN de-correlated", "encoder=recurrent"),
        "rnn-correlated": _with("RNN correlated", "encoder=recurrent", "correlated_batch=true"),
        "off-policy": _with("PEARL, off-policy", "context_sampler=off_policy"),
        "same-batch": _with("PEARL, off-policy same batch", "context_sampler=same_batch"),
        "actor": _with("trained through the actor", "encoder_losses=actor"),
        "reconstruction": _with("by reconstruction", "encoder_losses=reconstruction"),
        "critic-reconstruction": _with("by critic and reconstruction", "encoder_losses=critic,reconstruction"),
    },
    figures={
        "recurrent encoder (figure 16)": ("pearl", "rnn-decorrelated", "rnn-correlated"),
        "context sampling (figure 17)": ("pearl", "off-policy", "same-batch"),
        "what trains the encoder (section 5.2.2)": ("pearl", "actor", "reconstruction", "critic-reconstruction"),
    },
)
