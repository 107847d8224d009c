//! Which keys to trust, as a file (<https://c2sp.org/tlog-policy>): `log` lines and `quorum none`.

use crate::note::VerifierKey;

/// Why a policy file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustFault {
    /// A line that is no `log`, comment or `quorum none`. Line numbers start at 1.
    #[error("line {0} is not understood")]
    Line(usize),
    /// Witnesses and quorums: passing over them would trust more than the file says.
    #[error("line {0} asks for witnesses, which this version cannot check")]
    Witness(usize),
    /// The same public key twice.
    #[error("line {0} repeats a key")]
    Duplicate(usize),
    /// Not exactly one `quorum` line, or no log at all.
    #[error("a policy has one quorum line and at least one log")]
    Incomplete,
}

/// Writes a policy file that trusts these logs.
#[must_use]
pub fn to_policy(keys: &[VerifierKey]) -> String {
    let mut text: String = keys.iter().map(|key| format!("log {key}\n")).collect();
    text.push_str("quorum none\n");
    text
}

/// Reads the keys of a policy file. A `log` line may have a URL, which is passed over.
///
/// # Errors
/// If any line is not understood, or the file is not complete.
pub fn from_policy(text: &str) -> Result<Vec<VerifierKey>, TrustFault> {
    let (mut keys, mut quorums) = (Vec::<VerifierKey>::new(), 0);
    for (line, number) in text.split('\n').zip(1..) {
        if line.contains(|c: char| c < ' ' && c != '\t' || c == '\u{7f}') {
            return Err(TrustFault::Line(number));
        }
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            ["log", key] | ["log", key, _] => {
                let key: VerifierKey = key.parse().map_err(|_| TrustFault::Line(number))?;
                if keys.iter().any(|other| other.public_key() == key.public_key()) {
                    return Err(TrustFault::Duplicate(number));
                }
                keys.push(key);
            }
            ["quorum", "none"] => quorums += 1,
            ["witness" | "group" | "quorum", ..] => return Err(TrustFault::Witness(number)),
            _ => return Err(TrustFault::Line(number)),
        }
    }
    if quorums == 1 && !keys.is_empty() { Ok(keys) } else { Err(TrustFault::Incomplete) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_what_others_write() {
        let keys: Vec<_> =
            (1..4).map(|n| VerifierKey::new(&format!("test.example/202{n}"), [n; 32]).unwrap()).collect();
        assert_eq!(from_policy(&to_policy(&keys)), Ok(keys.clone()));
        let other = format!("# ours\n\n\tlog  {} https://test.example/\nquorum none", keys[0]);
        assert_eq!(from_policy(&other), Ok(vec![keys[0].clone()]));
        let log = format!("log {}\n", keys[0]);
        for (bad, fault) in [
            (log.clone(), TrustFault::Incomplete),
            ("quorum none\n".to_owned(), TrustFault::Incomplete),
            (format!("{log}quorum none\nquorum none\n"), TrustFault::Incomplete),
            (format!("{log}{log}quorum none\n"), TrustFault::Duplicate(2)),
            (format!("{log}witness w {}\nquorum w\n", keys[1]), TrustFault::Witness(2)),
            (format!("{log}\rquorum none\n"), TrustFault::Line(2)),
            ("log x\nquorum none\n".to_owned(), TrustFault::Line(1)),
        ] {
            assert_eq!(from_policy(&bad), Err(fault), "{bad:?}");
        }
    }
}
