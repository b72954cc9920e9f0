"""Vision models: every one learns, their names and sizes are torchvision's, and ResNets compute what PyTorch does."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import models
from ferrograd.models.boxes import decode, iou
from ferrograd.models.facenet import semi_hard_triplets
from ferrograd.nn import functional as F
from harness.learning import assert_learns

FIXTURES = os.environ.get("FERROGRAD_FIXTURES", "")

# Tiny versions: model, size of the images.
CLASSIFIERS = {
    "mlp": (lambda: models.MLP(None, (32,), 4), 16),
    "lenet": (lambda: models.LeNet5(4), 28),
    "alexnet": (lambda: models.AlexNet(4, dropout=0.0, in_channels=1, width=1 / 16), 64),
    "vgg11": (lambda: models.VGG(11, False, 4, dropout=0.0, in_channels=1, width=1 / 32), 32),
    "vgg13_bn": (lambda: models.VGG(13, True, 4, dropout=0.0, in_channels=1, width=1 / 32), 32),
    "googlenet": (lambda: models.GoogLeNet(4, dropout=0.0, in_channels=1, width=1 / 16), 64),
    "resnet18": (lambda: models.resnet18(num_classes=4, in_channels=1, width=4), 32),
    "resnet50": (lambda: models.resnet50(num_classes=4, in_channels=1, width=4), 32),
    "vit": (lambda: models.VisionTransformer(16, 4, 2, 2, 16, 32, num_classes=4, in_channels=1), 16),
}


@pytest.fixture(autouse=True)
def seed():
    fg.manual_seed(0)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier_learns(name):
    make, size = CLASSIFIERS[name]
    model, x, y = make(), fg.randn((8, 1, size, size)), fg.arange(8) % 4
    with fg.no_grad():
        model(x)
    if name == "vit":  # its head starts at zero, so that the layers below get their gradient after a step
        fg.nn.init.normal_(model.heads[0].weight, std=0.1)
    loss = models.GoogLeNet.loss
    assert_learns(model, lambda: loss(model(x), y), steps=20, lr=3e-3)


@pytest.mark.parametrize(
    "make, parameters",
    [
        (lambda: models.GoogLeNet(), 13_004_888),
        (lambda: models.GoogLeNet(aux_logits=False), 6_624_904),
        (lambda: models.resnet18(), 11_689_512),
        (lambda: models.resnet34(), 21_797_672),
        (lambda: models.resnet50(), 25_557_032),
        (lambda: models.resnet101(), 44_549_160),
        (lambda: models.LeNet5(), 61_706),
    ],
)
def test_published_sizes(make, parameters):
    assert sum(p.size for p in make().parameters()) == parameters


def test_names_are_torchvisions():
    names = list(models.resnet50(width=2, num_classes=3).state_dict())
    assert {"conv1.weight", "bn1.running_var", "layer1.0.downsample.1.bias", "layer4.2.conv3.weight", "fc.bias"} <= set(
        names
    )
    names = list(models.VisionTransformer(8, 4, 1, 2, 4, 8).state_dict())
    assert names == [
        "class_token",
        "conv_proj.weight",
        "conv_proj.bias",
        "encoder.pos_embedding",
        *(f"encoder.layers.encoder_layer_0.ln_1.{part}" for part in ("weight", "bias")),
        *(f"encoder.layers.encoder_layer_0.self_attention.in_proj_{part}" for part in ("weight", "bias")),
        *(f"encoder.layers.encoder_layer_0.self_attention.out_proj.{part}" for part in ("weight", "bias")),
        *(f"encoder.layers.encoder_layer_0.ln_2.{part}" for part in ("weight", "bias")),
        *(f"encoder.layers.encoder_layer_0.mlp.{i}.{part}" for i in (0, 3) for part in ("weight", "bias")),
        *(f"encoder.ln.{part}" for part in ("weight", "bias")),
        *(f"heads.head.{part}" for part in ("weight", "bias")),
    ]
    names = list(models.GoogLeNet(width=1 / 16).state_dict())
    assert {"inception4e.branch3.1.conv.weight", "inception5b.branch4.1.bn.bias", "aux2.fc1.weight", "fc.bias"} <= set(
        names
    )
    assert [n for n in models.AlexNet(width=1 / 64).state_dict() if n.endswith("bias")] == [
        *(f"features.{i}.bias" for i in (0, 3, 6, 8, 10)),
        *(f"classifier.{i}.bias" for i in (1, 4, 6)),
    ]
    assert "features.40.weight" in models.VGG(16, True, width=1 / 64).state_dict()


@pytest.mark.skipif(not FIXTURES, reason="FERROGRAD_FIXTURES names no folder of reference fixtures with resnets/")
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_resnet_computes_what_pytorch_does(name):
    folder = Path(FIXTURES) / "resnets" / name
    meta, expected = json.loads((folder / "meta.json").read_text()), np.load(folder / "expected.npz")
    model = getattr(models, name)(width=meta["width"], num_classes=meta["classes"])
    weights = fg.io.safetensors.load_file(folder / "model.safetensors")
    model.load_state_dict(weights)
    x, y = fg.asarray(expected["pixel_values"]), fg.asarray(expected["labels"])

    model.eval()
    maps = dict(zip(("stem", "layer1", "layer2", "layer3", "layer4"), model.features(x), strict=True))
    for layer, features in maps.items():
        np.testing.assert_allclose(features.detach().numpy(), expected[f"eval/feature/{layer}"], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(model(x).detach().numpy(), expected["eval/logits"], rtol=1e-3, atol=1e-4)

    model.train()
    logits = model(x)
    loss = F.cross_entropy(logits, y)
    loss.backward()
    np.testing.assert_allclose(logits.detach().numpy(), expected["train/logits"], rtol=1e-3, atol=1e-4)
    assert loss.item() == pytest.approx(float(expected["train/loss"]), rel=1e-4)
    for parameter, value in model.named_parameters():
        wanted = expected[f"train/grad/{parameter}"]
        np.testing.assert_allclose(value.grad.numpy(), wanted, rtol=1e-2, atol=1e-3 * np.abs(wanted).max() + 1e-6)
    for buffer, value in model.named_buffers():
        np.testing.assert_allclose(value.numpy(), expected[f"train/after/{buffer}"], rtol=1e-4, atol=1e-5)


def test_unet_learns_masks():
    model, x = models.UNet(1, 2, width=4, depth=2), fg.randn((2, 1, 16, 16))
    masks = (x[:, 0] > 0).astype(fg.int64)
    assert_learns(model, lambda: F.cross_entropy(model(x), masks), steps=20)
    with pytest.raises(fg.ShapeError, match=r"UNet: expected \(N, C, H, W\) with H and W multiples of 4"):
        model(fg.zeros((1, 1, 18, 16)))


def test_autoencoder_learns():
    model, x = models.Autoencoder(4, image_size=8, width=4), fg.rand((8, 1, 8, 8))
    assert_learns(model, lambda: F.mse_loss(model(x), x), steps=40)


def test_vae_learns_and_draws():
    model, x = models.VAE(4, image_size=8, hidden=32), (fg.rand((16, 1, 8, 8)) > 0.7).astype(fg.float32)
    assert_learns(model, lambda: model.loss(x), steps=30)
    images = model.sample(5, generator=fg.Generator(1))
    assert images.tolist() == model.sample(5, generator=fg.Generator(1)).tolist()
    assert 0 <= float(images.min()) <= float(images.max()) <= 1


def test_dcgan_trains_both_sides():
    model, real = models.DCGAN(8, width=4), fg.rand((8, 1, 28, 28)) * 0.5 + 0.5
    assert_learns(model.discriminator, lambda: model.discriminator_loss(real), steps=20)
    model.generator.zero_grad()
    model.discriminator_loss(real).backward()
    assert all(p.grad is None for p in model.generator.parameters())
    assert_learns(model.generator, lambda: model.generator_loss(8), steps=20)


def test_facenet_learns_and_mines():
    model = models.FaceNet(8, in_channels=1, width=4)
    x, y = fg.randn((12, 1, 32, 32)), fg.arange(12) // 3
    assert_learns(model, lambda: model.loss(model(x), y), steps=20)
    np.testing.assert_allclose((model(x).detach().numpy() ** 2).sum(axis=1), 1.0, rtol=1e-5)
    assert model.loss(model(x[:2]), fg.tensor([0, 1])).item() == 0.0
    points = np.random.default_rng(0).normal(size=(20, 2))
    distances, identities = ((points[:, None] - points) ** 2).sum(-1), np.arange(20) % 4
    anchors, positives, negatives = semi_hard_triplets(distances, identities)
    assert len(anchors) == 20 * 4
    for a, p, n in zip(anchors, positives, negatives, strict=True):
        others = [i for i in range(20) if identities[i] != identities[a]]
        farther = [i for i in others if distances[a, i] > distances[a, p]]
        wanted = min(farther, key=lambda i: distances[a, i]) if farther else max(others, key=lambda i: distances[a, i])
        assert (identities[p] == identities[a], p != a, n) == (True, True, wanted)


def scene(seed):
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 0.6, size=(2, 2))
    return np.concatenate([corner, corner + random.uniform(0.2, 0.4, size=(2, 2))], axis=1), random.integers(0, 3, 2)


def test_ssd_learns_and_finds_what_it_was_shown():
    model, truths = models.SSD(3, image_size=32, width=8, scales=(0.25, 0.45)), [scene(s) for s in range(4)]
    images = np.zeros((4, 1, 32, 32), np.float32)
    for image, (boxes, labels) in zip(images, truths, strict=True):
        for (x0, y0, x1, y1), label in zip((boxes * 32).astype(int), labels, strict=True):
            image[0, y0:y1, x0:x1] += label + 1
    x = fg.asarray(images)
    assert_learns(model, lambda: model.loss(model(x), truths), steps=150, lr=5e-3, factor=0.2)
    for found, (boxes, _) in zip(model.detect(x), truths, strict=True):
        assert iou(boxes, found.boxes).max(axis=1).min() > 0.5
        assert list(found.scores) == sorted(found.scores, reverse=True)
    assert len(models.SSD(3, image_size=32, width=4, scales=(0.3,)).detect(x, score=1.0)[0].boxes) == 0


def test_ssd_matches_every_object():
    model = models.SSD(3, width=4)
    boxes, labels = scene(5)
    classes, offsets = model.match(boxes, labels)
    assert set(classes[classes > 0] - 1) == set(labels)
    restored = decode(offsets, model.default_boxes)[classes > 0]
    assert iou(restored, boxes).max(axis=1).min() > 0.999
    empty, _ = model.match(np.zeros((0, 4)), np.zeros(0, np.int64))
    assert not empty.any()
    outputs = model(fg.zeros((1, 1, 64, 64)))
    assert np.isfinite(model.loss(outputs, [(np.zeros((0, 4)), np.zeros(0, np.int64))]).item())


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="VGG: expected 11, 13, 16 or 19 layers, got 12"):
        models.VGG(12)
    with pytest.raises(ValueError, match="patch_size must divide image_size 30, got 16"):
        models.vit_b_16(image_size=30)
    with pytest.raises(fg.ShapeError, match=r"expected images \(N, C, 16, 16\), got \(1, 1, 8, 8\)"):
        CLASSIFIERS["vit"][0]()(fg.zeros((1, 1, 8, 8)))
    with pytest.raises(ValueError, match="Autoencoder: image_size must be a multiple of 4, got 30"):
        models.Autoencoder(image_size=30)
