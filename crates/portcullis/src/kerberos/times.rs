//! Clocks: a ticket's times, and an authenticator's.

use super::Cause;
use crate::call::Leg;
use crate::{Event, Failure};
use portcullis_wire::kerberos::{Authenticator, EncTicketPart, KerberosTime, TicketFlags};
use std::time::{Duration, SystemTime};

/// Refuses a ticket outside its time, and an authenticator of another clock (RFC 4120 §3.2.3).
pub(super) fn check(
    part: &EncTicketPart<'_>,
    authenticator: &Authenticator<'_>,
    skew: Duration,
    leg: &mut Leg<'_>,
) -> Result<(), Failure> {
    let now = leg.now;
    let refuse = |cause: Cause, what: &str, theirs: SystemTime, leg: &mut Leg<'_>| {
        let detail = format!("{what} {}; allowed are {} s", apart(theirs, now), skew.as_secs());
        leg.event(&Event::Because { detail: &detail });
        Err(cause.into())
    };
    if part.flags.contains(TicketFlags::INVALID) {
        leg.event(&Event::Because { detail: "the ticket's flag INVALID is set" });
        return Err(Cause::TicketInvalid.into());
    }
    let start = time(part.starttime.unwrap_or(part.authtime));
    if ahead(start, now) > skew {
        return refuse(Cause::TicketNotYetValid, "the ticket begins", start, leg);
    }
    let end = time(part.endtime);
    if ahead(now, end) > skew {
        return refuse(Cause::TicketExpired, "the ticket ended", end, leg);
    }
    let theirs = client_time(authenticator);
    if ahead(theirs, now) > skew || ahead(now, theirs) > skew {
        return refuse(Cause::ClockSkew, "the client's clock is", theirs, leg);
    }
    Ok(())
}

/// When the client made its authenticator, by its own clock.
pub(super) fn client_time(authenticator: &Authenticator<'_>) -> SystemTime {
    time(authenticator.ctime) + Duration::from_micros(authenticator.cusec.min(999_999).into())
}

/// A time of a message; the beginning of 1970 for one that the system cannot hold.
pub(super) fn time(time: KerberosTime) -> SystemTime {
    time.to_system().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// How far `a` is ahead of `b`; zero when it is not.
fn ahead(a: SystemTime, b: SystemTime) -> Duration {
    a.duration_since(b).unwrap_or(Duration::ZERO)
}

fn apart(theirs: SystemTime, now: SystemTime) -> String {
    match theirs.duration_since(now) {
        Ok(ahead) => format!("{:.3} s ahead of this server's", ahead.as_secs_f64()),
        Err(behind) => format!("{:.3} s behind this server's", behind.duration().as_secs_f64()),
    }
}
