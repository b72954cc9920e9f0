"""The Keras form: Sequential, compile, fit, evaluate, predict, summary.

python examples/api_keras.py [PATH/mnist.npz] [--samples N]
"""

from example_data import image_parser, load_images

from ferrograd.api import Conv2D, Dense, Flatten, MaxPooling2D, Sequential

(x_train, y_train), (x_test, y_test) = load_images(image_parser(__doc__).parse_args(), channels_last=True)

model = Sequential(
    [
        Conv2D(32, kernel_size=(3, 3), activation="relu", input_shape=(28, 28, 1)),
        MaxPooling2D(pool_size=(2, 2)),
        Conv2D(64, kernel_size=(3, 3), activation="relu"),
        MaxPooling2D(pool_size=(2, 2)),
        Flatten(),
        Dense(128, activation="relu"),
        Dense(10, activation="softmax"),
    ]
)
model.summary()

model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=64, epochs=3, validation_data=(x_test, y_test))

loss, accuracy = model.evaluate(x_test, y_test)
predictions = model.predict(x_test[:5])
print(f"Validation accuracy by epoch: {[round(value, 4) for value in history.history['val_accuracy']]}")
print(f"Test accuracy: {accuracy:.4f}")
print(f"Predicted {predictions.argmax(axis=1)}, is {y_test[:5]}")
