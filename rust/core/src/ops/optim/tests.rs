use super::*;
use crate::cpu::level::{Level, at_level};
use crate::cpu::pool;
use crate::ops::{cast, create};

fn tensor(values: &[f64], dtype: DType) -> Tensor {
    cast::astype(&Tensor::from_slice(values, &[values.len()]).unwrap(), dtype).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    cast::astype(x, DType::F64).unwrap().slice::<f64>().unwrap().to_vec()
}

fn wave(n: usize, phase: f64) -> Vec<f64> {
    (0..n).map(|i| (i as f64 * 0.7 + phase).sin()).collect()
}

fn close(got: &[f64], want: &[f64], tolerance: f64) {
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= tolerance * w.abs().max(1.0), "element {i}: {g} is not {w}");
    }
}

/// One step of a rule with numbers in the order of `rule.numbers`, then shared ones by name.
fn step_by(
    name: &str,
    numbers: &[f64],
    shared: &[(&str, f64)],
    p: &mut [Tensor],
    g: &[Tensor],
    states: &mut [Vec<Tensor>],
) -> Result<()> {
    let rule = Rule::find(name)?;
    let named: Vec<_> =
        rule.numbers.iter().copied().zip(numbers.iter().copied()).chain(shared.iter().copied()).collect();
    step(rule, &named, p, g, states, None)
}

fn zeros(p: &[Tensor]) -> Vec<Tensor> {
    p.iter().map(|p| create::zeros_like(p).unwrap()).collect()
}

#[test]
fn sgd_follows_its_formula_in_every_dtype() {
    for (nesterov, scale) in [(false, 0.5), (true, -0.5)] {
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-5), (DType::F16, 5e-3), (DType::BF16, 5e-2)] {
            let n = 700;
            let mut p = [tensor(&wave(n, 0.0), dtype)];
            let mut m = [zeros(&p)];
            let (mut want_p, mut want_m) = (values(&p[0]), vec![0.0; n]);
            let shared = [("scale", scale), ("weight_decay", 0.01), ("l1_decay", 0.02), ("shrink", 0.99)];
            for t in 0..3 {
                let g = [tensor(&wave(n, t as f64), dtype)];
                step_by("sgd", &[0.1, 0.9, 0.8, nesterov as u8 as f64], &shared, &mut p, &g, &mut m).unwrap();
                for (i, g) in values(&g[0]).into_iter().enumerate() {
                    let sign = if want_p[i] == 0.0 { 0.0 } else { want_p[i].signum() };
                    let g = scale * g + 0.01 * want_p[i] + 0.02 * sign;
                    want_m[i] = 0.9 * want_m[i] + 0.8 * g;
                    want_p[i] = 0.99 * want_p[i] - 0.1 * if nesterov { g + 0.9 * want_m[i] } else { want_m[i] };
                }
            }
            close(&values(&p[0]), &want_p, tolerance);
            close(&values(&m[0][0]), &want_m, tolerance);
        }
    }
}

#[test]
fn a_state_that_is_not_kept_reads_zero() {
    for dtype in [DType::F64, DType::F32, DType::F16] {
        let start = tensor(&wave(600, 0.0), dtype);
        let (mut with, mut without) = ([start.clone()], [start]);
        let g = [tensor(&wave(600, 1.0), dtype)];
        let mut kept = [zeros(&with)];
        step_by("sgd", &[0.5, 0.9, 1.0, 0.0], &[], &mut with, &g, &mut kept).unwrap();
        step_by("sgd", &[0.5, 0.9, 1.0, 0.0], &[], &mut without, &g, &mut [vec![]]).unwrap();
        assert_eq!(values(&with[0]), values(&without[0]));
    }
}

#[test]
fn adam_follows_its_formula_over_many_parts() {
    for amsgrad in [false, true] {
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-5)] {
            let n = 40_000;
            let mut p = [tensor(&wave(n, 0.0), dtype), tensor(&wave(3, 0.0), dtype)];
            let largest = if amsgrad { zeros(&p) } else { vec![] };
            let mut states = [zeros(&p), zeros(&p), largest];
            let mut want = values(&p[0]);
            let (mut want_m, mut want_v, mut want_max) = (vec![0.0; n], vec![0.0; n], vec![0f64; n]);
            for t in 1..4 {
                let size = 1.0 / t as f64;
                let [long, short] = [n, 3].map(|n| wave(n, t as f64).iter().map(|x| x * size).collect::<Vec<_>>());
                let g = [tensor(&long, dtype), tensor(&short, dtype)];
                let numbers = [0.01, 0.9, 0.99, 1e-8, t as f64];
                step_by("adam", &numbers, &[("scale", 2.0), ("weight_decay", 0.1)], &mut p, &g, &mut states).unwrap();
                for (i, g) in values(&g[0]).into_iter().enumerate() {
                    let g = 2.0 * g + 0.1 * want[i];
                    want_m[i] = 0.9 * want_m[i] + 0.1 * g;
                    want_v[i] = 0.99 * want_v[i] + 0.01 * g * g;
                    want_max[i] = if amsgrad { want_max[i].max(want_v[i]) } else { want_v[i] };
                    let (m, v) = (want_m[i] / (1.0 - 0.9f64.powi(t)), want_max[i] / (1.0 - 0.99f64.powi(t)));
                    want[i] -= 0.01 * m / (v.sqrt() + 1e-8);
                }
            }
            close(&values(&p[0]), &want, tolerance);
            close(&values(&p[1]), &want[..3], tolerance);
        }
    }
}

