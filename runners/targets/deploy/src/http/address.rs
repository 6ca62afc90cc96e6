//! Where a name leads, and where nobody goes.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::io;
use std::net::ToSocketAddrs as _;

/// Says where a name leads. A host that has a name server of its own gives one of these.
///
/// ```
/// use std::net::{IpAddr, Ipv4Addr};
/// use placet_target_deploy::{Endpoint, Resolve, Rule};
///
/// /// Knows one name.
/// #[derive(Debug)]
/// struct Fixed;
///
/// impl Resolve for Fixed {
///     fn resolve(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
///         Ok(if name == "ci.internal" { vec![Ipv4Addr::new(10, 0, 0, 7).into()] } else { vec![] })
///     }
/// }
///
/// let ci = Endpoint::builder("https://ci.internal")
///     .resolver(Fixed)
///     .allow_private_addresses()
///     .read(Rule::below("GET", "/"));
/// assert!(ci.build().is_ok());
/// ```
pub trait Resolve: Send + Sync + fmt::Debug {
    /// The addresses of `name`, best first. It may block; nobody waits for it longer than the call's time.
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// What the system says.
#[derive(Clone, Copy, Debug)]
pub(super) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
    }
}

/// Whether a connection to this address may be made.
pub(super) fn is_allowed(address: IpAddr, is_private_allowed: bool) -> bool {
    match address {
        IpAddr::V4(address) => is_allowed_v4(address, is_private_allowed),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => is_allowed_v4(inner, is_private_allowed),
            None => is_allowed_v6(address, is_private_allowed),
        },
    }
}

/// By the registries of special-purpose addresses of IANA (RFC 6890).
fn is_allowed_v4(address: Ipv4Addr, is_private_allowed: bool) -> bool {
    let [first, second, third, _] = address.octets();
    // This network, link-local with the metadata services of clouds, protocol assignments, the old 6to4 relays,
    // measurements, documentation, multicast, reserved and broadcast. Alibaba's metadata service is in the range
    // of carriers, and that of Azure's machines has a public address.
    let is_never = address == Ipv4Addr::new(168, 63, 129, 16)
        || matches!(
            (first, second, third),
            (0 | 224..=255, ..)
                | (169, 254, _)
                | (192, 0, 0 | 2)
                | (192, 88, 99)
                | (198, 18 | 19, _)
                | (198, 51, 100)
                | (203, 0, 113)
                | (100, 100, 100)
        );
    let is_private =
        matches!((first, second), (10 | 127, _) | (172, 16..=31) | (192, 168) | (100, 64..=127));
    !is_never && (is_private_allowed || !is_private)
}

fn is_allowed_v6(address: Ipv6Addr, is_private_allowed: bool) -> bool {
    if address == Ipv6Addr::LOCALHOST {
        return is_private_allowed;
    }
    let [first, second, ..] = address.segments();
    let is_unique_local = first & 0xfe00 == 0xfc00;
    if is_unique_local {
        // The metadata services of Amazon (fd00:ec2::254), Oracle (fd00:c1::a9fe:a9fe), Scaleway (fd00:42::42) and Google
        // (fd20:ce::254).
        let is_metadata =
            matches!((first, second), (0xfd00, 0x0ec2 | 0x00c1 | 0x0042) | (0xfd20, 0x00ce));
        return is_private_allowed && !is_metadata;
    }
    // Of the rest only global unicast counts, and of that neither Teredo and other protocol assignments nor
    // documentation.
    let is_global = first & 0xe000 == 0x2000;
    let is_special =
        matches!((first, second), (0x2001, 0..=0x01ff | 0x0db8) | (0x3fff, 0..=0x0fff));
    is_global && !is_special
}

/// The address of version 4 that a router would make of it: mapped, compatible, translated or 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of =
        |high: u16, low: u16| Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => of(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_public_private_or_never_gone_to() {
        let (public, private, never) = ("public", "private", "never");
        for (address, due) in [
            ("1.1.1.1", public),
            ("172.15.0.1", public),
            ("172.32.0.1", public),
            ("2606:4700::1", public),
            ("::ffff:1.1.1.1", public),
            ("64:ff9b::101:101", public),
            ("2002:101:101::1", public),
            ("10.0.0.1", private),
            ("127.0.0.1", private),
            ("127.9.9.9", private),
            ("172.16.0.1", private),
            ("192.168.1.1", private),
            ("100.64.0.1", private),
            ("::1", private),
            ("fd12::1", private),
            ("::ffff:127.0.0.1", private),
            ("::127.0.0.1", private),
            ("64:ff9b::7f00:1", private),
            ("2002:7f00:1::1", private),
            ("0.0.0.0", never),
            ("169.254.169.254", never),
            ("::ffff:169.254.169.254", never),
            ("64:ff9b::a9fe:a9fe", never),
            ("100.100.100.200", never),
            ("168.63.129.16", never),
            ("::ffff:168.63.129.16", never),
            ("168.63.129.17", public),
            ("fd00:ec2::254", never),
            ("fd00:c1::a9fe:a9fe", never),
            ("fd00:42::42", never),
            ("fd20:ce::254", never),
            ("fd20:cf::254", private),
            ("fe80::1", never),
            ("ff02::1", never),
            ("::", never),
            ("224.0.0.1", never),
            ("255.255.255.255", never),
            ("240.0.0.1", never),
            ("192.0.2.1", never),
            ("2001:db8::1", never),
            ("2001::1", never),
            ("fec0::1", never),
            ("64:ff9b:1::1", never),
            ("198.18.0.1", never),
        ] {
            let parsed = address.parse().unwrap();
            let found = match (is_allowed(parsed, false), is_allowed(parsed, true)) {
                (true, true) => public,
                (false, true) => private,
                (false, false) => never,
                (true, false) => "both",
            };
            assert_eq!(found, due, "{address}");
        }
    }
}
