use super::Cause;
use crate::call::Leg;
use crate::handshake::{Input, Next, Step};
use crate::protection::NoKeys;
use crate::{
    BindingsOutcome, CallCause, Claim, Context, ContextFlags, Event, Facts, Failure, Question, Role, Secret, Sizes,
    VerifyPassword, package,
};

pub(super) fn begin() -> Box<dyn Step> {
    Box::new(AwaitPassword)
}

struct AwaitPassword;

impl Step for AwaitPassword {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Token(token) = input else { return Err(CallCause::WrongInput.into()) };
        let text = std::str::from_utf8(token).map_err(|_| Cause::Malformed)?;
        // A user name cannot hold a colon; a password can (RFC 7617 §2).
        let (user, password) = text.split_once(':').ok_or(Cause::Malformed)?;
        let claim = Claim::new(user, "", "", "");
        leg.event(&Event::Claimed { package: package::PASSWORD.name, version: VERSION, claim: &claim });
        if password.is_empty() {
            return Err(Cause::Empty.into());
        }
        leg.needs_room(0)?;
        let question = VerifyPassword::new(claim, Secret::new(password.to_owned()), leg.peer);
        Ok(Next::Ask(Question::VerifyPassword(question), Box::new(AwaitVerdict)))
    }
}

struct AwaitVerdict;

impl Step for AwaitVerdict {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Answer(Question::VerifyPassword(question), answer) = input else {
            return Err(CallCause::WrongInput.into());
        };
        let logon = answer.into_logon()?;
        leg.event(&Event::Verified { account: &logon.account });
        leg.requires(ContextFlags::CONNECTION)?;
        let facts = Facts {
            package: &package::PASSWORD,
            role: Role::Acceptor,
            expiry: logon.account.logoff_at,
            account: Some(logon.account),
            claim: question.claim,
            version: VERSION,
            granted: ContextFlags::CONNECTION,
            start: leg.now,
            sizes: Sizes {
                max_token: package::PASSWORD.max_token,
                max_signature: 0,
                block_size: 0,
                security_trailer: 0,
            },
            key_info: None,
            session_key: None,
            bindings: BindingsOutcome::Unchecked,
            bindings_aware: false,
            logon_id: leg.random().map(u64::from_le_bytes)?,
            negotiation: None,
            inner: None,
            channel: None,
            ticket: None,
        };
        Ok(Next::Done(Context::new(facts, Box::new(NoKeys))))
    }
}

pub(crate) const VERSION: &str = "password";
