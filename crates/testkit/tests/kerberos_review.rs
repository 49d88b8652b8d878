//! Kerberos: clients that are nobody, and clocks without bounds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a test")]

use portcullis::Status;
use portcullis_testkit::kerberos::{Client, Name, Site};
use portcullis_wire::kerberos::{NT_PRINCIPAL, NT_WELLKNOWN, TicketFlags};
use std::time::Duration;

/// RFC 8062: by its flag, or by its name whatever type that has.
#[test]
fn anonymous_tickets_are_nobodys() {
    let site = Site::of_web();
    let name = "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS";
    for (flagged, client) in [
        (true, Name::of_kind(NT_WELLKNOWN, name)),
        (false, Name::of_kind(NT_PRINCIPAL, name)),
        (false, Name::of_kind(NT_WELLKNOWN, "WELLKNOWN/ANONYMOUS@EXAMPLE")),
        (true, Name::user("ann@EXAMPLE")),
    ] {
        let mut ticket = site.ticket("ann@EXAMPLE").without_pac();
        ticket.client = client;
        if flagged {
            ticket.flags = ticket.flags | TicketFlags::ANONYMOUS;
        }
        let denied = Status::SEC_E_LOGON_DENIED;
        site.refuses(&Client::of(ticket), "kerberos/anonymous-refused", denied, Some(60));
    }
    let mut somebody = site.ticket("ann@EXAMPLE").without_pac();
    somebody.client = Name::user("WELLKNOWN/ann@EXAMPLE");
    site.accepts(&Client::of(somebody));
}

#[test]
fn a_skew_without_bounds_is_no_panic() {
    for skew in [Duration::MAX, Duration::from_secs(u64::MAX / 2)] {
        let mut site = Site::of_web();
        site.config.skew = skew;
        let outcome = site.hears(&site.client());
        assert_eq!(outcome.cause_name(), "kerberos/clock-skew");
    }
}
