//! Running averages of parameters.

use super::rule::rules;

rules! {
    /// A part of the way to the value that stands in the gradient's place.
    average(weight) [] [] {}
    p, g => {
        p += weight * (g - p);
    }
}
