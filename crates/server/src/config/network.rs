use serde::Deserialize;
use std::net::IpAddr;

/// An address, or a network as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Whether the network holds this address. An IPv4 address that came as IPv6 counts as what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - self.prefix).unwrap_or(0);
                net.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(net), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0);
                net.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is neither an address nor a network as `10.0.0.0/8`");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().map_err(|_| wrong())?)),
            None => (text.as_str(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(bits);
        if prefix > bits { Err(wrong()) } else { Ok(Self { address, prefix }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_its_networks_only() {
        let network = |text: &str| Network::try_from(text.to_owned());
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(network("10.0.0.0/8").unwrap().contains(address("10.255.0.1")));
        assert!(!network("10.0.0.0/8").unwrap().contains(address("11.0.0.1")));
        assert!(network("127.0.0.1").unwrap().contains(address("::ffff:127.0.0.1")));
        assert!(!network("127.0.0.1").unwrap().contains(address("127.0.0.2")));
        assert!(network("::/0").unwrap().contains(address("2001:db8::1")));
        assert!(network("0.0.0.0/0").unwrap().contains(address("8.8.8.8")));
        assert!(network("10.0.0.0/33").is_err());
        assert!(network("proxy.example").is_err());
    }
}
