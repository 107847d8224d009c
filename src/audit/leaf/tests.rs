use proptest::prelude::*;
use serde_json::json;

use super::*;

fn leaf(kind: Kind) -> Leaf {
    Leaf {
        kind,
        time: Timestamp::from_millis(1_795_426_200_007),
        pair: PairId::random(),
        facts: sha256(&[b"facts"]),
        client: sha256(&[b"client"]),
    }
}

#[test]
fn is_canonical_json() {
    for kind in Kind::ALL {
        let leaf = leaf(kind);
        let bytes = leaf.encode();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(canonical(&value).unwrap(), bytes);
        assert_eq!(Leaf::parse(&bytes), Ok(leaf));
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
}

#[test]
fn any_other_bytes_are_refused() {
    let text = String::from_utf8(leaf(Kind::Request).encode()).unwrap();
    for bad in [
        text.replace("\"v\":1", "\"v\":2"),
        text.replace("\"v\":1", "\"v\": 1"),
        text.replace("\"v\":1", "\"v\":1,\"w\":1"),
        text.replace("\"v\":1", "\"kind\":\"request\",\"v\":1"),
        text.replace("Z\"", "+00:00\""),
        text.replace(".007Z", ".0070Z"),
        text.replace("=\"", "\""),
        text.replace("request", "Request"),
        text.replace("request", "requ\\u0065st"),
        text.replace("request", ""),
        format!("{text}\n"),
        String::new(),
    ] {
        assert_eq!(Leaf::parse(bad.as_bytes()), Err(LeafFault::Malformed), "{bad}");
    }
    let newer = text.replace("request", "tomorrow");
    assert_eq!(Leaf::parse(newer.as_bytes()), Err(LeafFault::UnknownKind("tomorrow".to_owned())));
}

#[test]
fn every_bit_of_a_leaf_counts() {
    let bytes = leaf(Kind::Outcome).encode();
    for bit in 0..bytes.len() * 8 {
        let mut other = bytes.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        if let Ok(parsed) = Leaf::parse(&other) {
            assert_eq!(parsed.encode(), other);
        }
    }
}

#[test]
fn commitments_are_what_the_documentation_says() {
    // Calculated with Python's hashlib from the sentences in docs/audit-log.md.
    let salt = [7; 32];
    assert_eq!(
        hex::encode(commit_facts(&salt, b"{}")),
        "14fc7fdaadde505fe0fa3d228d201adbf333f0bcb7d37a11c949362d90c1ea40"
    );
    assert_eq!(
        hex::encode(commit_answer(&salt, b"{}")),
        "7172194d6368f13f0925b82583a368ecd2a3120cc36dc2a9b1d35f2f9a436312"
    );
    let pair: PairId = "f47ac10b-58cc-4372-a567-0e02b2c3d479".parse().unwrap();
    let id = entry_id(pair, Kind::Request);
    assert_eq!(hex::encode(&id), "f47ac10b58cc4372a5670e02b2c3d47972657175657374");
    assert_eq!(
        hex::encode(commit_client(&id, &EntryKey::from_bytes([9; 32]), b"sealed")),
        "2759ae97143c1f05509588eed026a4373d9ef299867d39e78c0dc8715d95f10a"
    );
}

#[test]
fn a_commitment_is_to_one_thing_only() {
    let salt = [1; 32];
    assert_ne!(commit_facts(&salt, b"{}"), commit_answer(&salt, b"{}"));
    assert_ne!(commit_facts(&salt, b"{}"), commit_facts(&[2; 32], b"{}"));
    let key = EntryKey::from_bytes([9; 32]);
    assert_ne!(commit_client(b"ab", &key, b"c"), commit_client(b"a", &key, b"bc"));
}

#[test]
fn facts_have_one_form() {
    let facts = canonical(&json!({"b": [1, "é"], "a": 9_007_199_254_740_991_u64})).unwrap();
    assert_eq!(facts, "{\"a\":9007199254740991,\"b\":[1,\"é\"]}".as_bytes());
    assert!(parse_facts(&facts).is_some());
    for bad in ["", "[]", "{\"b\":1,\"a\":1}", "{\"a\":1,\"a\":2}", "{ }", "{\"a\":1.0}", "{}\n"] {
        assert!(parse_facts(bad.as_bytes()).is_none(), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        prop_assert!(Leaf::parse(&bytes).is_err());
        let _ = parse_facts(&bytes);
    }
}
