//! One typed error for the whole core; `rust/py/src/error.rs` maps it to Python exceptions.

use std::fmt;

pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong; the message always reads "op: what is wrong, expected X, got Y".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    Shape(String),
    DType(String),
    Value(String),
    Index(String),
    Device(String),
    Grad(String),
    Memory(String),
    Format(String),
    /// A bug of ours: reported, never a panic.
    Internal(String),
    /// The user asked a long call to stop (Ctrl-C).
    Interrupted,
    /// An error raised by user code that the core called (hooks, custom gradients); the binding keeps the original.
    Callback(String),
}

macro_rules! constructors {
    ($($name:ident => $variant:ident),* $(,)?) => {
        impl Error {
            $(pub fn $name(op: &str, message: impl fmt::Display) -> Error {
                Error::$variant(format!("{op}: {message}"))
            })*
        }
    };
}

constructors! {
    shape => Shape, dtype => DType, value => Value, index => Index, device => Device,
    grad => Grad, memory => Memory, format => Format, internal => Internal,
}

impl Error {
    /// The same error in the name of the op that the user called.
    pub fn renamed(self, op: &str) -> Error {
        let rename = |message: String| match message.split_once(": ") {
            Some((_, rest)) => format!("{op}: {rest}"),
            None => message,
        };
        match self {
            Error::Shape(message) => Error::Shape(rename(message)),
            Error::DType(message) => Error::DType(rename(message)),
            Error::Value(message) => Error::Value(rename(message)),
            other => other,
        }
    }

    /// Memory errors say which op asked.
    pub fn asked_by(self, op: &str) -> Error {
        match self {
            Error::Memory(message) => Error::Memory(format!("{op}: {message}")),
            other => other,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Shape(m)
            | Error::DType(m)
            | Error::Value(m)
            | Error::Index(m)
            | Error::Device(m)
            | Error::Grad(m)
            | Error::Memory(m)
            | Error::Format(m)
            | Error::Callback(m) => f.write_str(m),
            Error::Internal(m) => write!(f, "internal error, please report it: {m}"),
            Error::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Error {}
