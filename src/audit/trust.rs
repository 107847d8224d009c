//! Which logs and which witnesses to trust, as a file (<https://c2sp.org/tlog-policy>).

use std::{collections::HashSet, fmt, str::FromStr};

use crate::note::{VerifierKey, cosignature::CosignerKey};

/// The name that stands for no quorum, and for nothing else.
const NONE: &str = "none";
/// Name of the group in policies that are made here.
const GROUP: &str = "witnesses";

/// Why a policy file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustFault {
    /// A line that is none of a policy's, or not in the form of one. Line numbers start at 1.
    #[error("line {0} is not understood")]
    Line(usize),
    /// The same public key, or the same name, twice.
    #[error("line {0} repeats a key or a name")]
    Duplicate(usize),
    /// A group or quorum of something that no line ahead of it defines.
    #[error("line {0} names a witness or group that is not defined ahead of it")]
    Undefined(usize),
    /// A name that is a member of two groups, or twice of one: a witness would count twice.
    #[error("line {0} lists a member that is in a group already")]
    Member(usize),
    /// Not exactly one `quorum` line, or no log at all.
    #[error("a policy has one quorum line and at least one log")]
    Incomplete,
}

/// A witness of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Its name within the policy.
    pub name: String,
    /// Its key.
    pub key: CosignerKey,
}

/// So many of these witnesses or groups.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    name: String,
    threshold: usize,
    members: Vec<String>,
}

/// Logs, witnesses, and which witnesses must have cosigned a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<VerifierKey>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<String>,
}

/// Writes a policy file that trusts these logs and asks for no witness.
#[must_use]
pub fn to_policy(keys: &[VerifierKey]) -> String {
    Policy::of_logs(keys.to_vec()).to_string()
}

impl Policy {
    /// These logs, and no witness.
    #[must_use]
    pub fn of_logs(logs: Vec<VerifierKey>) -> Self {
        Self { logs, ..Self::default() }
    }

    /// These logs, and `threshold` of these witnesses, each under the name of its key.
    #[must_use]
    pub fn witnessed(logs: Vec<VerifierKey>, keys: &[CosignerKey], threshold: usize) -> Self {
        let name = |key: &CosignerKey| key.name().to_owned();
        let witnesses = keys.iter().map(|key| Witness { name: name(key), key: key.clone() }).collect();
        let members: Vec<String> = keys.iter().map(name).collect();
        let (groups, quorum) = match members.as_slice() {
            [] => (Vec::new(), None),
            [only] => (Vec::new(), Some(only.clone())),
            _ => (vec![Group { name: GROUP.to_owned(), threshold, members }], Some(GROUP.to_owned())),
        };
        Self { logs, witnesses, groups, quorum }
    }

    /// The logs' keys.
    #[must_use]
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The witnesses' keys.
    #[must_use]
    pub fn cosigners(&self) -> Vec<CosignerKey> {
        self.witnesses.iter().map(|witness| witness.key.clone()).collect()
    }

    /// Whether it asks for a witness at all.
    #[must_use]
    pub const fn asks_for_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// Whether what these witnesses have cosigned is witnessed as this policy asks.
    #[must_use]
    pub fn is_met_by(&self, keys: &[CosignerKey]) -> bool {
        let Some(quorum) = &self.quorum else { return true };
        let cosigned = self.witnesses.iter().filter(|witness| keys.contains(&witness.key));
        let mut met: HashSet<&str> = cosigned.map(|witness| witness.name.as_str()).collect();
        // A group stands after its members, so one pass is enough.
        for group in &self.groups {
            let members = group.members.iter().filter(|member| met.contains(member.as_str())).count();
            if members >= group.threshold {
                met.insert(&group.name);
            }
        }
        met.contains(quorum.as_str())
    }

    fn is_defined(&self, name: &str) -> bool {
        self.witnesses.iter().any(|witness| witness.name == name)
            || self.groups.iter().any(|group| group.name == name)
    }

