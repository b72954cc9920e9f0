use super::*;

/// Thread count and interrupt check are global: these tests take turns.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with_threads<R>(threads: usize, body: impl FnOnce() -> R) -> R {
    let before = num_threads();
    set_num_threads(threads).unwrap();
    let result = body();
    set_num_threads(before).unwrap();
    result
}

fn count(total: &AtomicUsize, by: usize) {
    total.fetch_add(by, Relaxed);
}

#[test]
fn every_task_runs_once() {
    let _alone = alone();
    for threads in [1, 2, 3, 8] {
        for tasks in [0, 1, 2, 7, 1000] {
            let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
            with_threads(threads, || parallel_for(tasks, &|task| count(&counts[task], 1))).unwrap();
            assert!(counts.iter().all(|count| count.load(Relaxed) == 1), "{threads} threads, {tasks} tasks");
        }
    }
}

/// Other tests use the pool too, and who finds it busy works alone: tried until it is ours.
#[test]
fn workers_really_help() {
    let _alone = alone();
    let helped = (0..500).any(|_| {
        let threads = Mutex::new(std::collections::HashSet::new());
        let body = |_| {
            threads.lock().unwrap().insert(std::thread::current().id());
            std::thread::sleep(Duration::from_millis(5));
        };
        with_threads(3, || parallel_for(6, &body)).unwrap();
        threads.into_inner().unwrap().len() == 3
    });
    assert!(helped, "no region ever had three threads");
}

#[test]
fn chunks_cover_the_slice() {
    let _alone = alone();
    for len in [0usize, 1, 9, 10, 11, 257] {
        let mut data = vec![0usize; len];
        for_each_chunk(&mut data, 10, |chunk, part| part.iter_mut().enumerate().for_each(|(i, x)| *x = chunk * 10 + i))
            .unwrap();
        assert!(data.iter().enumerate().all(|(i, &x)| i == x));
    }
    assert!(for_each_chunk(&mut [1], 0, |_, _| ()).is_err());
}

#[test]
fn panics_become_errors_and_the_pool_survives() {
    let _alone = alone();
    for threads in [1, 4] {
        let result = with_threads(threads, || parallel_for(100, &|task| assert!(task != 17, "seventeen")));
        assert!(matches!(&result, Err(Error::Internal(message)) if message.contains("seventeen")), "{result:?}");
        every_sum_is_right(threads);
    }
}

fn every_sum_is_right(threads: usize) {
    let sum = AtomicUsize::new(0);
    with_threads(threads, || parallel_for(100, &|task| count(&sum, task))).unwrap();
    assert_eq!(sum.into_inner(), 4950);
}

#[test]
fn nested_regions_run_serially() {
    let _alone = alone();
    let sum = AtomicUsize::new(0);
    let outer = |_| {
        let thread = std::thread::current().id();
        parallel_for(10, &|inner| {
            assert_eq!(std::thread::current().id(), thread);
            sum.fetch_add(inner, Relaxed);
        })
        .unwrap();
    };
    with_threads(4, || parallel_for(8, &outer)).unwrap();
    assert_eq!(sum.into_inner(), 8 * 45);
}

#[test]
fn many_callers_at_once() {
    let _alone = alone();
    with_threads(4, || {
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let sum = AtomicUsize::new(0);
                        parallel_for(20, &|task| count(&sum, task)).unwrap();
                        assert_eq!(sum.into_inner(), 190);
                    }
                });
            }
        });
    });
}

#[test]
fn interrupt_stops_the_region() {
    // Asked on the calling thread only, so other tests never see it.
    thread_local!(static STOP: Cell<bool> = const { Cell::new(false) });
    let _alone = alone();
    set_interrupt_check(|| STOP.get());
    for threads in [1, 3] {
        let done = AtomicUsize::new(0);
        let start = Instant::now();
        STOP.set(true);
        let result = with_threads(threads, || {
            parallel_for(100_000, &|_| {
                std::thread::sleep(Duration::from_millis(1));
                done.fetch_add(1, Relaxed);
            })
        });
        STOP.set(false);
        assert_eq!(result, Err(Error::Interrupted));
        assert!(start.elapsed() < Duration::from_secs(5) && done.into_inner() < 100_000);
    }
}

#[test]
fn thread_counts_are_checked() {
    let _alone = alone();
    assert!(set_num_threads(0).is_err());
    assert!(set_num_threads(MAX_THREADS + 1).is_err());
    assert!(num_threads() >= 1);
    assert_eq!(parse_threads(" 12 "), Ok(Some(12)));
    assert_eq!(parse_threads(""), Ok(None));
    for bad in ["0", "-1", "two", "1e3", "99999999999999999999"] {
        assert!(parse_threads(bad).is_err(), "{bad}");
    }
}

/// The child has no workers; it must build its own pool, with the arena's lock free, and never hang.
#[cfg(target_os = "linux")]
#[test]
fn fork_gets_its_own_pool() {
    let _alone = alone();
    let work = || {
        with_threads(3, || {
            let sum = AtomicUsize::new(0);
            parallel_for(50, &|task| {
                std::thread::sleep(Duration::from_micros(200));
                let block = crate::cpu::arena::Block::new(1 << 20);
                sum.fetch_add(task + block.is_err() as usize, Relaxed);
            })?;
            if sum.into_inner() == 1225 { Ok(()) } else { Err(Error::internal("test", "wrong sum")) }
        })
    };
    work().unwrap();
    for _ in 0..5 {
        // SAFETY: the child only runs the work above and leaves with `_exit`.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let status = work().is_err() as i32;
            // SAFETY: ends the child without running the parent's exit handlers.
            unsafe { libc::_exit(status) };
        }
        let start = Instant::now();
        let mut status = -1;
        // SAFETY: waits for our own child; `status` is ours.
        while unsafe { libc::waitpid(child, &mut status, libc::WNOHANG) } == 0 {
            assert!(start.elapsed() < Duration::from_secs(20), "the child hangs");
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(status, 0);
        work().unwrap();
    }
}
