"""The training loop written by hand, on the handwritten digits that ship with the package."""

import argparse

import ferrograd as fg
from ferrograd import nn
from ferrograd.nn import functional as F

argparse.ArgumentParser(description=__doc__).parse_args()
fg.manual_seed(0)
train, test = fg.datasets.load_digits()
loader = fg.data.DataLoader(train, batch_size=32, shuffle=True)
model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = fg.optim.AdamW(model.parameters(), lr=3e-3)

for epoch in range(10):
    model.train()
    for images, labels in loader:
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    model.eval()
    images, labels = test.tensors
    with fg.no_grad():
        right = model(images).argmax(axis=1) == labels
    print(f"epoch {epoch + 1}: loss {loss.item():.4f}, test accuracy {100 * float(right.sum()) / len(labels):.1f} %")
