use super::*;
use crate::autograd::gradcheck::{assert_first_order, assert_gradients, random_tensor};
use crate::ops::copy;

fn values(x: &Tensor) -> Vec<f64> {
    copy::contiguous(x).unwrap().slice::<f64>().unwrap().to_vec()
}

/// The definition: a loop over all labels, one letter a label.
fn naive(equation: &str, operands: &[&Tensor]) -> Vec<f64> {
    let (left, output) = equation.split_once("->").unwrap();
    let terms: Vec<Vec<char>> = left.split(',').map(|t| t.chars().collect()).collect();
    let mut sizes: BTreeMap<char, usize> = BTreeMap::new();
    for (term, x) in terms.iter().zip(operands) {
        for (&c, &n) in term.iter().zip(x.shape()) {
            let known = sizes.entry(c).or_insert(1);
            *known = n.max(*known);
        }
    }
    let data: Vec<Vec<f64>> = operands.iter().map(|x| values(x)).collect();
    let labels: Vec<char> = sizes.keys().copied().collect();
    let mut out = vec![0.0; output.chars().map(|c| sizes[&c]).product()];
    for point in 0..sizes.values().product::<usize>() {
        let mut index: BTreeMap<char, usize> = BTreeMap::new();
        let mut rest = point;
        for &c in labels.iter().rev() {
            index.insert(c, rest % sizes[&c]);
            rest /= sizes[&c];
        }
        let product: f64 = terms.iter().zip(operands).zip(&data).fold(1.0, |product, ((term, x), data)| {
            let at = term.iter().zip(x.shape()).fold(0, |at, (c, &n)| at * n + if n == 1 { 0 } else { index[c] });
            product * data[at]
        });
        out[output.chars().fold(0, |at, c| at * sizes[&c] + index[&c])] += product;
    }
    out
}

const CASES: &[(&str, &[&[usize]])] = &[
    ("ij->ji", &[&[2, 3]]),
    ("ij->", &[&[2, 3]]),
    ("ij->j", &[&[2, 3]]),
    ("ii->i", &[&[3, 3]]),
    ("iji->j", &[&[3, 2, 3]]),
    ("ij,jk->ik", &[&[2, 3], &[3, 4]]),
    ("ij,jk->ki", &[&[2, 3], &[3, 4]]),
    ("ij,ij->ij", &[&[2, 3], &[2, 3]]),
    ("ij,ij->", &[&[2, 3], &[2, 3]]),
    ("i,j->ij", &[&[2], &[3]]),
    ("i,j->", &[&[2], &[3]]),
    ("bij,bjk->bik", &[&[2, 3, 2], &[2, 2, 3]]),
    ("bhqd,bhkd->bhqk", &[&[2, 2, 3, 4], &[2, 2, 5, 4]]),
    ("ij,jk,kl->il", &[&[2, 3], &[3, 2], &[2, 3]]),
    ("bn,anm,bm->ba", &[&[2, 3], &[4, 3, 2], &[2, 2]]),
    ("ij,jk->ik", &[&[2, 1], &[3, 4]]),
    ("ij,ij->ij", &[&[1, 3], &[2, 1]]),
    ("iij,jkk->ik", &[&[2, 2, 3], &[3, 2, 2]]),
    ("ab,cd->acdb", &[&[2, 3], &[2, 2]]),
    (",i->i", &[&[], &[3]]),
];

#[test]
fn every_contraction_agrees_with_the_definition() {
    for (equation, shapes) in CASES {
        let operands: Vec<Tensor> = shapes.iter().zip(1..).map(|(s, i)| random_tensor(s, i)).collect();
        let operands: Vec<&Tensor> = operands.iter().collect();
        let (got, want) = (values(&einsum(equation, &operands).unwrap()), naive(equation, &operands));
        assert_eq!(got.len(), want.len(), "{equation}");
        assert!(got.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-12), "{equation}");
    }
}

#[test]
fn ellipsis_broadcasts_and_defaults_are_alphabetical() {
    let (a, b) = (random_tensor(&[5, 1, 2, 3], 1), random_tensor(&[4, 3, 2], 2));
    let got = einsum("...ij,...jk", &[&a, &b]).unwrap();
    let want = matmul::matmul(&a, &b).unwrap();
    assert_eq!((got.shape(), values(&got)), (want.shape(), values(&want)));
    assert_eq!(einsum("i...->...", &[&a]).unwrap().shape(), &[1, 2, 3]);
    assert_eq!(einsum("ba", &[&random_tensor(&[2, 3], 1)]).unwrap().shape(), &[3, 2]);
    assert_eq!(einsum("...ij->ij", &[&a]).unwrap().shape(), &[2, 3]);
}

#[test]
fn operands_that_do_not_fit_are_errors() {
    let (a, b) = (random_tensor(&[2, 3], 1), random_tensor(&[2, 3], 2));
    assert!(einsum("ij,jk->ik", &[&a, &b]).is_err());
    assert!(einsum("ii", &[&a]).is_err());
    assert!(einsum("ij,ij", &[&a]).is_err());
    assert!(einsum("ij", &[]).is_err());
}

#[test]
fn gradients_agree_with_finite_differences() {
    for (equation, shapes) in CASES {
        let operands: Vec<Tensor> = shapes.iter().zip(1..).map(|(s, i)| random_tensor(s, i)).collect();
        let inputs: Vec<&Tensor> = operands.iter().collect();
        let f = |x: &[Tensor]| einsum(equation, &x.iter().collect::<Vec<_>>());
        match inputs.len() {
            1 => assert_first_order(&inputs, &f),
            _ => assert_gradients(&inputs, f),
        }
    }
}
