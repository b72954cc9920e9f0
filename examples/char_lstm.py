"""Train an LSTM on the characters of a text, then let it write.

    python examples/char_lstm.py PATH/tinyshakespeare.txt

One pass over Tiny Shakespeare brings the validation loss to about 1.75.
"""

import argparse
import statistics
import time

from example_data import existing
from tqdm import tqdm

import ferrograd as fg
from ferrograd.models import CharLSTM

parser = argparse.ArgumentParser(description="Train an LSTM on the characters of a text.")
parser.add_argument("path", type=existing, help="the text, such as tinyshakespeare.txt")
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--batch-size", type=int, default=32)
parser.add_argument("--block-size", type=int, default=64)
parser.add_argument("--width", type=int, default=256, help="of the embedding and of the two layers")
parser.add_argument("--characters", type=int, default=500, help="how many to write at the end")
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

fg.manual_seed(arguments.seed)
train, validation, vocabulary = fg.datasets.load_characters(arguments.path)
model = CharLSTM(len(vocabulary), arguments.width, arguments.width, num_layers=2)
optimizer = fg.optim.AdamW(model.parameters(), lr=2e-3)
print(f"{sum(p.size for p in model.parameters()):,} parameters, {len(train):,} characters, {len(vocabulary)} distinct")


def blocks(text):
    """The text, cut into blocks one after the other, beside the same blocks one character later."""
    count, size = (len(text) - 1) // arguments.block_size, arguments.block_size
    parts = (text[: count * size], text[1 : count * size + 1])
    return fg.data.TensorDataset(*(part.reshape((count, size)) for part in parts))


seconds = []
loader = fg.data.DataLoader(blocks(train), arguments.batch_size, shuffle=True)
for epoch in range(arguments.epochs):
    with tqdm(loader, unit="step", desc=f"epoch {epoch + 1}") as steps:
        for inputs, targets in steps:
            start = time.perf_counter()
            loss = model.loss(inputs, targets)
            optimizer.zero_grad()
            loss.backward()
            fg.optim.clip_grad_norm_(model.parameters(), max_norm=1.0)
            optimizer.step()
            seconds.append(time.perf_counter() - start)
            steps.set_postfix(loss=f"{loss.item():.3f}", refresh=False)

model.eval()
held_out = blocks(validation)
with fg.no_grad():
    total = sum(model.loss(x, y).item() * len(x) for x, y in fg.data.DataLoader(held_out, batch_size=64))

written = model.generate(fg.zeros((1, 1), dtype=fg.int64), arguments.characters, temperature=0.7)
print("".join(vocabulary[i] for i in written[0].tolist()))
print(f"median step {1e3 * statistics.median(seconds):.1f} ms")
print(f"validation loss {total / len(held_out):.4f}")
