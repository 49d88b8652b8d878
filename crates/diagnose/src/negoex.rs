use crate::tree::{Decoded, Value, hex};
use portcullis_wire::negoex::{Body, Message, Messages, is_critical};

/// A NEGOEX token: one message behind another (MS-NEGOEX 2.2.6).
pub(crate) fn decode(token: &[u8]) -> Decoded {
    let (mut messages, mut broken) = (Vec::new(), None);
    for read in Messages::new(token) {
        match read {
            Ok(read) => messages.push(message(&read)),
            Err(error) => broken = Some(error.to_string()),
        }
    }
    let shown = Decoded::new("NEGOEX", token).with("messages", Value::Tokens(messages));
    Decoded { unreadable: broken, ..shown }
}

fn message(message: &Message<'_>) -> Decoded {
    let header = &message.header;
    let shown = Decoded {
        kind: header.message_type.name().unwrap_or("message of no known type"),
        length: usize::try_from(header.message_len).unwrap_or(usize::MAX),
        fields: Vec::new(),
        unreadable: None,
    };
    let shown = shown
        .with("SequenceNum", header.sequence_number.to_string())
        .with("ConversationId", header.conversation_id.to_string());
    match message.body {
        Body::Nego(nego) => {
            let schemes: Vec<_> = nego.schemes.iter().map(|scheme| scheme.to_string()).collect();
            let extensions: Vec<_> = nego.extensions.iter().map(|(kind, value)| extension(kind, value)).collect();
            shown.with("AuthSchemes", schemes).with("Extensions", extensions)
        }
        Body::Exchange(exchange) => shown
            .with("AuthScheme", exchange.scheme.to_string())
            .with("Exchange", format!("{} bytes", exchange.exchange.len())),
        Body::Verify(verify) => shown
            .with("AuthScheme", verify.scheme.to_string())
            .with("ChecksumType", verify.checksum_type.to_string())
            .with("ChecksumValue", format!("{} bytes", verify.checksum.len())),
        Body::Alert(alert) => shown
            .with("AuthScheme", alert.scheme.to_string())
            .with("ErrorCode", format!("{:#010x}", alert.error))
            .with("Alerts", alert.alerts.iter().map(|(kind, value)| extension(kind, value)).collect::<Vec<_>>()),
        Body::Unknown(rest) => shown
            .with("MessageType", header.message_type.0.to_string())
            .with("bytes", hex(rest.get(..16).unwrap_or(rest))),
    }
}

fn extension(kind: u32, value: &[u8]) -> String {
    let critical = if is_critical(kind) { ", critical" } else { "" };
    format!("type {kind:#x}{critical}: {} bytes", value.len())
}
