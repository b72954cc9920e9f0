"""Classify sentences of film reviews as good or bad with a convolutional or recurrent network.

    python examples/text_classifier.py PATH/sst2 --model cnn

The folder has train.tsv and dev.tsv with lines "sentence<TAB>label", as the Stanford Sentiment Treebank.
"""

import argparse
from collections import Counter

import numpy as np
from example_data import existing

import ferrograd as fg
from ferrograd.models import GRUClassifier, LSTMClassifier, TextCNN

MODELS = {"cnn": TextCNN, "lstm": LSTMClassifier, "gru": GRUClassifier}

parser = argparse.ArgumentParser(description="Classify sentences.")
parser.add_argument("folder", type=existing, help="where train.tsv and dev.tsv are")
parser.add_argument("--model", choices=MODELS, default="cnn")
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--batch-size", type=int, default=50)
parser.add_argument("--learning-rate", type=float, default=1e-3)
parser.add_argument("--max-words", type=int, default=40)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()


def read(name):
    lines = (arguments.folder / name).read_text(encoding="utf-8").splitlines()
    rows = [line.rsplit("\t", 1) for line in lines if line.strip()]
    return [sentence.lower().split() for sentence, _ in rows], np.array([int(label) for _, label in rows])


fg.manual_seed(arguments.seed)
train_texts, train_labels = read("train.tsv")
dev_texts, dev_labels = read("dev.tsv")
counts = Counter(word for words in train_texts for word in words)
frequent = [word for word, count in counts.most_common() if count >= 2]
vocabulary = {word: number for number, word in enumerate(frequent, start=2)}  # 0 pads, 1 is any other word


def as_dataset(texts, labels):
    ids = np.zeros((len(texts), arguments.max_words), dtype=np.int64)
    for row, words in zip(ids, texts, strict=True):
        kept = words[: arguments.max_words]
        row[: len(kept)] = [vocabulary.get(word, 1) for word in kept]
    return fg.data.TensorDataset(ids, labels)


model = MODELS[arguments.model](vocab_size=len(vocabulary) + 2, num_classes=2)
print(
    f"{sum(p.size for p in model.parameters()):,} parameters, {len(vocabulary):,} words, {len(train_texts):,} sentences"
)
trainer = fg.train.Trainer(
    model,
    as_dataset(train_texts, train_labels),
    batch_size=arguments.batch_size,
    optimizer=fg.optim.AdamW(model.parameters(), lr=arguments.learning_rate),
    metrics=["accuracy"],
    validation_data=as_dataset(dev_texts, dev_labels),
)
history = trainer.fit(arguments.epochs)
best = max(epoch["val_accuracy"] for epoch in history)
print(f"{arguments.model}: accuracy on dev.tsv {100 * history[-1]['val_accuracy']:.1f} %, at best {100 * best:.1f} %")
