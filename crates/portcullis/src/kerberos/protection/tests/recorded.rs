use super::*;

/// Tokens of another implementation: every form of every encryption type. Where nothing random is in one, this side
/// makes the same bytes.
#[test]
fn tokens_of_mit() {
    let mut sides: Option<(Enctype, [Side; 2])> = None;
    let mut seen = 0;
    for line in include_str!("mit.txt").lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(' ').collect();
        let ["context", enctype, dce, acceptor_subkey, key, initiator, acceptor] = fields[..] else {
            let (enctype, sides) = sides.as_mut().unwrap();
            message(&fields, *enctype, sides);
            seen += 1;
            continue;
        };
        let enctype = Enctype::from_number(enctype.parse().unwrap()).unwrap();
        let (initiator, acceptor) = (initiator.parse().unwrap(), acceptor.parse().unwrap());
        let side = |local, send, recv| {
            let key = Key::new(enctype, &hex(key)).unwrap();
            let keys = SessionKeys::new(key, acceptor_subkey == "1", local).starting_at(send, recv);
            Side::of(&keys.granting(if dce == "1" { DCE } else { FULL }))
        };
        let both = [side(Role::Initiator, initiator, acceptor), side(Role::Acceptor, acceptor, initiator)];
        sides = Some((enctype, both));
    }
    assert_eq!(seen, 6 * 2 * 30 + 18 + 30);
}

fn message(fields: &[&str], enctype: Enctype, [initiator, acceptor]: &mut [Side; 2]) {
    let (from, to) = if fields[1] == "i" { (initiator, acceptor) } else { (acceptor, initiator) };
    // This side makes each message too, so that the numbers go on.
    match *fields {
        ["mic", _, data, token] => {
            to.verify(&hex(data), &hex(token)).unwrap();
            assert_eq!(from.sign(&hex(data)), hex(token), "{fields:?}");
        }
        ["wrap", _, enciphered, data, token] => {
            let enciphered = enciphered == "1";
            assert_eq!(to.unwrap(&hex(token)).unwrap(), (hex(data), enciphered), "{fields:?}");
            let ours = from.wrap(&hex(data), enciphered);
            assert_eq!(ours.len(), hex(token).len(), "{fields:?}");
            if !enciphered && enctype != Enctype::Rc4 {
                assert_eq!(ours, hex(token), "{fields:?}");
            }
        }
        ["iov", _, enciphered, data, token, sent] => {
            let enciphered = enciphered == "1";
            let (mut token, mut sent) = (hex(token), hex(sent));
            let message = &mut [Segment::Token(&mut token), Segment::SignOnly(b"header"), Segment::Data(&mut sent)];
            assert_eq!(to.open.unseal(message).unwrap().enciphered, enciphered, "{fields:?}");
            assert_eq!(sent, hex(data), "{fields:?}");
            let mut ours = vec![0; from.trailer];
            let message = &mut [Segment::Token(&mut ours), Segment::SignOnly(b"header"), Segment::Data(&mut sent)];
            let len = if enciphered { from.seal.seal(message) } else { from.seal.seal_plain(message) }.unwrap();
            assert_eq!(len, token.len(), "{fields:?}");
        }
        _ => panic!("{fields:?}"),
    }
}
