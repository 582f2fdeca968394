//! What `/proc` says of a process: memory, CPU time, wake-ups. Where there is no `/proc` the
//! scenarios that need it report a failure.

use std::fs;
use std::time::Duration;

/// Counters of a process that only grow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// On the CPU.
    pub cpu: Duration,
    /// How often it slept and was woken.
    pub wakeups: u64,
}

impl Spent {
    /// What was spent since `earlier`.
    pub fn since(self, earlier: Spent) -> Spent {
        Spent {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            wakeups: self.wakeups.saturating_sub(earlier.wakeups),
        }
    }
}

/// What a process has spent so far, over its threads.
pub fn spent(pid: u32) -> Result<Spent, String> {
    let mut sum = Spent::default();
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).map_err(|e| format!("/proc: {e}"))?;
    for task in tasks.flatten() {
        // "nanoseconds-on-cpu nanoseconds-waiting slices": finer than the ticks of `stat`.
        let schedstat = read(&task.path().join("schedstat").to_string_lossy())?;
        let cpu = schedstat
            .split_whitespace()
            .next()
            .and_then(|n| n.parse().ok());
        sum.cpu += Duration::from_nanos(cpu.ok_or("no CPU time in /proc")?);
        let status = read(&task.path().join("status").to_string_lossy())?;
        sum.wakeups += field(&status, "voluntary_ctxt_switches:")?;
    }
    Ok(sum)
}

/// The CPU time that processes have spent so far, together, in seconds.
pub fn cpu_seconds(pids: &[u32]) -> Result<f64, String> {
    let seconds = pids.iter().map(|pid| Ok(spent(*pid)?.cpu.as_secs_f64()));
    seconds.sum()
}

/// The proportional set size in KiB: what a process holds, its share of what it shares.
pub fn pss_kib(pid: u32) -> Result<u64, String> {
    field(&read(&format!("/proc/{pid}/smaps_rollup"))?, "Pss:")
}

/// The largest resident set that a process ever had, in KiB.
pub fn peak_kib(pid: u32) -> Result<u64, String> {
    field(&read(&format!("/proc/{pid}/status"))?, "VmHWM:")
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))
}

fn field(text: &str, name: &str) -> Result<u64, String> {
    let line = text.lines().find_map(|l| l.strip_prefix(name));
    let number = line.and_then(|l| l.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| format!("no {name} in /proc"))
}
