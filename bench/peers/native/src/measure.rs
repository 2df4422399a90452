//! Time and memory, taken as bench/crdt/measure.cpp takes them.

use std::time::{Duration, Instant};

const FEWEST_RUNS: usize = 3;
const MOST_RUNS: usize = 1000;
/// A case that takes this many times as long as it is to be tried for is tried once.
const TOO_LONG_TO_REPEAT: f64 = 5.0;

/// Of this process, in milliseconds.
fn processor_time() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// Bytes that the program holds by malloc, which is what Rust allocates with.
pub fn allocated_bytes() -> usize {
    // SAFETY: it takes nothing and answers a value.
    let info = unsafe { libc::mallinfo2() };
    info.uordblks + info.hblkhd
}

/// Milliseconds of each run. `work` answers what `verify` looks at, untimed.
pub fn measure<T>(work: impl Fn() -> T, verify: impl Fn(T), seconds: f64) -> Vec<f64> {
    let once = || {
        let begin = processor_time();
        let result = work();
        let time = processor_time() - begin;
        verify(result);
        time
    };
    let warm_at = Instant::now() + Duration::from_secs_f64(seconds / 4.0);
    let first = once();
    if first > seconds * 1e3 * TOO_LONG_TO_REPEAT {
        return vec![first];
    }
    while Instant::now() < warm_at {
        once();
    }

    let mut times = Vec::new();
    let done_at = Instant::now() + Duration::from_secs_f64(seconds);
    while times.len() < FEWEST_RUNS || (Instant::now() < done_at && times.len() < MOST_RUNS) {
        times.push(once());
    }
    times
}
