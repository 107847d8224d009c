//! What a new version of the catalogue may change of a released one: nothing that somebody relies on. Grants, policies and
//! case systems hold codes and numbers for years.

use std::collections::BTreeMap;

use serde_json::Value;

/// A change that breaks what was released. Names codes and lists of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Break {
    /// A field is gone.
    #[error("{0} is gone")]
    FieldGone(String),
    /// A field has another place on the wire, another form, or other bounds: its code means something else now.
    #[error("{code} has another {what}")]
    FieldChanged {
        /// The code.
        code: String,
        /// What differs.
        what: &'static str,
    },
    /// A code that no field can have is a field now.
    #[error("{0} is never carried, and is a field now")]
    NeverCarried(String),
    /// A value of a list is gone.
    #[error("{list}.{value} is gone")]
    ValueGone {
        /// The list.
        list: String,
        /// The value.
        value: String,
    },
    /// The number of a value has another name, or another meaning in its instrument.
    #[error("{list}: number {number} is another value now")]
    ValueReused {
        /// The list.
        list: String,
        /// The number.
        number: i64,
    },
    /// A row that was never carried is left out no more.
    #[error("{0} is no longer named as never carried")]
    NoLongerNever(String),
    /// Something was added under the same version.
    #[error("{0} was added without a new version")]
    VersionNotRaised(String),
}

/// Everything in which a catalogue breaks a released one; both as `sluis catalogue --format json` prints them.
#[must_use]
pub fn breaks(released: &Value, now: &Value) -> Vec<Break> {
    let mut found = Vec::new();
    let (before, after) = (fields(released), fields(now));
    let never = |of: &Value| codes(of, "never_carried");
    for (code, was) in &before {
        let Some(is) = after.get(code) else {
            found.push(Break::FieldGone(code.clone()));
            continue;
        };
        for what in ["path", "number", "form", "sensitivity"] {
            if was.get(what) != is.get(what) {
                found.push(Break::FieldChanged { code: code.clone(), what });
            }
        }
    }
    for code in never(released) {
        if after.contains_key(&code) {
            found.push(Break::NeverCarried(code));
        } else if !never(now).contains(&code) {
            found.push(Break::NoLongerNever(code));
        }
    }
    let (old_lists, new_lists) = (lists(released), lists(now));
    for (list, values) in &old_lists {
        let empty = BTreeMap::new();
        let present = new_lists.get(list).unwrap_or(&empty);
        for (number, (name, instrument_code)) in values {
            match present.get(number) {
                None => found.push(Break::ValueGone { list: list.clone(), value: name.clone() }),
                Some((present, code)) if present != name || code != instrument_code => {
                    found.push(Break::ValueReused { list: list.clone(), number: *number });
                }
                Some(_) => {}
            }
        }
    }
    if released.get("version") == now.get("version") {
        let added = after.keys().filter(|code| !before.contains_key(*code)).cloned();
        let of_lists = new_lists.iter().flat_map(|(list, values)| {
            let known = old_lists.get(list);
            let new = values
                .iter()
                .filter(move |(number, _)| known.is_none_or(|known| !known.contains_key(number)));
            new.map(move |(_, (name, _))| format!("{list}.{name}"))
        });
        found.extend(added.chain(of_lists).map(Break::VersionNotRaised));
    }
    found
}

fn items<'a>(of: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    of.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text(of: &Value, name: &str) -> String {
    of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn codes(of: &Value, name: &str) -> Vec<String> {
    items(of, name).map(|row| text(row, "code")).collect()
}

/// Fields by code, those of MD too.
fn fields(of: &Value) -> BTreeMap<String, &Value> {
    let all = items(of, "groups").flat_map(|group| items(group, "fields")).chain(items(of, "metadata"));
    all.map(|field| (text(field, "code"), field)).collect()
}

