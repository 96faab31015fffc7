//! What this machine is called by others, as far as that can be known without
//! asking anybody: what listens on every address is reached by one of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sysinfo::Networks;

/// Returns how to write the address that others reach `host` by, for URLs;
/// `None`: the very address.
///
/// A name that the user gave comes first: requests by it are let in, and a
/// certificate is made out to it.
pub fn reached_as(host: IpAddr, names: &[String]) -> Option<String> {
    if host.is_loopback() {
        return None;
    }
    if let Some(name) = names.first() {
        return Some(name.clone());
    }
    if !host.is_unspecified() {
        return None;
    }
    let networks = Networks::new_with_refreshed_list().ok()?;
    let addresses = networks.iter().flat_map(|(name, network)| {
        let of = network.ip_networks().iter();
        of.map(|address| (name.to_str().unwrap_or_default(), address.addr))
    });
    let default = default_route();
    best(host, addresses, default.as_deref()).map(|address| match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    })
}

/// The address to name: of the interface that leads out, else of any that is
/// neither loopback nor of a link alone; of version 4, where it is served.
fn best<'a>(
    host: IpAddr,
    addresses: impl Iterator<Item = (&'a str, IpAddr)>,
    default: Option<&str>,
) -> Option<IpAddr> {
    addresses
        .filter(|(_, address)| match address {
            IpAddr::V4(address) => is_of_use(*address),
            // Every address of version 6 includes those of version 4, not so the
            // other way round.
            IpAddr::V6(address) => host.is_ipv6() && is_global(*address),
        })
        .min_by_key(|(name, address)| {
            let leads_out = default.is_some_and(|default| default == *name);
            (!leads_out, address.is_ipv6(), name.to_string(), *address)
        })
        .map(|(_, address)| address)
}

fn is_of_use(address: Ipv4Addr) -> bool {
    !address.is_loopback() && !address.is_link_local() && !address.is_unspecified()
}

fn is_global(address: Ipv6Addr) -> bool {
    !address.is_loopback() && !address.is_unicast_link_local() && !address.is_unspecified()
}

/// The interface of the default route, as Linux tells it.
fn default_route() -> Option<String> {
    let routes = std::fs::read_to_string("/proc/net/route").ok()?;
    routes.lines().skip(1).find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let name = words.next()?;
        (words.next()? == "00000000").then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_leads_out_is_named() {
        let all = [
            ("docker0", "172.17.0.1"),
            ("eth0", "fe80::1"),
            ("eth0", "2001:db8::5"),
            ("eth0", "192.0.2.5"),
            ("lo", "127.0.0.1"),
            ("lo", "::1"),
        ];
        let check = |host: &str, count: usize, default: Option<&str>, named: Option<&str>| {
            let addresses = all.iter().rev().take(count).rev();
            let addresses = addresses.map(|(name, text)| (*name, text.parse().expect("one")));
            let address = best(host.parse().expect("one"), addresses, default);
            let address = address.map(|address| address.to_string());
            assert_eq!(address.as_deref(), named, "{host} {count} {default:?}");
        };
        check("0.0.0.0", 6, Some("eth0"), Some("192.0.2.5"));
        check("::", 6, Some("eth0"), Some("192.0.2.5"));
        check("0.0.0.0", 6, None, Some("172.17.0.1"));
        check("0.0.0.0", 2, Some("eth0"), None);
        let only_6 = [("eth0", "2001:db8::5".parse().expect("one"))];
        let any = "::".parse().expect("one");
        assert_eq!(
            best(any, only_6.into_iter(), None).map(|address| address.to_string()),
            Some("2001:db8::5".to_owned())
        );
    }

    #[test]
    fn what_is_bound_to_one_address_is_called_by_it_or_by_its_name() {
        let names = ["box.example".to_owned()];
        let as_ = |host: &str, names: &[String]| reached_as(host.parse().expect("one"), names);
        assert_eq!(as_("127.0.0.1", &names), None);
        assert_eq!(as_("192.0.2.1", &[]), None);
        assert_eq!(as_("192.0.2.1", &names).as_deref(), Some("box.example"));
        assert_eq!(as_("0.0.0.0", &names).as_deref(), Some("box.example"));
    }
}
