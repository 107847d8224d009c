//! What may not be among the dependencies.

/// One provider of cryptography, ring, and no TLS of the operating system: two would be two sets of rules.
#[test]
fn ring_is_the_only_provider_of_cryptography() {
    let lock = include_str!("../Cargo.lock");
    assert!(lock.contains("name = \"ring\""));
    for banned in ["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls"] {
        assert!(!lock.contains(&format!("name = \"{banned}\"")), "{banned} is in Cargo.lock");
    }
}
