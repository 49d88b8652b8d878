use portcullis_authority::remote::{Asked, MAX_FRAME, Reply, Request, decode_reply, decode_request};

/// What goes over the authority's socket, in both directions: no panic, nothing larger than what came, and
/// one form for each message.
pub fn remote(bytes: &[u8]) {
    if let Ok((id, request)) = decode_request(bytes) {
        assert_eq!(request.encode(id).as_deref().map(Vec::as_slice), Some(bytes));
        assert!(bytes.len() <= MAX_FRAME);
        match request {
            Request::Ask(Asked::Owned(question)) => {
                let claim = question.claim();
                let named = claim.user().len() + claim.domain().len() + claim.workstation().len();
                assert!(named + claim.target().len() <= bytes.len());
            }
            Request::Ask(Asked::Borrowed(_)) => panic!("what was decoded is owned"),
            Request::Write(line) => assert!(line.len() <= bytes.len()),
            Request::Domain | Request::Health | Request::OpensTickets => {}
        }
    }
    let Ok((id, reply)) = decode_reply(bytes) else { return };
    assert_eq!(reply.encode(id)[..], *bytes);
    if let Reply::Accepted(_, account) = reply {
        assert!(account.name.len() + account.domain.len() <= bytes.len());
        assert!(account.groups.len() <= bytes.len());
    }
}
