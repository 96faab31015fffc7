//! Which process a region belongs to, and whether it still lives.

use std::fs;
use std::sync::OnceLock;

/// A process, told from a later one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) pid: u64,
    /// Clock ticks since boot at which it began.
    pub(crate) started: u64,
    /// Which boot of which machine, folded into a word.
    boot: u64,
    /// Which namespace the number is from.
    namespace: u64,
}

impl Owner {
    pub(crate) fn this_process() -> Self {
        let pid = std::process::id();
        let (boot, namespace) = surroundings();
        Self {
            pid: u64::from(pid),
            started: started(u64::from(pid)).unwrap_or(0),
            boot,
            namespace,
        }
    }

    pub(crate) fn words(self) -> [u64; 4] {
        [self.pid, self.started, self.boot, self.namespace]
    }

    pub(crate) fn from_words([pid, started, boot, namespace]: [u64; 4]) -> Self {
        Self {
            pid,
            started,
            boot,
            namespace,
        }
    }

    /// Tells whether it is surely dead. Only a process of this boot and this
    /// namespace can be looked for; of others nothing is sure.
    pub(crate) fn is_dead(self) -> bool {
        let (boot, namespace) = surroundings();
        boot == self.boot
            && namespace == self.namespace
            && self.started != 0
            && started(self.pid) != Some(self.started)
    }
}

/// Field 22 of `/proc/pid/stat`, counted from behind the name, which may hold
/// anything; `None` when there is no such process, or it is dead and merely
/// not buried.
fn started(pid: u64) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

fn surroundings() -> (u64, u64) {
    static FOUND: OnceLock<(u64, u64)> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let boot = fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        (fold(&boot), fold(namespace.as_os_str().as_encoded_bytes()))
    })
}

/// FNV-1a.
fn fold(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn knows_the_living_from_the_dead() {
        let this = Owner::this_process();
        assert_eq!(Owner::from_words(this.words()), this);
        assert!(!this.is_dead());
        let earlier = Owner {
            started: this.started - 1,
            ..this
        };
        assert!(earlier.is_dead(), "same number, other process");
        let elsewhere = Owner {
            namespace: 1,
            ..earlier
        };
        assert!(!elsewhere.is_dead(), "nothing is known of it");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let other = Owner {
            pid: u64::from(child.id()),
            ..this
        };
        // Dead and not buried, or just about to be.
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(other.is_dead());
        child.wait().unwrap();
        assert!(other.is_dead());
    }
}
