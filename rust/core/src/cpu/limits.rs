//! How much memory the machine and the control group of this process can still give.

use std::sync::OnceLock;

/// Bytes this process could ever hold: physical memory plus swap, or less inside a container.
pub fn total() -> usize {
    static TOTAL: OnceLock<usize> = OnceLock::new();
    *TOTAL.get_or_init(|| {
        let machine = meminfo(&["MemTotal:", "SwapTotal:"]);
        groups().iter().filter_map(|group| group.limit()).fold(machine, usize::min)
    })
}

/// Bytes that can be touched now without waking the out-of-memory killer; `mapped` is what the arena holds,
/// of which pages never touched are promised already but not yet counted by the kernel.
pub fn available(mapped: usize) -> usize {
    let promised = mapped.saturating_sub(resident());
    let machine = meminfo(&["MemAvailable:", "SwapFree:"]);
    let free = groups().iter().filter_map(|group| group.available()).fold(machine, usize::min);
    free.saturating_sub(promised)
}

/// The sum of some lines of /proc/meminfo; unlimited where there is none.
fn meminfo(names: &[&str]) -> usize {
    let Ok(text) = std::fs::read_to_string("/proc/meminfo") else { return isize::MAX as usize };
    names
        .iter()
        .filter_map(|name| field(&text, name))
        .fold(0usize, |sum, kib| sum.saturating_add(kib.saturating_mul(1024)))
}

/// Resident pages of this process in bytes.
fn resident() -> usize {
    const PAGE: usize = 4096; // a larger page only makes the estimate more careful
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0).saturating_mul(PAGE)
}

/// The number that follows `name` in a file of "name value" lines.
fn field(text: &str, name: &str) -> Option<usize> {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// One control group directory and the names its version of the interface gives to limit and use.
struct Group {
    directory: String,
    limit: &'static str,
    used: &'static str,
}

impl Group {
    fn read(&self, file: &str) -> Option<usize> {
        std::fs::read_to_string(format!("{}/{file}", self.directory)).ok()?.trim().parse().ok()
    }

    fn limit(&self) -> Option<usize> {
        self.read(self.limit)
    }

    /// Cached files count as used, but the kernel gives them back before it kills.
    fn available(&self) -> Option<usize> {
        let stat = std::fs::read_to_string(format!("{}/memory.stat", self.directory)).unwrap_or_default();
        let files = ["inactive_file", "active_file"].iter().filter_map(|name| field(&stat, name)).sum::<usize>();
        Some(self.limit()?.saturating_sub(self.read(self.used)?.saturating_sub(files)))
    }
}

/// The groups that bind this process, from its own up to the root; found once.
fn groups() -> &'static [Group] {
    static GROUPS: OnceLock<Vec<Group>> = OnceLock::new();
    GROUPS.get_or_init(|| {
        let mut found = Vec::new();
        for line in std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default().lines() {
            let mut parts = line.splitn(3, ':');
            let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
            let (root, limit, used) = match controllers {
                "" => ("/sys/fs/cgroup", "memory.max", "memory.current"),
                "memory" => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
                _ => continue,
            };
            let mut path = path.trim_end_matches('/');
            loop {
                found.push(Group { directory: format!("{root}{path}"), limit, used });
                match path.rfind('/') {
                    Some(cut) => path = &path[..cut],
                    None => break,
                }
            }
        }
        found.retain(|group| group.limit().is_some());
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_plausible() {
        assert!(total() > 64 << 20);
        assert!(available(0) <= total());
        assert_eq!(available(usize::MAX), 0);
    }

    #[test]
    fn field_reads_the_named_line_only() {
        assert_eq!(field("a 1\nab 2\n", "ab"), Some(2));
        assert_eq!(field("a x\n", "a"), None);
    }
}
