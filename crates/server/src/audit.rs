//! Decisions in `portcullis-authority`'s audit log.

use crate::decision::{Attempt, Decision, DecisionLog};
use portcullis::{Claim, Status, Substatus};
use portcullis_authority::remote::Remote;
use portcullis_authority::{Audit, Record};
use std::io;

impl DecisionLog for Audit {
    fn write(&self, decision: &Decision) -> io::Result<()> {
        Audit::write(self, &record(decision))
    }
}

/// Where the authority is another process, its log is too: who speaks to clients cannot change what was written.
impl DecisionLog for Remote {
    fn write(&self, decision: &Decision) -> io::Result<()> {
        let line = record(decision).to_line()?;
        Remote::write(self, &line).map_err(|error| {
            tracing::error!(%error, id = %decision.correlation_id, "the audit log cannot be written");
            io::Error::other(error)
        })
    }
}

fn record(decision: &Decision) -> Record {
    let Attempt { claim, package, mechanism, version, account, sid, peer, detail, .. } = &decision.attempt;
    let refused = decision.refused;
    // A line names an account only where the client was let in under it; a refused one is told by its claim.
    let account = account.clone().map(|name| (name, sid.map(|sid| sid.to_string()))).filter(|_| refused.is_none());
    Record {
        time: decision.time,
        accepted: refused.is_none(),
        cause: refused.map_or("ok", |cause| cause.name()),
        status: refused.map_or(Status::SEC_E_OK, |cause| cause.status()),
        substatus: refused.map_or(Substatus::SUCCESS, |cause| cause.substatus()),
        account,
        claim: claim.clone().unwrap_or_else(Claim::default),
        package,
        mechanism: mechanism.unwrap_or(""),
        version: version.unwrap_or(""),
        peer: Some(*peer),
        correlation: decision.correlation_id.to_string(),
        detail: detail.clone().filter(|_| refused.is_some()),
        malformed: refused.and_then(|cause| cause.malformed()).map(|error| (error.offset, error.field)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::CorrelationId;
    use portcullis::{Event, Events, HostCause, Refusal};

    fn attempt() -> Attempt {
        let [peer, endpoint] = ["192.0.2.7:50000", "192.0.2.1:80"].map(|text| text.parse().unwrap());
        Attempt::new(CorrelationId::new().unwrap(), peer, endpoint, "NTLM")
    }

    #[test]
    fn a_refusal_holds_what_the_client_claimed() {
        let mut attempt = attempt();
        let claim = Claim::new("ann", "CORP", "PC1", "HTTP/web1");
        attempt.event(&Event::Claimed { package: "NTLM", version: "NTLMv2", claim: &claim });
        let record = record(&attempt.refused(&Refusal::WrongProof.into()));
        assert_eq!((record.accepted, record.cause), (false, "account/wrong-proof"));
        assert_eq!((record.version, record.mechanism, record.account), ("NTLMv2", "NTLM", None));
        assert_eq!((record.claim.user(), record.claim.target()), ("ann", "HTTP/web1"));
    }

    #[test]
    fn a_handshake_that_never_got_far_claims_nothing() {
        let record = record(&attempt().refused(&HostCause::HandshakeTimeout.into()));
        assert_eq!((record.cause, record.version, record.mechanism), ("host/handshake-timeout", "", ""));
    }
}
