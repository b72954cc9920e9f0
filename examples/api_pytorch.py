"""The PyTorch form: a module, a loss, an optimizer and the loop by hand. Tells the digits 5 to 9 from 0 to 4.

python examples/api_pytorch.py [PATH/mnist.npz] [--samples N]
"""

from example_data import image_parser, load_images

import ferrograd as fg
import ferrograd.nn as nn
import ferrograd.optim as optim
from ferrograd.data import DataLoader, TensorDataset

(x_train, y_train), (x_test, y_test) = load_images(image_parser(__doc__).parse_args())


class BinaryClassifier(nn.Module):
    """One hidden layer; the output is the probability of class 1."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(28 * 28, 64)
        self.relu = nn.ReLU()
        self.output = nn.Linear(64, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x):
        x = self.relu(self.hidden(x))
        return self.sigmoid(self.output(x))


model = BinaryClassifier()
criterion = nn.BCELoss()
optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
train_data = TensorDataset(x_train.reshape(-1, 28 * 28), (y_train >= 5).astype("float32"))

for epoch in range(5):
    for inputs, labels in DataLoader(train_data, batch_size=64, shuffle=True):
        optimizer.zero_grad()
        outputs = model(inputs)
        loss = criterion(outputs, labels.unsqueeze(1))
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.4f}")

with fg.no_grad():
    predicted = model(fg.asarray(x_test.reshape(-1, 28 * 28))) > 0.5
accuracy = (predicted.squeeze(1).numpy() == (y_test >= 5)).mean()
print(f"Test accuracy: {accuracy:.4f}")
