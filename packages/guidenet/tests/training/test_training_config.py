"""Options of training: what is refused, and that presets are what they say."""

import dataclasses

import pytest
from guidenet import PRESETS, Config, HeadConfig, preset
from guidenet.training import OptimiserConfig, TrainingConfig, training_preset


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": ("still",)}, "kinds must be one of semantic, interactive, video, textured, similar, got 'still'"),
        ({"kinds": ()}, "kinds must be at least one of semantic, interactive, video, textured, similar"),
        ({"kinds": ("video", "video")}, "each once"),
        ({"trained": "backbone"}, "trained must be one of head, network, got 'backbone'"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"max_points": 0}, "max_points must be at least 1, got 0"),
        ({"stop_after": -1}, "stop_after must be at least 0, got -1"),
        ({"loss_step": 0}, "loss_step must be at least 1"),
        ({"max_side": 8}, "max_side must be at least 16, got 8"),
        ({"max_side": 4096}, "max_side must be at most 1024, got 4096"),
        ({"num_validation_tasks": 0}, "num_validation_tasks must be at least 1"),
        ({"validation_points": 0}, "validation_points must be at least 1"),
        (
            {"network": Config(head=HeadConfig("concat", hidden_size=4), pooling="local")},
            "kinds must be interactive with pooling=local",
        ),
        ({"network": Config(head=HeadConfig(ridge=2))}, "network.head.ridge must be 0 in training, .*, got 2"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        TrainingConfig(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "lion"}, "name must be one of adam, sgd, got 'lion'"),
        ({"learning_rate": 0}, "learning_rate must be positive, got 0"),
        ({"decay": "linear"}, "decay must be one of cosine, none"),
        ({"momentum": 1.0}, r"momentum must be in \[0, 1\), got 1.0"),
        ({"weight_decay": -1}, "weight_decay must be at least 0, got -1"),
        ({"max_grad_norm": -1}, "max_grad_norm must be at least 0, got -1"),
        ({"averaging_rate": 0.0}, r"averaging_rate must be in \(0, 1\], got 0.0"),
    ],
)
def test_options_of_the_optimiser_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        OptimiserConfig(**options)


def test_presets_train_as_the_thesis_and_on_features_that_are_kept():
    thesis = training_preset("thesis")
    assert (thesis.optimiser.name, thesis.optimiser.learning_rate, thesis.batch_size) == ("sgd", 1e-5, 1)
    assert (thesis.optimiser.momentum, thesis.optimiser.weight_decay, thesis.trained) == (0.99, 5e-4, "network")
    assert thesis.network.loss.balance == "pixels"
    assert thesis.num_updates == 100_000
    assert training_preset("cpu").trained == "head"
    assert dataclasses.replace(training_preset("cpu"), num_iterations=3, updates_per_iteration=7).num_updates == 21
    for name in PRESETS:
        assert training_preset(name).network == preset(name)
    with pytest.raises(ValueError, match="preset must be one of tiny, cpu, late, thesis, reference, got 'gpu'"):
        training_preset("gpu")
