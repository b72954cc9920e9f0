"""Train a WaveNet on a generated melody, then let it play on: writes wavenet.wav.

python examples/wavenet.py
"""

import argparse
import wave

import numpy as np
from tqdm import trange

import ferrograd as fg
from ferrograd.models import WaveNet
from ferrograd.models.wavenet import mu_law_decode, mu_law_encode

parser = argparse.ArgumentParser(description="Train a WaveNet on a generated melody.")
parser.add_argument("--iterations", type=int, default=200)
parser.add_argument("--samples", type=int, default=2000, help="how many to generate at the end")
parser.add_argument("--output", default="wavenet.wav")
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

fg.manual_seed(arguments.seed)
random = np.random.default_rng(arguments.seed)
RATE = 4000  # samples a second

# A melody: plucked notes of a scale, a quarter of a second each, with one overtone.
time = np.arange(RATE // 4) / RATE
notes = random.choice([220.0, 247.5, 275.0, 330.0, 371.25, 440.0], size=60)
pluck = np.exp(-6 * time)
melody = np.concatenate(
    [0.6 * pluck * (np.sin(2 * np.pi * f * time) + 0.4 * np.sin(4 * np.pi * f * time)) for f in notes]
)
audio = mu_law_encode(fg.asarray(melody.astype(np.float32)), classes=64)

model = WaveNet(classes=64, channels=24, skip_channels=64, layers=8, stacks=1)
optimizer = fg.optim.Adam(model.parameters(), lr=5e-3)
print(f"{sum(p.size for p in model.parameters()):,} parameters, a receptive field of {model.receptive_field} samples")

with trange(arguments.iterations, unit="step") as steps:
    for step in steps:
        places = fg.randint(0, len(audio) - 768, (4, 1)) + fg.arange(768)
        loss = model.loss(audio[places])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step == 0:
            first = loss.item()
        steps.set_postfix(loss=f"{loss.item():.3f}", refresh=False)

print(f"loss {first:.3f} before, {loss.item():.3f} after training; guessing among 64 classes has {np.log(64):.3f}")
continued = model.generate(audio[None, : model.receptive_field], arguments.samples, temperature=0.7)
samples = mu_law_decode(continued[0], classes=64).numpy()
with wave.open(arguments.output, "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(RATE)
    file.writeframes((samples * 32767).astype("<i2").tobytes())
print(f"{len(samples) / RATE:.2f} seconds of audio in {arguments.output}")
