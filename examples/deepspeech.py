"""Recognise generated speech with a Deep Speech network: sequences of vowels, without knowing when each is spoken.

python examples/deepspeech.py
"""

import argparse

import numpy as np
from tqdm import trange

import ferrograd as fg
from ferrograd.models import DeepSpeech

parser = argparse.ArgumentParser(description="Learn to write down generated speech.")
parser.add_argument("--iterations", type=int, default=120)
parser.add_argument("--batch-size", type=int, default=16)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

# Vowels and their two loudest frequencies in Hz (Peterson & Barney 1952, men), sampled 6000 times a second.
VOWELS = {"i": (270, 2290), "e": (530, 1840), "a": (730, 1090), "o": (570, 840), "u": (300, 870), "r": (490, 1350)}
LETTERS = ["", *VOWELS]  # 0 is the blank
RATE, FRAME, STEP = 6000, 128, 64

fg.manual_seed(arguments.seed)
random = np.random.default_rng(arguments.seed)


def speak(word):
    """Every vowel as long, as high and as loud as chance has it, with a pause now and then, and noise over all."""
    sounds = []
    for letter in word:
        time = np.arange(random.integers(600, 1200)) / RATE
        pitch, loudness = random.uniform(0.95, 1.05), random.uniform(0.5, 1.5)
        low, high = (np.sin(2 * np.pi * pitch * frequency * time) for frequency in VOWELS[letter])
        sounds += [loudness * np.hanning(len(time)) * (low + 0.5 * high), np.zeros(random.integers(0, 300))]
    sound = np.concatenate(sounds)
    return sound + 0.1 * random.normal(size=len(sound))


def spectrogram(sound):
    """Loudness by frequency and time, (FRAME / 2 + 1, T)."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, FRAME)[::STEP] * np.hanning(FRAME)
    return fg.log1p(fg.abs(fg.fft.rfft(fg.asarray(frames.astype(np.float32))))).T


def batch(size):
    words = ["".join(random.choice(list(VOWELS), size=random.integers(3, 8))) for _ in range(size)]
    pictures = [spectrogram(speak(word)) for word in words]
    lengths = [picture.shape[1] for picture in pictures]
    padded = fg.stack([fg.pad(picture, (0, max(lengths) - picture.shape[1])) for picture in pictures])
    labels = fg.tensor([[LETTERS.index(letter) for letter in word] + [0] * (7 - len(word)) for word in words])
    return words, padded, fg.tensor(lengths), labels, fg.tensor([len(word) for word in words])


def distance(word, other):
    """How many letters must be changed, left out or put in (Levenshtein 1966)."""
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, start=1):
        before, row[0] = row[0], i
        for j, wanted in enumerate(other, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (letter != wanted))
    return row[-1]


model = DeepSpeech(num_features=FRAME // 2 + 1, num_classes=len(LETTERS), channels=8, hidden_size=64, num_layers=1)
optimizer = fg.optim.AdamW(model.parameters(), lr=3e-3)
print(f"{sum(p.size for p in model.parameters()):,} parameters")

with trange(arguments.iterations, unit="step") as steps:
    for _ in steps:
        _, spectrograms, lengths, labels, label_lengths = batch(arguments.batch_size)
        loss = model.loss(spectrograms, lengths, labels, label_lengths)
        optimizer.zero_grad()
        loss.backward()
        fg.optim.clip_grad_norm_(model.parameters(), max_norm=5.0)
        optimizer.step()
        steps.set_postfix(loss=f"{loss.item():.3f}", refresh=False)

model.eval()
words, spectrograms, lengths, *_ = batch(100)
heard = ["".join(LETTERS[label] for label in labels) for labels in model.transcribe(spectrograms, lengths)]
for word, guess in list(zip(words, heard, strict=True))[:5]:
    print(f"spoken {word:8} heard {guess}")
errors = sum(distance(word, guess) for word, guess in zip(words, heard, strict=True))
print(f"letter error rate {100 * errors / sum(map(len, words)):.1f} % on 100 new words")