    fn log(&mut self, key: &str) -> Result<(), fn(usize) -> TrustFault> {
        let key: VerifierKey = key.parse().map_err(|_| TrustFault::Line as fn(usize) -> TrustFault)?;
        if self.logs.iter().any(|other| other.public_key() == key.public_key()) {
            return Err(TrustFault::Duplicate);
        }
        self.logs.push(key);
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str) -> Result<(), fn(usize) -> TrustFault> {
        let key: CosignerKey = key.parse().map_err(|_| TrustFault::Line as fn(usize) -> TrustFault)?;
        let repeats = |other: &Witness| other.key.public_key() == key.public_key();
        if name == NONE {
            return Err(TrustFault::Line);
        }
        if self.is_defined(name) || self.witnesses.iter().any(repeats) {
            return Err(TrustFault::Duplicate);
        }
        self.witnesses.push(Witness { name: name.to_owned(), key });
        Ok(())
    }

    fn group(
        &mut self,
        name: &str,
        threshold: &str,
        members: &[&str],
    ) -> Result<(), fn(usize) -> TrustFault> {
        if name == NONE {
            return Err(TrustFault::Line);
        }
        if self.is_defined(name) {
            return Err(TrustFault::Duplicate);
        }
        let threshold = match threshold {
            "all" => members.len(),
            "any" => 1,
            number if number.chars().all(|c| c.is_ascii_digit()) => number.parse().unwrap_or(0),
            _ => 0,
        };
        if !(1..=members.len()).contains(&threshold) {
            return Err(TrustFault::Line);
        }
        let mut taken: HashSet<&str> =
            self.groups.iter().flat_map(|group| group.members.iter().map(String::as_str)).collect();
        for member in members {
            if !self.is_defined(member) {
                return Err(TrustFault::Undefined);
            }
            if !taken.insert(member) {
                return Err(TrustFault::Member);
            }
        }
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        self.groups.push(Group { name: name.to_owned(), threshold, members });
        Ok(())
    }
}

impl FromStr for Policy {
    type Err = TrustFault;

