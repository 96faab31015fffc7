//! Datagrams that the system threw away because they came faster than they were
//! taken: nobody else would ever hear of them.

use std::net::{IpAddr, SocketAddr};

/// How many of a socket's datagrams the system has thrown away since it was
/// opened. Linux tells; elsewhere it is not known.
pub(super) fn dropped(address: SocketAddr) -> Option<u64> {
    let table = match address.ip() {
        IpAddr::V4(_) => "/proc/net/udp",
        IpAddr::V6(_) => "/proc/net/udp6",
    };
    in_table(&std::fs::read_to_string(table).ok()?, address)
}

/// Source: Linux, `Documentation/networking/proc_net_tcp.rst` and
/// `net/ipv4/udp.c`: the local address is the second column, drops the last.
fn in_table(table: &str, address: SocketAddr) -> Option<u64> {
    let local = local(address);
    let mut rows = table.lines().map(str::split_whitespace);
    let mut row = rows.find(|row| row.clone().nth(1) == Some(&*local))?;
    row.next_back()?.parse().ok()
}

/// An address as the table has it: words of 32 bits as they lie in memory.
fn local(address: SocketAddr) -> String {
    let words = |bytes: &[u8]| -> String {
        let (words, _) = bytes.as_chunks::<4>();
        let word = |word: &[u8; 4]| format!("{:08X}", u32::from_ne_bytes(*word));
        words.iter().map(word).collect()
    };
    let ip = match address.ip() {
        IpAddr::V4(ip) => words(&ip.octets()),
        IpAddr::V6(ip) => words(&ip.octets()),
    };
    format!("{ip}:{:04X}", address.port())
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn a_socket_is_found_by_its_address() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when drops\n \
            1: 0100007F:1FBD 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 9 2 0 17\n \
            2: 00000000000000000000000001000000:1FBD 00000000:0000 07 0:0 0:0 0 0 0 9 2 0 5\n";
        let check = |address: &str, expected| {
            let address = address.parse().expect("an address");
            assert_eq!(in_table(table, address), expected, "{address}");
        };
        check("127.0.0.1:8125", Some(17));
        check("[::1]:8125", Some(5));
        check("127.0.0.1:8126", None);
        check("127.0.0.2:8125", None);
    }

    #[test]
    fn what_nobody_takes_is_thrown_away_and_told() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            // A machine may have no IPv6.
            let Ok(socket) = UdpSocket::bind(host) else {
                continue;
            };
            let address = socket.local_addr().expect("an address");
            let Some(before) = dropped(address) else {
                continue;
            };
            assert_eq!(before, 0);
            let client = UdpSocket::bind(host).expect("a socket");
            let sent = 20_000;
            for _ in 0..sent {
                client.send_to(b"a:1|c", address).expect("sent");
            }
            let lost = dropped(address).expect("told before");
            assert!((1..sent).contains(&lost), "{lost}");
        }
    }
}
