//! A client: what it sends is made by hand, what comes back is judged by the directory under test.

use portcullis::ntlm::{Ntlm, ServerNames, keys};
use portcullis::password::Password;
use portcullis::{Account, Authority, Call, Cause, Credential, Failure, Handshake, Refusal};
use portcullis_wire::ntlm::{AuthenticateBuilder, AvId, Challenge, Flags, Negotiate, push_av_pair};
use portcullis_wire::utf16;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

/// What a client says and knows.
#[derive(Clone)]
pub struct Client<'a> {
    pub user: &'a str,
    pub domain: &'a str,
    pub password: &'a str,
    pub workstation: &'a str,
    pub peer: Option<IpAddr>,
}

impl<'a> Client<'a> {
    pub fn new(user: &'a str, password: &'a str) -> Self {
        Self { user, domain: "CORP", password, workstation: "PC1", peer: Some([192, 0, 2, 1].into()) }
    }

    pub fn domain(self, domain: &'a str) -> Self {
        Self { domain, ..self }
    }

    pub fn workstation(self, workstation: &'a str) -> Self {
        Self { workstation, ..self }
    }

    pub fn from(self, peer: &str) -> Self {
        Self { peer: Some(peer.parse().unwrap()), ..self }
    }

    /// Logs on by NTLM; the account, or why not.
    pub fn ntlm(&self, authority: &dyn Authority) -> Result<Arc<Account>, Refusal> {
        let credential = Credential::acceptor(Ntlm::new(ServerNames::standalone("WEB1")));
        let flags = Flags::UNICODE | Flags::NTLM | Flags::REQUEST_TARGET | Flags::EXTENDED_SESSION_SECURITY;
        let mut negotiate = Vec::new();
        Negotiate::encode(flags, None, None, None, &mut negotiate);
        let (challenge, handshake) = self.step(|call| credential.begin().token(&negotiate, call));
        let Ok(Handshake::NeedsToken(next)) = handshake else { panic!("no challenge: {handshake:?}") };

        let challenge = Challenge::decode(&challenge).unwrap();
        let hash = keys::nt_hash(self.password);
        let ntowf = keys::ntowf_v2(&hash, self.user, self.domain);
        let mut blob = vec![1, 1, 0, 0, 0, 0, 0, 0];
        blob.extend([0; 8]);
        blob.extend([0xaa; 8]);
        blob.extend([0; 4]);
        push_av_pair(&mut blob, AvId::EOL, &[]);
        let proof = keys::proof_v2(&ntowf, &challenge.server_challenge, &blob);
        let mut authenticate = Vec::new();
        AuthenticateBuilder {
            nt_response: &[&proof[..], &blob].concat(),
            domain: &utf16::encode(self.domain),
            user: &utf16::encode(self.user),
            workstation: &utf16::encode(self.workstation),
            flags,
            ..AuthenticateBuilder::default()
        }
        .encode(&mut authenticate);
        let (_, handshake) = self.step(|call| next.token(&authenticate, call));
        self.ask(handshake, authority)
    }

    /// Logs on with a plain password.
    pub fn plain(&self, authority: &dyn Authority) -> Result<Arc<Account>, Refusal> {
        let user =
            if self.domain.is_empty() { self.user.to_owned() } else { format!("{}\\{}", self.domain, self.user) };
        let token = format!("{user}:{}", self.password);
        let credential = Credential::acceptor(Password::new());
        let (_, handshake) = self.step(|call| credential.begin().token(token.as_bytes(), call));
        self.ask(handshake, authority)
    }

    fn ask(&self, handshake: Result<Handshake, Failure>, authority: &dyn Authority) -> Result<Arc<Account>, Refusal> {
        let Ok(Handshake::NeedsAnswer(question)) = handshake else { panic!("no question: {handshake:?}") };
        match self.step(|call| question.ask(authority, call)).1 {
            Ok(Handshake::Established(context)) => Ok(Arc::clone(context.facts().account.as_ref().unwrap())),
            Ok(other) => panic!("{other:?}"),
            Err(Failure { cause: Cause::Refused(refusal), .. }) => Err(refusal),
            Err(failure) => panic!("{failure}"),
        }
    }

    fn step<T>(&self, work: impl FnOnce(Call<'_>) -> T) -> (Vec<u8>, T) {
        let mut random = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|_| portcullis::NoRandomness);
        let (mut events, mut out) = ((), Vec::new());
        let mut call = Call::new(SystemTime::now(), &mut random, &mut events, &mut out);
        call.peer = self.peer;
        let result = work(call);
        (out, result)
    }
}