#[test]
fn parameters_of_several_dtypes_share_a_step() {
    let mut p = [DType::F32, DType::F64, DType::BF16].map(|dtype| tensor(&[1.0, 2.0], dtype));
    let g = p.each_ref().map(|p| tensor(&[0.5, -0.5], p.dtype()));
    step_by("sgd", &[1.0, 0.0, 1.0, 0.0], &[], &mut p, &g, &mut [vec![]]).unwrap();
    assert!(p.iter().all(|p| values(p) == [0.5, 2.5]));
}

#[test]
fn a_value_held_elsewhere_is_not_overwritten() {
    let mut p = [tensor(&[1.0], DType::F32)];
    let before = p[0].clone();
    let descend = |p: &mut [Tensor]| {
        step_by("sgd", &[1.0, 0.0, 1.0, 0.0], &[], p, &[tensor(&[1.0], DType::F32)], &mut [vec![]]).unwrap();
    };
    descend(&mut p);
    assert_eq!((values(&before), values(&p[0])), (vec![1.0], vec![0.0]));
    let address = p[0].storage().pointer().unwrap();
    descend(&mut p);
    assert_eq!(p[0].storage().pointer().unwrap(), address);
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let mut p = [tensor(&[1.0], DType::F32), tensor(&[2.0], DType::F32)];
    let good = [tensor(&[1.0], DType::F32), tensor(&[1.0], DType::F32)];
    let bad = [tensor(&[1.0], DType::F32), tensor(&[1.0, 1.0], DType::F32)];
    let numbers = [1.0, 0.9, 1.0, 0.0];
    let mut refused = |numbers: &[f64], shared: &[(&str, f64)], g: &[Tensor], states: &mut [Vec<Tensor>]| {
        assert!(step_by("sgd", numbers, shared, &mut p, g, states).is_err());
        assert_eq!((values(&p[0]), values(&p[1])), (vec![1.0], vec![2.0]));
    };
    refused(&numbers, &[], &bad, &mut [vec![]]);
    refused(&numbers, &[], &good[..1], &mut [vec![]]);
    refused(&numbers, &[], &good, &mut []);
    refused(&numbers, &[], &good, &mut [vec![good[0].clone()]]);
    refused(&numbers, &[], &good.each_ref().map(|g| cast::astype(g, DType::F64).unwrap()), &mut [vec![]]);
    refused(&numbers[..3], &[], &good, &mut [vec![]]);
    refused(&numbers, &[("betas", 0.9)], &good, &mut [vec![]]);
    assert!(Rule::find("descent").is_err());
}

#[test]
fn every_rule_runs_at_every_level_and_leaves_finite_values() {
    for rule in FAMILIES.iter().copied().flatten() {
        let at_most_half = |name: &str| if name == "step" { 3.0 } else { 0.5 / name.len() as f64 };
        let numbers: Vec<_> = rule.numbers.iter().map(|name| (*name, at_most_half(name))).collect();
        let mut outcomes = Vec::new();
        for &level in Level::ALL {
            let mut p = [tensor(&wave(700, 0.0), DType::F64)];
            let mut states: Vec<_> = rule.states.iter().map(|_| vec![tensor(&vec![0.25; 700], DType::F64)]).collect();
            at_level(level, || step(rule, &numbers, &mut p, &[tensor(&wave(700, 2.0), DType::F64)], &mut states, None))
                .unwrap();
            let all: Vec<f64> = states.iter().flatten().chain(&p).flat_map(values).collect();
            assert!(all.iter().all(|x| x.is_finite()), "{}", rule.name);
            outcomes.push(all);
        }
        outcomes.iter().for_each(|outcome| close(outcome, &outcomes[0], 1e-12));
    }
}