    /// Reads a policy file. A `log` or `witness` line may have a URL, which is passed over.
    fn from_str(text: &str) -> Result<Self, TrustFault> {
        let (mut policy, mut quorums) = (Self::default(), 0);
        for (line, number) in text.split('\n').zip(1..) {
            if line.contains(|c: char| c < ' ' && c != '\t' || c == '\u{7f}') {
                return Err(TrustFault::Line(number));
            }
            let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            let read = match words.as_slice() {
                [] => Ok(()),
                [first, ..] if first.starts_with('#') => Ok(()),
                ["log", key] | ["log", key, _] => policy.log(key),
                ["witness", name, key] | ["witness", name, key, _] => policy.witness(name, key),
                ["group", name, threshold, members @ ..] => policy.group(name, threshold, members),
                ["quorum", name] => {
                    quorums += 1;
                    policy.quorum = (*name != NONE).then(|| (*name).to_owned());
                    let known = *name == NONE || policy.is_defined(name);
                    if known { Ok(()) } else { Err(TrustFault::Undefined as fn(usize) -> TrustFault) }
                }
                _ => Err(TrustFault::Line as fn(usize) -> TrustFault),
            };
            read.map_err(|fault| fault(number))?;
        }
        if quorums == 1 && !policy.logs.is_empty() { Ok(policy) } else { Err(TrustFault::Incomplete) }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in &self.logs {
            writeln!(f, "log {key}")?;
        }
        for Witness { name, key } in &self.witnesses {
            writeln!(f, "witness {name} {key}")?;
        }
        for Group { name, threshold, members } in &self.groups {
            let threshold = match *threshold {
                n if n == members.len() => "all".to_owned(),
                1 => "any".to_owned(),
                n => n.to_string(),
            };
            writeln!(f, "group {name} {threshold} {}", members.join(" "))?;
        }
        writeln!(f, "quorum {}", self.quorum.as_deref().unwrap_or(NONE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs() -> Vec<VerifierKey> {
        (1..4).map(|n| VerifierKey::new(&format!("test.example/202{n}"), [n; 32]).unwrap()).collect()
    }

    fn cosigners() -> Vec<CosignerKey> {
        (1..6).map(|n| CosignerKey::new(&format!("w{n}"), [n; 32]).unwrap()).collect()
    }

    fn read(text: &str) -> Result<Policy, TrustFault> {
        text.parse()
    }

    #[test]
    fn reads_what_it_writes_and_what_others_write() {
        let keys = logs();
        let own = read(&to_policy(&keys)).unwrap();
        assert_eq!((own.logs(), own.asks_for_witnesses()), (keys.as_slice(), false));
        let other = format!("# ours\n\n\tlog  {} https://test.example/\nquorum none", keys[0]);
        assert_eq!(read(&other), Ok(Policy::of_logs(vec![keys[0].clone()])));
        for (count, threshold) in [(0, 0), (1, 1), (3, 1), (3, 2), (3, 3)] {
            let policy = Policy::witnessed(keys.clone(), &cosigners()[..count], threshold);
            assert_eq!(read(&policy.to_string()), Ok(policy));
        }
    }

    #[test]
    fn refuses_what_it_does_not_understand_in_full() {
        let (keys, w) = (logs(), cosigners());
        let log = format!("log {}\n", keys[0]);
        let two = format!("{log}witness a {}\nwitness b {} https://b.example/\n", w[0], w[1]);
        for (bad, fault) in [
            (log.clone(), TrustFault::Incomplete),
            ("quorum none\n".to_owned(), TrustFault::Incomplete),
            (format!("{log}quorum none\nquorum none\n"), TrustFault::Incomplete),
            (format!("{log}{log}quorum none\n"), TrustFault::Duplicate(2)),
            (format!("{log}witness w {}\nquorum w\n", keys[1]), TrustFault::Line(2)),
            (format!("log {}\nquorum none\n", w[0]), TrustFault::Line(1)),
            (format!("{log}\rquorum none\n"), TrustFault::Line(2)),
            ("log x\nquorum none\n".to_owned(), TrustFault::Line(1)),
            (format!("{two}quorum c\n"), TrustFault::Undefined(4)),
            (format!("{two}witness a {}\nquorum a\n", w[2]), TrustFault::Duplicate(4)),
            (format!("{two}witness c {}\nquorum a\n", w[1]), TrustFault::Duplicate(4)),
            (format!("{two}witness none {}\nquorum none\n", w[2]), TrustFault::Line(4)),
            (format!("{two}group none any a\nquorum none\n"), TrustFault::Line(4)),
            (format!("{two}group a any b\nquorum a\n"), TrustFault::Duplicate(4)),
            (format!("{two}group g any\nquorum g\n"), TrustFault::Line(4)),
            (format!("{two}group g 3 a b\nquorum g\n"), TrustFault::Line(4)),
            (format!("{two}group g 0 a b\nquorum g\n"), TrustFault::Line(4)),
            (format!("{two}group g +1 a b\nquorum g\n"), TrustFault::Line(4)),
            (format!("{two}group g any a c\nquorum g\n"), TrustFault::Undefined(4)),
            (format!("{two}group g any none\nquorum g\n"), TrustFault::Undefined(4)),
            (format!("{two}group g all a a\nquorum g\n"), TrustFault::Member(4)),
            (format!("{two}group g any a\ngroup h any a b\nquorum h\n"), TrustFault::Member(5)),
        ] {
            assert_eq!(read(&bad), Err(fault), "{bad:?}");
        }
    }

    /// The example of the specification: two of three X, and any of Y.
    #[test]
    fn a_quorum_counts_witnesses_group_by_group() {
        let w = cosigners();
        let mut text = format!("log {}\n", logs()[0]);
        for (name, key) in ["X1", "X2", "X3", "Y1", "Y2"].iter().zip(&w) {
            text.push_str(&format!("witness {name} {key}\n"));
        }
        text.push_str("group X 2 X1 X2 X3\ngroup Y any Y1 Y2\ngroup both all X Y\nquorum both\n");
        let policy = read(&text).unwrap();
        assert_eq!(policy.to_string(), text);
        for (by, met) in
            [(&[0, 1, 3][..], true), (&[0, 2, 4], true), (&[0, 1], false), (&[0, 3, 4], false), (&[], false)]
        {
            let keys: Vec<_> = by.iter().map(|at| w[*at].clone()).collect();
            assert_eq!(policy.is_met_by(&keys), met, "{by:?}");
        }
        assert!(Policy::of_logs(logs()).is_met_by(&[]));
        assert!(Policy::witnessed(logs(), &w, 5).is_met_by(&w));
        assert!(!Policy::witnessed(logs(), &w, 5).is_met_by(&w[1..]));
    }
}
