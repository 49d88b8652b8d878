use super::membership::Array;
use crate::Error;
use crate::ndr::{NdrReader, NdrWriter};

/// An S4U_DELEGATION_INFO (MS-PAC 2.9): through which services the client's ticket came here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delegation {
    /// The service that the ticket was made for (`S4U2proxyTarget`).
    pub proxy_target: String,
    /// The services that passed the client on, the first one first.
    pub transited_services: Vec<String>,
}

impl Delegation {
    /// Reads the buffer.
    ///
    /// # Errors
    /// [`Kind::Unexpected`](crate::Kind) where two counts of one thing differ, and as [`NdrReader`]'s.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let ndr = &mut NdrReader::open(bytes)?;
        let proxy_target = ndr.text_header("S4U2proxyTarget")?;
        let transited = Array::read(ndr, "S4UTransitedServices")?;
        let proxy_target = ndr.text(proxy_target, "S4U2proxyTarget")?;
        let count = transited.begin(ndr, TEXT_HEADER, "S4UTransitedServices")?;
        let mut headers = Vec::with_capacity(count);
        for _ in 0..count {
            headers.push(ndr.text_header("S4UTransitedServices")?);
        }
        let texts = headers.into_iter().map(|header| ndr.text(header, "S4UTransitedServices"));
        Ok(Self { proxy_target, transited_services: texts.collect::<Result<_, _>>()? })
    }

    /// Appends the buffer.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut ndr = NdrWriter::new();
        let services = &self.transited_services;
        ndr.text_header(&self.proxy_target).count(services.len()).pointer(!services.is_empty());
        ndr.text(&self.proxy_target);
        if !services.is_empty() {
            ndr.count(services.len());
            for service in services {
                ndr.text_header(service);
            }
            for service in services {
                ndr.text(service);
            }
        }
        ndr.finish(out);
    }
}

/// Length of an RPC_UNICODE_STRING in its structure.
const TEXT_HEADER: usize = 8;
