use super::*;

#[test]
fn classes_hold_what_they_promise() {
    let mut previous = usize::MAX;
    for bytes in (1..5000).chain((1..200).map(|i| i * 4093)).chain([1 << 40, (1 << 46) - 1, 1 << 62]) {
        let class = central::class_of(bytes);
        let size = central::class_size(class);
        assert!(size >= bytes && size - bytes < bytes / 8 + ALIGN, "{bytes} in class of {size}");
        assert_eq!(central::class_of(size), class);
        assert!(previous == usize::MAX || bytes == 4093 || class >= previous);
        previous = class;
    }
    assert_eq!(central::class_size(SMALL_CLASSES - 1), 128 << 10);
}

#[test]
fn blocks_are_aligned_disjoint_and_writable() {
    let sizes = [0, 1, 63, 64, 65, 1000, 4096, 8192, 8193, 100_000, 131_072, 131_073, 3 << 20];
    let mut blocks: Vec<Block> = sizes.iter().cycle().take(300).map(|&bytes| Block::new(bytes).unwrap()).collect();
    for (i, block) in blocks.iter_mut().enumerate() {
        assert_eq!(block.len(), sizes[i % sizes.len()]);
        if MODE.load(Relaxed) & GUARD == 0 {
            assert_eq!(block.as_ptr() as usize % ALIGN, 0);
        }
        block.as_bytes_mut().fill(i as u8);
    }
    for (i, block) in blocks.iter().enumerate() {
        assert!(block.as_bytes().iter().all(|&byte| byte == i as u8), "block {i} was overwritten");
    }
}

#[test]
fn zeroed_is_zero_after_reuse() {
    for bytes in [64, 5000, 300_000, 5 << 20] {
        for _ in 0..3 {
            let mut block = Block::zeroed(bytes).unwrap();
            assert!(block.as_bytes().iter().all(|&byte| byte == 0));
            block.as_bytes_mut().fill(7);
        }
    }
}

#[test]
fn steady_use_makes_no_system_call() {
    if mode() != Ok(PLAIN) {
        return; // guarded and poisoned blocks do not come from the front
    }
    let step = || {
        let blocks: Vec<Block> = (1..200).map(|i| Block::new(i * 1777).unwrap()).collect();
        assert!(blocks.iter().all(|block| !block.is_empty()));
    };
    step();
    step();
    let before = memory_stats();
    step();
    let after = memory_stats();
    assert!(after.reused >= before.reused + 150, "{before:?} {after:?}");
    assert!(after.peak >= after.live);
}

#[test]
fn absurd_sizes_are_errors() {
    for bytes in [1 << 62, usize::MAX, usize::MAX - 63, isize::MAX as usize, 1 << 50] {
        let error = Block::new(bytes).unwrap_err();
        assert!(matches!(&error, Error::Memory(message) if message.contains("requested")), "{error}");
        assert!(Block::zeroed(bytes).is_err());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_the_machine_lacks_is_refused() {
    let error = Block::new(crate::cpu::limits::available(0) + (1 << 30)).unwrap_err();
    assert!(matches!(&error, Error::Memory(message) if message.contains("live")), "{error}");
}

#[test]
fn blocks_cross_threads() {
    let (sender, receiver) = std::sync::mpsc::channel::<Block>();
    let maker = std::thread::spawn(move || {
        for i in 0..20_000usize {
            let mut block = Block::new(1 + i % 3000).unwrap();
            block.as_bytes_mut()[0] = i as u8;
            sender.send(block).unwrap();
        }
    });
    for (i, block) in receiver.iter().enumerate() {
        assert_eq!(block.as_bytes()[0], i as u8);
    }
    maker.join().unwrap();
}

#[test]
fn modes_are_read() {
    assert_eq!(parse(""), Ok(PLAIN));
    assert_eq!(parse("poison"), Ok(POISON));
    assert!(parse("guards").is_err());
    #[cfg(target_os = "linux")]
    assert_eq!(parse(" guard, poison "), Ok(GUARD | POISON));
}

/// Runs one test of this binary again in a process with another arena mode: the mode is read once a process.
#[cfg(target_os = "linux")]
fn child(test: &str, mode: &str) -> std::process::ExitStatus {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("cpu::arena::tests::{test}")]);
    command.env("FERROGRAD_ARENA", mode).env("FERROGRAD_TEST_CHILD", "1").output().unwrap().status
}

#[cfg(target_os = "linux")]
fn is_child() -> bool {
    std::env::var_os("FERROGRAD_TEST_CHILD").is_some()
}

#[cfg(target_os = "linux")]
#[test]
fn guard_mode_catches_an_overrun() {
    use std::os::unix::process::ExitStatusExt;
    if is_child() {
        let block = Block::new(100).unwrap();
        // SAFETY: none: the byte after the block is what the protected page must catch.
        unsafe { block.as_mut_ptr().add(100).write_volatile(1) };
        return;
    }
    assert_eq!(child("guard_mode_catches_an_overrun", "guard").signal(), Some(libc::SIGSEGV));
    assert!(child("guard_mode_catches_an_overrun", "").success());
}

#[cfg(target_os = "linux")]
#[test]
fn poison_mode_fills_fresh_memory_with_nan() {
    if is_child() {
        for bytes in [64, 1000, 300_000] {
            let mut block = Block::new(bytes).unwrap();
            assert!(block.as_bytes().iter().all(|&byte| byte == 0xFF));
            block.as_bytes_mut().fill(0);
            drop(block);
            assert!(Block::new(bytes).unwrap().as_bytes().iter().all(|&byte| byte == 0xFF));
            assert!(Block::zeroed(bytes).unwrap().as_bytes().iter().all(|&byte| byte == 0));
        }
        return;
    }
    assert!(child("poison_mode_fills_fresh_memory_with_nan", "poison").success());
    assert!(child("poison_mode_fills_fresh_memory_with_nan", "guard,poison").success());
}
