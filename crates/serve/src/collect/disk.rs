//! Bytes that disks have read and written since the machine started.
//!
//! On Linux from `/proc/diskstats` (Documentation/admin-guide/iostats.rst),
//! whole disks only: asking each mounted file system, as libraries do, counts a
//! disk once per mount and hangs with a network that is gone.

/// Bytes of a disk, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) read: u64,
    pub(super) written: u64,
}

/// Reads the sum over all disks; `None` where it is not told.
#[cfg(target_os = "linux")]
pub(super) fn read() -> Option<Total> {
    let text = std::fs::read_to_string("/proc/diskstats").ok()?;
    let whole = |name: &str| {
        // A disk with a slash in its name has an exclamation mark here.
        let name = name.replace('/', "!");
        std::path::Path::new("/sys/block").join(name).exists()
    };
    Some(sum(&text, whole))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn read() -> Option<Total> {
    let disks = sysinfo::Disks::new_with_refreshed_list().ok()?;
    let mut seen = std::collections::HashSet::new();
    let mut total = Total::default();
    for disk in disks.list() {
        if seen.insert(disk.name().to_owned()) {
            let usage = disk.usage();
            total.read += usage.total_read_bytes;
            total.written += usage.total_written_bytes;
        }
    }
    Some(total)
}

/// What stands on other disks, or in memory.
#[cfg(any(target_os = "linux", test))]
const NO_DISKS: [&str; 5] = ["loop", "ram", "zram", "dm-", "md"];
/// The unit of the file, whatever the disk's own is.
#[cfg(any(target_os = "linux", test))]
const SECTOR_BYTES: u64 = 512;

#[cfg(any(target_os = "linux", test))]
fn sum(text: &str, whole: impl Fn(&str) -> bool) -> Total {
    let mut total = Total::default();
    for line in text.lines() {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        // major, minor, name, reads, merged, sectors read, ms, writes, merged,
        // sectors written, …
        let [_, _, name, _, _, read, _, _, _, written, ..] = fields[..] else {
            continue;
        };
        if NO_DISKS.iter().any(|prefix| name.starts_with(prefix)) || !whole(name) {
            continue;
        }
        let bytes = |sectors: &str| {
            sectors
                .parse::<u64>()
                .unwrap_or(0)
                .saturating_mul(SECTOR_BYTES)
        };
        total.read = total.read.saturating_add(bytes(read));
        total.written = total.written.saturating_add(bytes(written));
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_disks_are_summed() {
        let text = "   7       0 loop0 11 0 22 0 33 0 44 0 0 0 0 0\n\
                    \x20259       0 nvme0n1 100 5 2000 30 40 6 800 20 0 9 50\n\
                    \x20259       1 nvme0n1p1 100 5 2000 30 40 6 800 20 0 9 50\n\
                    \x20253       0 dm-0 1 0 9999 0 1 0 9999 0 0 0 0\n\
                    \x20  8       0 sda 1 0 1 0 1 0 3 0 0 0 0 0 0 0 0\n\
                    \x20  8      16 sdb 1 0 x\n\
                    nonsense\n";
        let whole = |name: &str| name != "nvme0n1p1";
        let total = Total {
            read: 2001 * 512,
            written: 803 * 512,
        };
        assert_eq!(sum(text, whole), total);
        assert_eq!(sum("", whole), Total::default());
    }
}