/// Values by list and number: name, and code in the instrument.
fn lists(of: &Value) -> BTreeMap<String, BTreeMap<i64, (String, String)>> {
    let values = |list: &Value| {
        items(list, "values")
            .filter_map(|value| {
                let number = value.get("number")?.as_i64()?;
                Some((number, (text(value, "name"), text(value, "instrument_code"))))
            })
            .collect()
    };
    items(of, "lists").map(|list| (text(list, "name"), values(list))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The release that this version must keep to.
    const RELEASED: &str = include_str!("../../proto/released/catalogue-1.0.json");

    #[test]
    fn the_catalogue_keeps_what_was_released() {
        let released = serde_json::from_str(RELEASED).unwrap();
        let breaks = breaks(&released, &crate::catalogue::render::json());
        assert!(breaks.is_empty(), "{breaks:#?}\nsee proto/released/README.md");
    }

    fn broken(change: impl FnOnce(&mut Value)) -> Vec<Break> {
        let released: Value = serde_json::from_str(RELEASED).unwrap();
        let mut now = released.clone();
        change(&mut now);
        assert_ne!(released, now, "something changed");
        breaks(&released, &now)
    }

    #[test]
    fn a_code_neither_goes_nor_changes() {
        let field = |now: &mut Value, change: fn(&mut Value)| change(&mut now["groups"][0]["fields"][1]);
        let changed = |what| vec![Break::FieldChanged { code: "WT-02".to_owned(), what }];
        assert_eq!(broken(|now| field(now, |f| f["number"] = json!(40))), changed("number"));
        assert_eq!(broken(|now| field(now, |f| f["path"] = json!("working_hours.hours"))), changed("path"));
        assert_eq!(broken(|now| field(now, |f| f["form"] = json!("yes_no"))), changed("form"));
        assert_eq!(broken(|now| field(now, |f| f["sensitivity"] = json!("S0"))), changed("sensitivity"));
        let gone = |now: &mut Value| drop(now["groups"][0]["fields"].as_array_mut().unwrap().remove(1));
        assert_eq!(broken(gone), [Break::FieldGone("WT-02".to_owned())]);
        let wider = |now: &mut Value| {
            let field = &mut now["groups"][0]["fields"][4];
            assert_eq!(field["code"], "WT-05");
            field["form"]["number"]["max"] = json!(100);
        };
        assert_eq!(broken(wider), [Break::FieldChanged { code: "WT-05".to_owned(), what: "form" }]);
    }

    #[test]
    fn labels_and_definitions_may_get_better() {
        assert_eq!(broken(|now| now["groups"][0]["fields"][1]["label_nl"] = json!("Uren op een dag")), []);
    }

    #[test]
    fn what_is_never_carried_stays_out() {
        let reused = |now: &mut Value| {
            let mut field = now["groups"][0]["fields"][1].clone();
            field["code"] = json!("AV-10");
            now["version"] = json!("1.1");
            now["groups"][0]["fields"].as_array_mut().unwrap().push(field);
        };
        assert_eq!(broken(reused), [Break::NeverCarried("AV-10".to_owned())]);
        let silent = |now: &mut Value| drop(now["never_carried"].as_array_mut().unwrap().remove(0));
        assert_eq!(broken(silent), [Break::NoLongerNever("FO-09".to_owned())]);
    }

    #[test]
    fn values_keep_their_numbers_and_a_new_one_needs_a_version() {
        let first = |now: &mut Value| now["lists"][0]["name"].as_str().unwrap().to_owned();
        let mut list = String::new();
        let renamed = broken(|now| {
            list = first(now);
            now["lists"][0]["values"][0]["name"] = json!("SOMETHING_ELSE");
        });
        assert_eq!(renamed, [Break::ValueReused { list: list.clone(), number: 1 }]);
        let gone = broken(|now| drop(now["lists"][0]["values"].as_array_mut().unwrap().remove(0)));
        assert!(matches!(&gone[..], [Break::ValueGone { list: of, .. }] if *of == list), "{gone:?}");
        let add = |now: &mut Value| {
            let value = json!({ "number": 99, "name": "NEW", "instrument_code": "" });
            now["lists"][0]["values"].as_array_mut().unwrap().push(value);
        };
        assert_eq!(broken(add), [Break::VersionNotRaised(format!("{list}.NEW"))]);
        assert_eq!(
            broken(|now| {
                add(now);
                now["version"] = json!("1.1");
            }),
            []
        );
    }
}
