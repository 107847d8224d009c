//! Goes through a profile along the schema and puts what it says into a draft. The first fault ends it.

use super::{
    composite::{Items, Parts},
    node::Node,
    schema::{PROFILE, PartType, Property, Shape},
};
use crate::{
    catalogue::{Field, Form},
    proto,
    source::adapters::{
        draft::{Draft, Words},
        fault::Reason,
        guard::{Expected, guard},
        record::{Intake, NotCarried},
        sbi,
    },
};

/// Maps a profile. A fault has the JSON path of its place, in names of the schema and numbers.
pub(super) fn map(profile: &Node, intake: &mut dyn Intake) -> Result<Draft, (String, Reason)> {
    let mut walk = Walk { path: "$".to_owned(), draft: Draft::default(), items: Items::default(), intake };
    match walk.object(profile, PROFILE, &mut Parts::new()) {
        Ok(()) => {
            let Walk { mut draft, items, path, .. } = walk;
            items.finish(&mut draft).map_err(|reason| (path, reason))?;
            Ok(draft)
        }
        Err(reason) => Err((walk.path, reason)),
    }
}

struct Walk<'a> {
    /// Where it is. After a fault, where the fault is.
    path: String,
    draft: Draft,
    items: Items,
    intake: &'a mut dyn Intake,
}

impl Walk<'_> {
    /// Goes one step down, and back up if there was no fault there.
    fn within(
        &mut self,
        step: &str,
        there: impl FnOnce(&mut Self) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        let length = self.path.len();
        self.path.push_str(step);
        there(self)?;
        self.path.truncate(length);
        Ok(())
    }

    fn object(
        &mut self,
        node: &Node,
        properties: &'static [Property],
        parts: &mut Parts,
    ) -> Result<(), Reason> {
        let Node::Object(entries) = node else { return Err(Reason::Type) };
        for (at, (name, value)) in entries.iter().enumerate() {
            let known = properties.iter().find(|(property, _)| property == name);
            let repeated = entries.iter().take(at).any(|(earlier, _)| earlier == name);
            // A name that is not known is not repeated: it could say anything.
            let step = known.map_or_else(|| format!("[property {}]", at + 1), |(name, _)| format!(".{name}"));
            self.within(&step, |walk| {
                // A name of the closed list says nothing beyond it.
                let Some((name, shape)) = known else {
                    return Err(guard(name, Expected::Name).map_or(Reason::Unknown, Reason::Detected));
                };
                if repeated {
                    return Err(Reason::Twice);
                }
                walk.value(value, name, shape, parts)
            })?;
        }
        Ok(())
    }

    fn list(
        &mut self,
        node: &Node,
        mut each: impl FnMut(&mut Self, &Node) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        let Node::List(items) = node else { return Err(Reason::Type) };
        for (at, item) in items.iter().enumerate() {
            self.within(&format!("[{at}]"), |walk| each(walk, item))?;
        }
        Ok(())
    }

    fn value(
        &mut self,
        node: &Node,
        name: &'static str,
        shape: &'static Shape,
        parts: &mut Parts,
    ) -> Result<(), Reason> {
        // What is null is not stated.
        if matches!(node, Node::Null) {
            return Ok(());
        }
        match shape {
            Shape::Object(properties) => return self.object(node, properties, parts),
            Shape::List(shape) => {
                return self.list(node, |walk, item| walk.value(item, name, shape, &mut Parts::new()));
            }
            Shape::Items(kind, properties) => {
                return self.list(node, |walk, item| {
                    let mut parts = Parts::new();
                    walk.object(item, properties, &mut parts)?;
                    walk.items.add(*kind, &parts, &mut walk.draft).map_err(|(part, reason)| {
                        if let Some(part) = part {
                            walk.path.push('.');
                            walk.path.push_str(part);
                        }
                        reason
                    })
                });
            }
            Shape::Integer(field) => self.integer(node, *field, i64::MAX)?,
            Shape::IntegerUpTo(field, most) => self.integer(node, *field, *most)?,
            Shape::Code(field) | Shape::Day(field) => {
                self.draft.put(*field, text(node, Expected::Code)?, Words::Codes)?;
            }
            Shape::Postcode(field) => {
                let area = area(text(node, Expected::Postcode)?).ok_or(Reason::NotAPostcode)?;
                self.draft.number(*field, area)?;
            }
            Shape::Sbi(field) => {
                self.draft.put(*field, sbi::section(whole(node)?)?, Words::Codes)?;
            }
            Shape::Country(field) => self.country(text(node, Expected::Code)?, *field)?,
            Shape::Part(PartType::Integer) => drop(parts.insert(name, whole(node)?.to_string())),
            Shape::Part(PartType::Text) => {
                parts.insert(name, text(node, Expected::Code)?.to_owned());
            }
            Shape::Client => drop(text(node, Expected::Key)?),
            Shape::Text(why, expected) => {
                if !text(node, *expected)?.is_empty() {
                    self.left_out(*why);
                }
            }
            Shape::Digits(why) => {
                whole(node)?;
                self.left_out(*why);
            }
        }
        Ok(())
    }

    fn integer(&mut self, node: &Node, field: Field, most: i64) -> Result<(), Reason> {
        let number = whole(node)?;
        if number > most {
            return Err(Reason::NotACode);
        }
        if matches!(field.entry().form, Form::Number { .. }) {
            self.draft.number(field, number)?;
        } else {
            self.draft.put(field, &number.to_string(), Words::Codes)?;
        }
        Ok(())
    }

    fn country(&mut self, code: &str, field: Field) -> Result<(), Reason> {
        if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(Reason::NotACode);
        }
        if self.draft.put(field, code, Words::Codes).is_err() {
            self.draft.flag(field, proto::Country::Other as i32);
        }
        Ok(())
    }

    /// Tells of a property that is not carried, by its path without the numbers of items.
    fn left_out(&mut self, why: NotCarried) {
        let (mut name, mut inside) = (String::new(), false);
        for c in self.path.trim_start_matches("$.").chars() {
            match c {
                '[' => inside = true,
                ']' => inside = false,
                c if !inside => name.push(c),
                _ => {}
            }
        }
        self.intake.not_carried(&name, why);
    }
}

fn text(node: &Node, expected: Expected) -> Result<&str, Reason> {
    let Node::Text(text) = node else { return Err(Reason::Type) };
    guard(text, expected).map_or(Ok(text), |detector| Err(Reason::Detected(detector)))
}

fn whole(node: &Node) -> Result<i64, Reason> {
    if let Node::Integer(number) = node { Ok(*number) } else { Err(Reason::Type) }
}

/// The four digits of a postcode: `1234AB`, in either case, without the three pairs that are never given out.
fn area(postcode: &str) -> Option<i64> {
    let (digits, letters) = postcode.split_at_checked(4)?;
    let given = letters.len() == 2
        && letters.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !["SA", "SD", "SS"].contains(&letters.to_uppercase().as_str());
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    (given && number >= 1000).then_some(number)
}
