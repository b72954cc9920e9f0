"""Train a small GPT on the characters of a text, then let it write: the CPU configuration of nanoGPT.

    python examples/char_gpt.py PATH/tinyshakespeare.txt

2000 iterations on Tiny Shakespeare bring the validation loss to about 1.9.
"""

import argparse
import statistics
import time

from example_data import existing
from tqdm import trange

import ferrograd as fg
from ferrograd.models import GPT, GPTConfig

parser = argparse.ArgumentParser(description="Train a GPT on the characters of a text.")
parser.add_argument("path", type=existing, help="the text, such as tinyshakespeare.txt")
parser.add_argument("--iterations", type=int, default=2000)
parser.add_argument("--batch-size", type=int, default=12)
parser.add_argument("--block-size", type=int, default=64)
parser.add_argument("--layers", type=int, default=4)
parser.add_argument("--heads", type=int, default=4)
parser.add_argument("--width", type=int, default=128)
parser.add_argument("--characters", type=int, default=500, help="how many to write at the end")
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

fg.manual_seed(arguments.seed)
train, validation, vocabulary = fg.datasets.load_characters(arguments.path)
block = arguments.block_size
model = GPT(GPTConfig(block, len(vocabulary), arguments.layers, arguments.heads, arguments.width, bias=False))
print(f"{sum(p.size for p in model.parameters()):,} parameters, {len(train):,} characters, {len(vocabulary)} distinct")

optimizer = model.configure_optimizers(weight_decay=0.1, learning_rate=1e-3, betas=(0.9, 0.99))
cosine = fg.optim.CosineAnnealingLR(optimizer, T_max=max(arguments.iterations - 100, 1), eta_min=1e-4)
schedule = fg.optim.WarmupLR(optimizer, warmup_steps=100, after=cosine)


def random_batch(text):
    """Pieces of the text from random places, and the same pieces one character later."""
    places = fg.randint(0, len(text) - block, (arguments.batch_size, 1)) + fg.arange(block)
    return text[places], text[places + 1]


seconds = []
with trange(arguments.iterations, unit="step") as steps:
    for _ in steps:
        start = time.perf_counter()
        loss = model.loss(*random_batch(train))
        optimizer.zero_grad()
        loss.backward()
        fg.optim.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        schedule.step()
        seconds.append(time.perf_counter() - start)
        steps.set_postfix(loss=f"{loss.item():.3f}", refresh=False)

# The validation text, cut into blocks one after the other.
model.eval()
blocks = (len(validation) - 1) // block
inputs = validation[: blocks * block].reshape((blocks, block))
targets = validation[1 : blocks * block + 1].reshape((blocks, block))
with fg.no_grad():
    losses = [model.loss(x, y).item() * len(x) for x, y in zip(inputs.split(64), targets.split(64), strict=True)]
    samples = [model.loss(*random_batch(validation)).item() for _ in range(200)]

written = model.generate(fg.zeros((1, 1), dtype=fg.int64), arguments.characters, temperature=0.8, top_k=20)
print("".join(vocabulary[i] for i in written[0].tolist()))
print(f"median step {1e3 * statistics.median(seconds):.1f} ms")
print(f"validation loss {sum(losses) / blocks:.4f}, of 200 random batches {statistics.mean(samples):.4f}")
