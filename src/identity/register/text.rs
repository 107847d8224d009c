//! Small texts of the register. They are shown to clients and stand beside grants, so none can be long or odd.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use crate::{
    domain::{Day, time::parse_day},
    tripwire::{Expected, scan},
};

/// A name, function or address for people: not empty, of limited length, on one line.
pub(super) fn line(text: &str, max: usize) -> Result<String, String> {
    let length = text.chars().count();
    if length == 0 || length > max || text.trim() != text || text.chars().any(char::is_control) {
        return Err(format!("must be 1 to {max} characters on one line, without spaces around them"));
    }
    Ok(text.to_owned())
}

/// Whether a text may be shown to a requester or a client. An organisation's name alone can tell what somebody is
/// treated for.
pub(super) fn harmless(text: &str, expected: Expected) -> Result<(), String> {
    match scan(text, expected) {
        None => Ok(()),
        Some(detector) => Err(format!(
            "sets off the detector `{detector}` (docs/firewall.md): clients and requesters read it; \
             register a neutral trade name (neutrale handelsnaam) or another neutral text"
        )),
    }
}

/// A telephone number, as people write it.
pub(super) fn phone(text: &str) -> Result<String, &'static str> {
    if Expected::Phone.is_met_by(text) { Ok(text.to_owned()) } else { Err("must be a telephone number") }
}

/// A technical name: of a key, of an agreement.
pub(super) fn name(text: &str) -> Result<String, &'static str> {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
    if !(1..=64).contains(&text.len()) || !text.bytes().all(allowed) {
        return Err("must be 1 to 64 letters, digits, `.`, `_` or `-`");
    }
    Ok(text.to_owned())
}

/// The same, of which faults may repeat the text.
pub(super) fn harmless_name(text: &str) -> Result<String, String> {
    harmless(text, Expected::Text)?;
    Ok(name(text)?)
}

/// A day, with quotes or without.
pub(super) fn day(value: &toml::Value) -> Result<Day, &'static str> {
    let text = match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Datetime(day) => day.to_string(),
        _ => String::new(),
    };
    parse_day(&text).map_err(|_| "must be a day as in 2026-11-23")
}

/// A public Ed25519 key.
pub(super) fn key(text: &str) -> Result<[u8; 32], &'static str> {
    URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .or_else(|_| STANDARD.decode(text))
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or("must be the 32 bytes of an Ed25519 key in base64url or base64")
}

/// A SHA-256 hash.
pub(super) fn sha256(text: &str) -> Result<[u8; 32], &'static str> {
    hex::decode(text)
        .ok()
        .filter(|_| text == text.to_ascii_lowercase())
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or("must be a SHA-256 hash: 64 hexadecimal digits in lower case")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_either_alphabet() {
        let bytes = [0xfb; 32];
        for text in [URL_SAFE_NO_PAD.encode(bytes), STANDARD.encode(bytes)] {
            assert_eq!(key(&text), Ok(bytes), "{text}");
        }
        assert!(key(&STANDARD.encode([1; 31])).is_err());
        assert!(key("").is_err());
    }

    #[test]
    fn lines_are_short_and_single() {
        assert!(line("Gemeente 's-Hertogenbosch", 40).is_ok());
        for text in ["", " a", "a\nb", "a\u{7}", "aaaaaa"] {
            assert!(line(text, 5).is_err(), "{text:?}");
        }
        assert!(phone("+31 (0)30 286 00 00").is_ok());
        for text in ["", "call me", "06", "0302860000 of 0612345678901", "999990019", "35489007"] {
            assert!(phone(text).is_err(), "{text}");
        }
    }

    #[test]
    fn days_with_quotes_or_without() {
        let table: toml::Table = toml::from_str("a = 2026-11-23\nb = '2026-11-23'").unwrap();
        assert_eq!(day(&table["a"]), day(&table["b"]));
        let table: toml::Table = toml::from_str("a = 2026-11-23T09:30:00Z\nb = 20261123").unwrap();
        assert!(day(&table["a"]).is_err() && day(&table["b"]).is_err());
    }
}
