"""Read numbers in words with a sequence-to-sequence Transformer: "two hundred five" -> 205.

python examples/seq2seq.py
"""

import argparse

import numpy as np
from tqdm import trange

import ferrograd as fg
from ferrograd.models import Seq2SeqTransformer

parser = argparse.ArgumentParser(description="Learn to read numbers in words.")
parser.add_argument("--iterations", type=int, default=500)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

UNITS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen"""
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
SMALL, ROUND = UNITS.split(), TENS.split()
WORDS = ["<pad>", *SMALL, *ROUND, "hundred", "thousand"]
MARKS = ["<pad>", "<start>", "<end>", *"0123456789"]


def spell(number):
    """An English number below a million, as a list of words."""
    if number < 20:
        return [SMALL[number]]
    if number < 100:
        return [ROUND[number // 10 - 2], *(spell(number % 10) if number % 10 else [])]
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    return [*spell(number // size), name, *(spell(number % size) if number % size else [])]


def padded(rows):
    table = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    return fg.asarray(table)


def as_batch(numbers):
    source = [[WORDS.index(word) for word in spell(number)] for number in numbers]
    target = [[MARKS.index(mark) for mark in ("<start>", *str(number), "<end>")] for number in numbers]
    return padded(source), padded(target)


# Numbers of every length are equally frequent; one number in ten is kept for the test.
fg.manual_seed(arguments.seed)
random = np.random.default_rng(arguments.seed)
numbers = np.unique(np.floor(10 ** random.uniform(0, 6, size=40_000)).astype(int))
random.shuffle(numbers)
train, test = numbers[len(numbers) // 10 :].tolist(), numbers[: min(len(numbers) // 10, 500)].tolist()

model = Seq2SeqTransformer(len(WORDS), len(MARKS), d_model=64, nhead=4, dim_feedforward=128, dropout=0.0, max_len=16)
optimizer = fg.optim.AdamW(model.parameters(), lr=2e-3)
cosine = fg.optim.CosineAnnealingLR(optimizer, T_max=arguments.iterations)
schedule = fg.optim.WarmupLR(optimizer, warmup_steps=50, after=cosine)
print(f"{sum(p.size for p in model.parameters()):,} parameters, {len(train):,} numbers to learn from")

with trange(arguments.iterations, unit="step") as steps:
    for _ in steps:
        loss = model.loss(*as_batch(random.choice(train, size=arguments.batch_size).tolist()))
        optimizer.zero_grad()
        loss.backward()
        fg.optim.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        schedule.step()
        steps.set_postfix(loss=f"{loss.item():.3f}", refresh=False)

model.eval()
source, _ = as_batch(test)
written = model.translate(source, MARKS.index("<start>"), MARKS.index("<end>"), max_new_tokens=8)
answers = ["".join(MARKS[i] for i in row).split("<end>")[0] for row in written.tolist()]
for number, answer in list(zip(test, answers, strict=True))[:5]:
    print(f"{' '.join(spell(number))} -> {answer}")
right = sum(answer == str(number) for number, answer in zip(test, answers, strict=True))
print(f"right: {right} of {len(test)} numbers that training never saw")
