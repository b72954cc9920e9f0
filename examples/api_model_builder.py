"""A model from layer names, trained and evaluated: the front end's shortest program.

python examples/api_model_builder.py [PATH/mnist.npz] [--samples N]
"""

from example_data import image_parser, load_images

from ferrograd.api import DataLoader, Evaluator, ModelBuilder, Trainer

train_data, test_data = load_images(image_parser(__doc__).parse_args(), channels_last=True)

model_builder = ModelBuilder()
model_builder.add_layer("conv2d", filters=32, kernel_size=(3, 3), activation="relu")
model_builder.add_layer("max_pooling2d", pool_size=(2, 2))
model_builder.add_layer("dense", units=10, activation="softmax")
model = model_builder.build(input_shape=(28, 28, 1))

data_loader = DataLoader(train_data, batch_size=32)
trainer = Trainer(model, data_loader, optimizer="adam", loss="categorical_crossentropy")
trainer.train(epochs=10)

evaluator = Evaluator(model, test_data)
accuracy = evaluator.evaluate()
print(f"Test accuracy: {accuracy:.4f}")
