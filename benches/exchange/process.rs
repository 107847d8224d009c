//! What a process has used, as Linux counts it.

use std::{fs, time::Duration};

use crate::common::Fault;

/// Linux counts in hundredths of a second for all programs, whatever it does inside (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// What a process has used so far.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Computing time, its own and what the kernel did for it.
    pub cpu: Duration,
    /// Memory that it holds, in KiB.
    pub rss_kib: u64,
}

impl Usage {
    /// Of this process.
    pub fn of(process: u32) -> Result<Self, Fault> {
        let unreadable = || format!("/proc/{process} does not read as Linux writes it");
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name, in parentheses, may hold anything; what follows begins with the third field.
        let (_, rest) = stat.rsplit_once(')').ok_or_else(unreadable)?;
        let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
        let ticks = ticks.sum::<Result<u32, _>>()?;
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let rss = rss.and_then(|rest| rest.split_whitespace().next()).ok_or_else(unreadable)?;
        Ok(Self { cpu: TICK * ticks, rss_kib: rss.parse()? })
    }
}
