//! Two users at a time, each as themselves: in WinPR's own module the name of one can end up in the other's context.

use crate::client::{Logon, log_on};
use crate::server::{ANN, BEN, Server, sam};

const ROUNDS: usize = 4;

#[test]
fn two_users_of_the_store() {
    let server = Server::with_store(&[ANN, BEN], &sam(&[]));
    rounds(&server);
    let lines = server.audit(3 * ROUNDS);
    for line in &lines {
        // Whoever was let in is who they said they were.
        match line["cause"].as_str() {
            Some("ok") => {
                assert_eq!(line["account"], format!("CORP\\{}", line["claimed_user"].as_str().unwrap()), "{line}")
            }
            Some("account/wrong-proof") => assert_eq!(line["claimed_user"], "ann", "{line}"),
            other => panic!("{other:?}: {line}"),
        }
    }
    let ended_in = |cause: &str, user: &str| {
        lines.iter().filter(|line| line["cause"] == cause && line["claimed_user"] == user).count()
    };
    assert_eq!(ended_in("ok", "ann"), ROUNDS, "{lines:#?}");
    assert_eq!(ended_in("ok", "ben"), ROUNDS, "{lines:#?}");
    assert_eq!(ended_in("account/wrong-proof", "ann"), ROUNDS, "{lines:#?}");
}

#[test]
fn two_users_of_the_file() {
    let server = Server::with_sam(&sam(&[ANN, BEN]));
    rounds(&server);
    for user in [ANN, BEN] {
        assert_eq!(server.established(user), ROUNDS, "{}", server.log());
    }
}

/// Ann, Ben, and one who claims to be Ann with Ben's password, all at once.
fn rounds(server: &Server) {
    for _ in 0..ROUNDS {
        std::thread::scope(|scope| {
            let ann = scope.spawn(|| log_on(server, &Logon::new(ANN.name, ANN.password)));
            let ben = scope.spawn(|| log_on(server, &Logon::new(BEN.name, BEN.password)));
            let neither = scope.spawn(|| log_on(server, &Logon::new(ANN.name, BEN.password)));
            ann.join().unwrap().expect_let_in();
            ben.join().unwrap().expect_let_in();
            neither.join().unwrap().expect_refused();
        });
    }
}