#[test]
fn the_norm_is_that_of_all_tensors_for_any_number_of_threads() {
    let list = [tensor(&wave(50_000, 0.0), DType::F32), tensor(&wave(7, 1.0), DType::F64), tensor(&[3e4], DType::F16)];
    let want = list.iter().flat_map(values).map(|x| x * x).sum::<f64>().sqrt();
    let threads = pool::num_threads();
    let norms = [1, 3].map(|n| {
        pool::set_num_threads(n).unwrap();
        global_norm(&list).unwrap()
    });
    pool::set_num_threads(threads).unwrap();
    assert_eq!(norms[0].to_bits(), norms[1].to_bits());
    close(&norms, &[want, want], 1e-12);
    assert_eq!(global_norm(&[]).unwrap(), 0.0);
    assert!(global_norm(&[tensor(&[1e30], DType::F32)]).unwrap().is_finite());
}

#[test]
fn a_step_by_rows_changes_these_rows_as_a_whole_step_would() {
    let rule = Rule::find("adam").unwrap();
    let numbers: Vec<_> = rule.numbers.iter().copied().zip([0.01, 0.9, 0.99, 1e-8, 3.0]).collect();
    for dtype in [DType::F64, DType::F32, DType::F16, DType::BF16] {
        for (rows, width) in [(5, 3), (40, 700), (3, 1), (4, 0)] {
            let table = |phase| {
                let flat = tensor(&wave(rows * width, phase), dtype);
                crate::ops::movement::reshape(&flat, &[rows, width]).unwrap()
            };
            let squares = || [vec![table(1.0).abs().unwrap()], vec![table(2.0).abs().unwrap()], vec![]];
            let chosen: Vec<i64> = (0..rows as i64).filter(|row| row % 3 != 1).collect();
            let index = Tensor::from_slice(&chosen, &[chosen.len()]).unwrap();
            let taken = |x: &Tensor| crate::ops::index::take(x, &index, Some(0)).unwrap();
            let (mut whole, mut whole_states) = ([table(0.0)], squares());
            step(rule, &numbers, &mut whole, &[table(4.0)], &mut whole_states, None).unwrap();
            let (mut by_row, mut states) = ([table(0.0)], squares());
            step(rule, &numbers, &mut by_row, &[taken(&table(4.0))], &mut states, Some(&index)).unwrap();
            let started = [table(0.0), table(1.0).abs().unwrap(), table(2.0).abs().unwrap()];
            let after = [&by_row[0], &states[0][0], &states[1][0]];
            let expected = [&whole[0], &whole_states[0][0], &whole_states[1][0]];
            for ((after, expected), started) in after.into_iter().zip(expected).zip(started) {
                let parts = [after, expected, &started].map(values);
                for (i, &got) in parts[0].iter().enumerate() {
                    let touched = chosen.contains(&((i / width) as i64));
                    assert_eq!(got, parts[if touched { 1 } else { 2 }][i], "{dtype} row {}", i / width);
                }
            }
        }
    }
}

#[test]
fn rows_that_do_not_fit_are_errors_and_change_nothing() {
    let rule = Rule::find("sgd").unwrap();
    let numbers: Vec<_> = rule.numbers.iter().copied().zip([1.0, 0.0, 1.0, 0.0]).collect();
    let table = create::ones(&[4, 2], DType::F32, crate::Device::Cpu).unwrap();
    let gradient = |rows: usize| create::ones(&[rows, 2], DType::F32, crate::Device::Cpu).unwrap();
    let list = |rows: &[i64]| Tensor::from_slice(rows, &[rows.len()]).unwrap();
    let wrong = [
        (list(&[1, 0]), gradient(2)),
        (list(&[1, 1]), gradient(2)),
        (list(&[-1, 1]), gradient(2)),
        (list(&[1, 4]), gradient(2)),
        (list(&[1, 2]), gradient(3)),
        (cast::astype(&list(&[1]), DType::I32).unwrap(), gradient(1)),
        (list(&[1]), cast::astype(&gradient(1), DType::F64).unwrap()),
    ];
    for (index, values) in wrong {
        let mut p = [table.clone()];
        assert!(step(rule, &numbers, &mut p, &[values], &mut [vec![]], Some(&index)).is_err(), "{index:?}");
        assert_eq!(p[0].slice::<f32>().unwrap(), &[1.0; 8]);
    }
    let mut pair = [table.clone(), table.clone()];
    assert!(step(rule, &numbers, &mut pair, &[gradient(1)], &mut [vec![]], Some(&list(&[1]))).is_err());
    let (mut p, none) = ([table], list(&[]));
    step(rule, &numbers, &mut p, &[gradient(0)], &mut [vec![]], Some(&none)).unwrap();
    assert_eq!(p[0].slice::<f32>().unwrap(), &[1.0; 8]);
}
