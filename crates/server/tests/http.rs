//! The HTTP endpoint over real sockets.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod harness;

use harness::{Client, Running, authenticate, authorization, basic, negotiate, request, service};
use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const ANN: (&str, &str) = ("ann", "Passw0rd!");
const BOB: (&str, &str) = ("bob", "hunter2");

#[test]
fn three_legs_say_who_the_client_is_and_the_connection_stays_its_own() {
    let server = Running::start("");
    let mut client = server.client();
    let refused = client.get(&[]);
    assert_eq!((refused.status, refused.offers()), (401, vec!["Negotiate", "NTLM", "Basic"]));
    assert_eq!(refused.header("proxy-support"), Some("Session-Based-Authentication"));
    assert!(refused.raw.contains("Basic realm=\"Portcullis\", charset=\"UTF-8\""));
    assert_eq!(refused.header("vary"), Some("Accept, Authorization"));

    let answer = client.logon(ANN.0, ANN.1, &[]);
    assert_eq!(answer.header("persistent-auth"), Some("true"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let json = answer.json();
    assert_eq!((&json["name"], &json["domain"]), (&"ann".into(), &"WEB1".into()));
    assert_eq!(json["sid"], "S-1-5-21-1-2-3-1001");
    assert_eq!(json["groups"][0]["name"], "Users");
    assert_eq!(
        (&json["package"], &json["mechanism"], &json["version"]),
        (&"NTLM".into(), &"NTLM".into(), &"NTLMv2".into())
    );
    assert_eq!(json["workstation"], "PC1");
    assert_eq!(json["correlation_id"].as_str(), answer.header("x-correlation-id"));

    let again = client.get(&[]);
    assert_eq!(again.name(), "ann");
    assert_eq!(again.header("x-correlation-id"), answer.header("x-correlation-id"));
    assert_eq!(server.decisions.causes(), ["ok"]);
    // The identity is the connection's, and no other's.
    assert_eq!(server.client().get(&[]).status, 401);
}

#[test]
fn a_page_is_for_people() {
    let server = Running::start("");
    let mut client = server.client();
    client.logon(ANN.0, ANN.1, &[]);
    client.send("GET /any/path?x=1 HTTP/1.1\r\nHost: web1.example\r\nAccept: text/html\r\n\r\n");
    let page = client.reply();
    // Same client, same Host, no User-Agent in both: still ann.
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.body.contains("ann") && !page.body.contains("<script"));
    client.send("HEAD / HTTP/1.1\r\nHost: web1.example\r\n\r\n");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        std::io::Read::read_exact(&mut client.stream, &mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 200"));
}

#[test]
fn a_wrong_password_and_an_unknown_user_look_alike() {
    let server = Running::start("");
    let refusal = |user: &str| {
        let answer = server.client().logon(user, "wrong", &[]);
        assert_eq!((answer.status, answer.offers()), (401, vec!["Negotiate", "NTLM", "Basic"]));
        let id = answer.header("x-correlation-id").unwrap().to_owned();
        let mut same = answer.raw.replace(&id, "ID");
        let date = same.find("date: ").unwrap();
        same.replace_range(date..date + 35, "");
        same
    };
    let (wrong, unknown) = (refusal("ann"), refusal("nobody"));
    assert_eq!(wrong, unknown);
    assert_eq!(server.decisions.causes(), ["account/wrong-proof", "account/unknown-account"]);
    let made = server.decisions.made.lock().unwrap();
    assert_eq!(made[1].attempt.claim.as_ref().unwrap().user(), "nobody");
    assert_eq!(made[0].attempt.version, Some("NTLMv2"));
}

#[test]
fn a_failed_or_begun_handshake_ends_the_identity() {
    let server = Running::start("");
    let mut client = server.client();
    assert_eq!(client.logon(ANN.0, ANN.1, &[]).name(), "ann");
    assert_eq!(client.logon(BOB.0, "wrong", &[]).status, 401);
    assert_eq!(client.get(&[]).status, 401);

    assert_eq!(client.logon(ANN.0, ANN.1, &[]).name(), "ann");
    let challenge = client.get(&[&authorization(&negotiate())]).challenge();
    assert_eq!(client.get(&[]).status, 401, "a begun handshake leaves nobody");
    // And a request without credentials ended that handshake: its AUTHENTICATE comes too late.
    assert_eq!(client.get(&[&authorization(&authenticate(&challenge, BOB.0, "", BOB.1))]).status, 401);

    assert_eq!(client.logon(ANN.0, ANN.1, &[]).name(), "ann");
    assert_eq!(client.logon(BOB.0, BOB.1, &[]).name(), "bob");
    assert_eq!(client.get(&[]).name(), "bob");
    assert_eq!(client.get(&["Authorization: NTLM !!!"]).status, 401);
    assert_eq!(client.get(&[]).status, 401);
}

#[test]
fn a_challenge_is_answered_once_and_on_its_own_connection() {
    let server = Running::start("");
    let (mut one, mut two) = (server.client(), server.client());
    let challenge = one.get(&[&authorization(&negotiate())]).challenge();
    let answer = authorization(&authenticate(&challenge, ANN.0, "", ANN.1));
    assert_eq!(two.get(&[&answer]).status, 401);
    two.get(&[&authorization(&negotiate())]).challenge();
    assert_eq!(two.get(&[&answer]).status, 401);
    assert_eq!(one.get(&[&answer]).name(), "ann");
    assert_eq!(one.get(&[&answer]).status, 401, "replayed on its own connection");
}

#[test]
fn basic_speaks_for_its_own_request_only() {
    let server = Running::start("");
    let mut client = server.client();
    let answer = client.get(&[&basic(ANN.0, ANN.1)]);
    assert_eq!(answer.name(), "ann");
    assert_eq!(answer.header("persistent-auth"), Some("false"));
    assert_eq!(answer.json()["package"], "Basic");
    assert_eq!(client.get(&[]).status, 401);
    assert_eq!(client.get(&[&basic(ANN.0, "wrong")]).status, 401);
    assert_eq!(client.get(&[&basic(ANN.0, "")]).status, 401);
    assert_eq!(client.get(&["Authorization: Basic YW5u"]).status, 401);
    // On a connection that NTLM made someone's, Basic ends that.
    assert_eq!(client.logon(BOB.0, BOB.1, &[]).name(), "bob");
    assert_eq!(client.get(&[&basic(ANN.0, ANN.1)]).name(), "ann");
    assert_eq!(client.get(&[]).status, 401);
    assert_eq!(
        server.decisions.causes(),
        ["ok", "account/wrong-proof", "password/empty-password", "password/malformed-token", "ok", "ok"]
    );
}

#[test]
fn basic_is_for_loopback_only() {
    // Another address of this computer: the connection does not leave it, but the server cannot know.
    let Some(address) = outside_address() else { return };
    let server = Running::start_on("", address);
    let mut client = server.client();
    let refused = client.get(&[]);
    assert_eq!(refused.offers(), ["Negotiate", "NTLM"]);
    assert_eq!(client.get(&[&basic(ANN.0, ANN.1)]).status, 401);
    assert_eq!(server.decisions.causes(), ["host/plaintext-refused"]);
    assert_eq!(client.logon(ANN.0, ANN.1, &[]).name(), "ann");
}

fn outside_address() -> Option<std::net::IpAddr> {
    // Nothing is sent: connecting a datagram socket asks the routing table only.
    let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[test]
fn two_clients_over_one_backend_connection_never_get_each_others_name() {
    let server = Running::start("");
    // A proxy that shows itself: whoever proves it is served, and nobody after.
    let mut backend = server.client();
    let ann = "X-Forwarded-For: 192.0.2.1";
    let bob = "X-Forwarded-For: 192.0.2.2";
    let answer = backend.logon(ANN.0, ANN.1, &[ann]);
    assert_eq!((answer.name().as_str(), answer.header("persistent-auth")), ("ann", Some("false")));
    assert_eq!(backend.get(&[bob]).status, 401);
    assert_eq!(backend.logon(ANN.0, ANN.1, &[ann]).name(), "ann");
    assert_eq!(backend.get(&[ann]).status, 401, "nor the same client without a proof");
    assert_eq!(backend.logon(BOB.0, BOB.1, &[bob]).name(), "bob");
    // Between the legs of one client, another's request or proof.
    let challenge = backend.get(&[ann, &authorization(&negotiate())]).challenge();
    let answer = authorization(&authenticate(&challenge, ANN.0, "", ANN.1));
    assert_eq!(backend.get(&[bob, &answer]).status, 401);
    assert_eq!(backend.get(&[ann, &answer]).status, 401, "a challenge is answered once");
    // A password is not for a connection that comes from elsewhere.
    assert_eq!(backend.get(&[ann, &basic(ANN.0, ANN.1)]).status, 401);
    assert_eq!(server.decisions.causes().last(), Some(&"host/plaintext-refused"));
    // A proxy that shows itself for one client only.
    let mut backend = server.client();
    assert_eq!(backend.logon(ANN.0, ANN.1, &[]).name(), "ann");
    assert_eq!(backend.get(&[bob]).status, 401);
    assert_eq!(backend.get(&[]).status, 401, "and the identity is gone for good");
    // A proxy without headers of its own, and two clients' programs.
    let mut backend = server.client();
    assert_eq!(backend.logon(ANN.0, ANN.1, &["User-Agent: curl/7.88.1"]).name(), "ann");
    assert_eq!(backend.get(&["User-Agent: Mozilla/5.0"]).status, 401);
    // Between the legs.
    let mut backend = server.client();
    let challenge = backend.get(&[&authorization(&negotiate()), "User-Agent: one"]).challenge();
    let answer = authorization(&authenticate(&challenge, ANN.0, "", ANN.1));
    assert_eq!(backend.get(&[&answer, "User-Agent: two"]).status, 401);
    assert_eq!(server.decisions.causes().last(), Some(&"host/proxied"));
}

#[test]
fn a_trusted_proxy_may_keep_a_connection_for_a_client() {
    let server = Running::start("[http]\ntrusted_proxies = [\"127.0.0.0/8\"]\n");
    let mut backend = server.client();
    let (ann, bob) = ("X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 192.0.2.2");
    assert_eq!(backend.logon(ANN.0, ANN.1, &[ann]).name(), "ann");
    assert_eq!(backend.get(&[ann]).name(), "ann");
    assert_eq!(backend.get(&[bob]).status, 401, "trust ends where the proxy says that it is someone else");
    assert_eq!(backend.get(&[ann]).status, 401);
    assert_eq!(server.decisions.made.lock().unwrap()[0].attempt.client, Ipv4Addr::new(192, 0, 2, 1));
}

#[test]
fn without_persistence_each_request_needs_a_logon() {
    let server = Running::start("[http]\npersist = false\n");
    let mut client = server.client();
    let answer = client.logon(ANN.0, ANN.1, &[]);
    assert_eq!((answer.name().as_str(), answer.header("persistent-auth")), ("ann", Some("false")));
    assert_eq!(client.get(&[]).status, 401);
    assert_eq!(client.logon(BOB.0, BOB.1, &[]).name(), "bob");
}

#[test]
fn what_a_client_says_of_itself_never_comes_back() {
    let server = Running::start("");
    let mut client = server.client();
    let spoofed = [
        "X-Remote-User: spoofed",
        "Remote-User: spoofed",
        "X-Forwarded-User: spoofed",
        "Remote_User: spoofed",
        "X-Correlation-Id: spoofed",
        "X-Request-Id: spoofed",
    ];
    assert!(!client.get(&spoofed).raw.contains("spoofed"));
    let answer = client.logon(ANN.0, ANN.1, &spoofed);
    assert_eq!(answer.name(), "ann");
    assert!(!answer.raw.contains("spoofed"));
    assert_eq!(answer.header("x-correlation-id").unwrap().len(), 32);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Running::start("");
    let mut client = server.client();
    assert_eq!(client.logon(ANN.0, ANN.1, &[]).name(), "ann");
    // As ann; then a Basic request, which ends ann; then nobody.
    client.send(request(&[]) + &request(&[&basic(BOB.0, BOB.1)]) + &request(&[]));
    assert_eq!(client.reply().name(), "ann");
    assert_eq!(client.reply().name(), "bob");
    assert_eq!(client.reply().status, 401);
}

#[test]
fn http_1_0_is_answered_without_ntlm() {
    let server = Running::start("");
    let mut client = server.client();
    client.send("GET / HTTP/1.0\r\n\r\n");
    let answer = client.reply();
    assert_eq!((answer.status, answer.version.as_str(), answer.offers()), (401, "HTTP/1.0", vec!["Basic"]));
    assert!(client.is_closed());
    let mut client = server.client();
    client.send(format!("GET / HTTP/1.0\r\nConnection: keep-alive\r\n{}\r\n\r\n", authorization(&negotiate())));
    assert_eq!(client.reply().offers(), ["Basic"]);
    assert_eq!(server.decisions.causes(), ["host/scheme-not-offered"]);
}

#[test]
fn bodies_are_drained_within_their_bound() {
    let server = Running::start("[limits]\nunauthenticated_body_bytes = 1000\nbody_bytes = 100000\n");
    let mut client = server.client();
    let post = |authorization: &str, length: usize, more: &str| {
        format!(
            "POST / HTTP/1.1\r\nHost: web1.example\r\nAccept: application/json\r\n{authorization}{more}Content-Length: {length}\r\n\r\n"
        )
    };
    // Both legs with a body that fits.
    client.send(post(&format!("{}\r\n", authorization(&negotiate())), 1000, "") + &"x".repeat(1000));
    let challenge = client.reply().challenge();
    let answer = format!("{}\r\n", authorization(&authenticate(&challenge, ANN.0, "", ANN.1)));
    client.send(post(&answer, 50_000, "") + &"x".repeat(50_000));
    assert_eq!(client.reply().name(), "ann");
    assert_eq!(client.get(&[]).name(), "ann");
    // Expect: 100-continue is answered where the body is wanted …
    client.send(post("", 5, "Expect: 100-continue\r\n"));
    std::thread::sleep(Duration::from_millis(50));
    client.send("12345");
    assert_eq!(client.reply().name(), "ann");
    // … and a body that is too long ends the connection, after the answer.
    let mut stranger = server.client();
    stranger.send(post("", 2_000_000, "Expect: 100-continue\r\n"));
    let refused = stranger.reply();
    assert_eq!((refused.status, refused.header("connection")), (401, Some("close")));
    assert!(stranger.is_closed());
    let mut stranger = server.client();
    stranger.send(post(&format!("{}\r\n", authorization(&negotiate())), 300_000, "") + &"x".repeat(300_000));
    let refused = stranger.reply();
    assert_eq!(
        (refused.status, refused.offers()),
        (401, vec!["Negotiate", "NTLM", "Basic"]),
        "no challenge that ends here"
    );
    assert!(stranger.is_closed());
    // Chunked, without a length.
    let mut stranger = server.client();
    stranger.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    assert_eq!(stranger.reply().status, 401);
    stranger.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..3 {
        stranger.send(format!("1f4\r\n{}\r\n", "x".repeat(500)));
    }
    assert_eq!(stranger.reply().header("connection"), Some("close"));
}

#[test]
fn tokens_and_headers_have_bounds() {
    let server = Running::start("");
    let mut client = server.client();
    let long = format!("Authorization: NTLM {}", "A".repeat(70_000));
    assert_eq!(client.get(&[&long]).status, 401, "read, and found to be no token");
    let longer = format!("Authorization: NTLM {}", "A".repeat(100_000));
    assert_eq!(client.get(&[&longer]).status, 401);
    let causes = server.decisions.causes();
    assert_eq!(causes, ["ntlm/malformed-token", "host/token-too-large"]);
    let too_long = format!("Authorization: NTLM {}", "A".repeat(140_000));
    let answer = client.get(&[&too_long]);
    assert_eq!((answer.status, answer.header("connection")), (431, Some("close")));
    assert!(answer.body.contains("larger than the 131072 bytes"), "{}", answer.body);
    assert!(client.is_closed());
    // Far more than that is not even read, but the client is told.
    let mut client = server.client();
    let _ =
        client.stream.write_all(format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "A".repeat(600_000)).as_bytes());
    assert_eq!(client.reply().status, 431);
}

#[test]
fn what_makes_no_sense_is_refused_with_its_cause() {
    let server = Running::start("");
    let mut client = server.client();
    let of = |token: &[u8]| authorization(token);
    for header in [
        "Authorization: NTLM ***".to_owned(),
        "Authorization: NTLM".to_owned(),
        "Authorization: Bearer abc".to_owned(),
        of(b"hello"),
        of(b"NTLMSSP\0\x02\0\0\0\0\0\0\0"),
        of(&negotiate()[..11]),
    ] {
        let answer = client.get(&[&header]);
        assert_eq!((answer.status, answer.offers()), (401, vec!["Negotiate", "NTLM", "Basic"]), "{header}");
    }
    assert_eq!(client.get(&[&of(&negotiate()), &basic(ANN.0, ANN.1)]).status, 401);
    assert_eq!(
        server.decisions.causes(),
        [
            "host/bad-header",
            "host/bad-header",
            "host/scheme-not-offered",
            "ntlm/malformed-token",
            "ntlm/malformed-token",
            "ntlm/malformed-token",
            "host/bad-header",
        ]
    );
    // CONNECT is no way in, and a request without credentials no decision.
    client.send("CONNECT web1.example:443 HTTP/1.1\r\nHost: web1.example\r\n\r\n");
    assert_eq!(client.reply().status, 405);
    assert_eq!(server.decisions.causes().len(), 7);
}

#[test]
fn health_and_preflight_ask_for_nobody() {
    let server = Running::start("[http]\ncors_origins = [\"https://app.example\"]\n");
    let mut client = server.client();
    client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    let well = client.reply();
    assert_eq!((well.status, well.body.as_str()), (200, "ok\n"));
    server.healthy.store(false, Ordering::SeqCst);
    client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.reply().status, 503);
    client.send("POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.reply().status, 401);

    let options = |more: &str| format!("OPTIONS / HTTP/1.1\r\nHost: a\r\n{more}\r\n");
    client.send(options("Origin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n"));
    let answer = client.reply();
    assert_eq!(answer.status, 204);
    assert!(!answer.raw.contains("access-control-allow"));
    client.send(options("Origin: https://app.example\r\nAccess-Control-Request-Method: GET\r\n"));
    assert_eq!(client.reply().header("access-control-allow-origin"), Some("https://app.example"));
    for not_preflight in ["", "Origin: https://app.example\r\n", "Access-Control-Request-Method: GET\r\n"] {
        client.send(options(not_preflight));
        assert_eq!(client.reply().status, 401, "{not_preflight}");
    }
}

#[test]
fn an_audit_log_that_cannot_be_written_refuses_unless_configured() {
    let server = Running::start("");
    server.decisions.broken.store(true, Ordering::SeqCst);
    assert_eq!(server.client().logon(ANN.0, ANN.1, &[]).status, 401);
    server.decisions.broken.store(false, Ordering::SeqCst);
    assert_eq!(server.client().logon(ANN.0, ANN.1, &[]).name(), "ann");
    let lax = Running::start("[audit]\nrequired = false\n");
    lax.decisions.broken.store(true, Ordering::SeqCst);
    assert_eq!(lax.client().logon(ANN.0, ANN.1, &[]).name(), "ann");
}

#[test]
fn a_handshake_that_is_not_finished_is_refused_once_and_its_connection_ends() {
    let server = Running::start("[limits]\nhandshake_seconds = 1\n");
    let mut client = server.client();
    let id = client.get(&[&authorization(&negotiate())]).header("x-correlation-id").unwrap().to_owned();
    assert_eq!(server.decided(1), ["host/handshake-timeout"]);
    assert_eq!(server.decisions.made.lock().unwrap()[0].correlation_id.as_str(), id);
    assert!(client.is_closed());
    assert_eq!(server.client().logon(ANN.0, ANN.1, &[]).name(), "ann");
}

#[test]
fn idle_connections_and_slow_headers_end() {
    let server = Running::start("[limits]\nidle_seconds = 2\nheader_seconds = 1\n");
    let mut idle = server.client();
    assert_eq!(idle.get(&[]).status, 401);
    let mut slow = server.client();
    slow.send("GET / HTTP/1.1\r\nHo");
    let start = Instant::now();
    assert!(slow.is_closed());
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(idle.is_closed());
}

#[test]
fn the_oldest_handshake_of_the_greediest_makes_room() {
    let server = Running::start("[limits]\nhalf_open = 8\nhalf_open_per_peer = 8\n");
    let mut first = server.client();
    let challenge = first.get(&[&authorization(&negotiate())]).challenge();
    let flood: Vec<_> = (0..8)
        .map(|_| {
            let mut client = server.client();
            client.get(&[&authorization(&negotiate())]).challenge();
            client
        })
        .collect();
    assert_eq!(server.decided(1), ["host/half-open-limit"]);
    let late = first.get(&[&authorization(&authenticate(&challenge, ANN.0, "", ANN.1))]);
    assert_eq!((late.status, late.offers()), (401, vec!["Negotiate", "NTLM", "Basic"]));
    assert_eq!(server.decisions.causes().len(), 1, "one handshake, one line");
    assert_eq!(first.logon(ANN.0, ANN.1, &[]).name(), "ann");
    drop(flood);
}

#[test]
fn idle_strangers_make_room_and_users_do_not() {
    let server = Running::start("[limits]\nconnections = 4\n");
    let mut user = server.client();
    assert_eq!(user.logon(ANN.0, ANN.1, &[]).name(), "ann");
    let mut strangers: Vec<_> = (0..20)
        .map(|_| {
            let mut client = server.client();
            assert_eq!(client.get(&[]).status, 401);
            client
        })
        .collect();
    assert_eq!(user.get(&[]).name(), "ann");
    assert!(strangers[0].is_closed());
    assert_eq!(server.client().logon(BOB.0, BOB.1, &[]).name(), "bob");
}

#[test]
fn a_store_that_cannot_be_asked_is_a_401_too() {
    let server = Running::start("");
    let mut client = server.client();
    let answer = client.logon("unreachable", "x", &[]);
    assert_eq!((answer.status, answer.offers()), (401, vec!["Negotiate", "NTLM", "Basic"]));
    assert_eq!(client.get(&[&basic("unreachable", "x")]).status, 401);
    assert_eq!(server.decisions.causes(), ["account/store-unreachable"; 2]);
}

#[test]
fn a_replaced_service_serves_the_next_request() {
    let server = Running::start("");
    let mut client = server.client();
    assert_eq!(client.logon(ANN.0, ANN.1, &[]).name(), "ann");
    let challenge = client.get(&[&authorization(&negotiate())]).challenge();
    let service = service("[http]\nschemes = [\"NTLM\"]\nrealm = \"New\"\n", &server.decisions, &server.healthy);
    server.replacer.replace(service);
    // A handshake goes on over a reload, and so does the connection.
    assert_eq!(client.get(&[&authorization(&authenticate(&challenge, BOB.0, "", BOB.1))]).name(), "bob");
    assert_eq!(client.get(&[]).name(), "bob");
    assert_eq!(server.client().get(&[]).offers(), ["NTLM"]);
    assert_eq!(server.client().get(&[&basic(ANN.0, ANN.1)]).status, 401);
}

#[test]
fn a_server_that_stops_ends_its_connections() {
    let mut server = Running::start("");
    let mut idle = server.client();
    assert_eq!(idle.logon(ANN.0, ANN.1, &[]).name(), "ann");
    // A request under way: its body comes while the server stops.
    let mut busy = server.client();
    busy.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n{}\r\nContent-Length: 4\r\n\r\nab",
        basic(ANN.0, ANN.1)
    ));
    std::thread::sleep(Duration::from_millis(200));
    server.stop();
    std::thread::sleep(Duration::from_millis(200));
    busy.send("cd");
    assert_eq!(busy.reply().name(), "ann");
    assert!(idle.is_closed() && busy.is_closed());
    server.wait();
    assert!(std::net::TcpStream::connect(server.address).is_err());
}

#[test]
fn two_users_on_many_connections_never_mix() {
    let server = Running::start("");
    std::thread::scope(|scope| {
        for i in 0..20 {
            let (user, secret) = if i % 2 == 0 { ANN } else { BOB };
            let server = &server;
            scope.spawn(move || {
                for _ in 0..10 {
                    let mut client: Client = server.client();
                    assert_eq!(client.logon(user, secret, &[]).name(), user);
                    for _ in 0..5 {
                        assert_eq!(client.get(&[]).name(), user);
                    }
                }
            });
        }
    });
    assert_eq!(server.decisions.causes().len(), 200);
}
