"""Options are checked before anything is compiled; presets are what they say."""

import dataclasses

import pytest
from guidenet import PRESETS, BackboneConfig, Config, GuidedNetwork, HeadConfig, LossConfig, preset


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BackboneConfig("resnet"), "name must be one of efficientnet-lite0, vgg16, small, got 'resnet'"),
        (lambda: BackboneConfig(strides=()), "strides must be distinct and ascending"),
        (lambda: BackboneConfig(strides=(16, 8)), "strides must be distinct and ascending"),
        (lambda: BackboneConfig(strides=(5,)), "strides of efficientnet-lite0 must be one of 4, 8, 16, 32, got 5"),
        (lambda: BackboneConfig(channels=(8,)), "channels of efficientnet-lite0 must name 0 layers"),
        (lambda: BackboneConfig("small", (4,), channels=(8, 0, 8)), "channels must be at least 1, got 0"),
        (lambda: BackboneConfig("vgg16", (32,), inputs="grey"), "inputs must be one of caffe, torchvision, got 'grey'"),
        (lambda: HeadConfig("euclid"), "kind must be one of concat, cosine, got 'euclid'"),
        (lambda: HeadConfig("concat"), "hidden_size must be at least 1, got 0"),
        (lambda: HeadConfig("cosine", hidden_size=-1), "hidden_size must be at least 0, got -1"),
        (lambda: HeadConfig("cosine", shared=True), "shared must be False with kind=cosine"),
        (lambda: HeadConfig("cosine", products=True), "products must be False without kind=cosine and a hidden_size"),
        (lambda: HeadConfig("concat", hidden_size=4, products=True), "products must be False"),
        (lambda: HeadConfig(dropout=1.0), r"dropout must be in \[0, 1\), got 1.0"),
        (lambda: HeadConfig(initialisation="zero"), "initialisation must be one of scaled, thesis"),
        (lambda: HeadConfig(compared=-1), "compared must be at least 0, got -1"),
        (lambda: HeadConfig(ridge=-1), "ridge must be at least 0, got -1"),
        (lambda: LossConfig("focal"), "balance must be one of pixels, classes, got 'focal'"),
        (lambda: LossConfig(positive_weight=0), "positive_weight must be positive, got 0"),
        (lambda: Config(feature_size=-1), "feature_size must be at least 0, got -1"),
        (lambda: Config(fusion="middle"), "fusion must be one of late, early, masking, none, got 'middle'"),
        (lambda: Config(pooling="max"), "pooling must be one of global, local, got 'max'"),
        (lambda: Config(shots="median"), "shots must be one of equal, pixels, got 'median'"),
        (lambda: Config(pooling="local"), "head.kind must be concat unless fusion=late and pooling=global"),
        (lambda: Config(fusion="masking"), "head.kind must be concat unless"),
        (lambda: Config(head=HeadConfig(compared=113)), "head.compared must be at most 112, of all features, got 113"),
        (
            lambda: Config(head=HeadConfig("concat", hidden_size=1, ridge=5), fusion="none"),
            "head.ridge must be 0 unless fusion=late, pooling=global and shots=equal, got 5 with fusion=none",
        ),
        (lambda: preset("huge"), "preset must be one of tiny, cpu, late, thesis, reference, got 'huge'"),
    ],
)
def test_bad_options_are_named_with_their_value(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_presets_have_the_sizes_of_the_thesis_and_of_the_reference():
    assert all(found.purpose and found.config == preset(name) for name, found in PRESETS.items())
    thesis, reference = preset("thesis"), preset("reference")
    assert GuidedNetwork(thesis).feature_size == 4096
    assert thesis.head.hidden_size == 2 * 4096  # 2C -> 2C -> 1
    assert GuidedNetwork(reference).feature_size == 256
    assert reference.head.hidden_size == 3 * 256  # 3C -> 3C -> 2
    assert (thesis.head.shared, reference.head.shared) == (True, False)
    for name in ("thesis", "reference"):
        assert dataclasses.asdict(preset(name).loss)["balance"] == "pixels"
