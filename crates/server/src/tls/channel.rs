use portcullis::{ChannelBindings, Facts};
use std::sync::Arc;

/// What the requests of a TLS connection are told of it.
#[derive(Debug)]
pub(crate) struct TlsChannel {
    /// What the handshake learned.
    pub(crate) facts: Arc<Facts>,
    /// The handshake's own line in the log.
    pub(crate) correlation_id: crate::decision::CorrelationId,
    /// What clients may be bound to beside the server's certificate: the session itself.
    pub(crate) exporter: Option<ChannelBindings>,
}

impl TlsChannel {
    pub(crate) fn new(facts: Arc<Facts>, correlation_id: crate::decision::CorrelationId) -> Self {
        let exporter = facts.channel.as_ref().and_then(|channel| channel.exporter_bindings().ok());
        Self { facts, correlation_id, exporter }
    }

    /// `tls-server-end-point`.
    pub(crate) fn end_point(&self) -> Option<&ChannelBindings> {
        self.facts.channel.as_ref()?.end_point.as_deref()
    }
}
