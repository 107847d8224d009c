//! Reads JSON element by element. What is taken is used; what is left at the end is a loss if the standard has it, and a
//! fault if it has not. So nothing is passed over unseen.

use std::{collections::BTreeMap, str::FromStr};

use serde_json::Value;

use super::{
    elements::{EXTENSION, Shape, known},
    loss::{FhirFault, LossReport},
    terms::{List, OURS, extension},
};
use crate::domain::{Day, time::parse_day};

/// Deeper than any resource that is read, and shallower than what a recursion would mind.
const DEEPEST: usize = 24;
const NO_PLACE: &str = "has no place in the output, and is left out";

/// An object, where it stands, and what of it is still to be read. It prints nowhere: a citizen service number can be in it.
pub(super) struct Node<'a> {
    path: String,
    shape: Shape,
    left: BTreeMap<&'a str, &'a Value>,
    extensions: Vec<(usize, &'a Value)>,
}

impl<'a> Node<'a> {
    pub(super) fn new(value: &'a Value, path: impl Into<String>, shape: Shape) -> Result<Self, FhirFault> {
        let path = path.into();
        let Value::Object(fields) = value else { return Err(FhirFault::not(path, "an object")) };
        let mut left: BTreeMap<_, _> = fields.iter().map(|(name, value)| (name.as_str(), value)).collect();
        let mut extensions = Vec::new();
        if shape.names.contains(&"extension")
            && let Some(value) = left.remove("extension")
        {
            let Value::Array(items) = value else {
                return Err(FhirFault::not(format!("{path}.extension"), "an array"));
            };
            extensions = items.iter().enumerate().collect();
        }
        Ok(Self { path, shape, left, extensions })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn at(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    /// An element that stays to be read.
    pub(super) fn peek(&self, name: &str) -> Option<&'a Value> {
        self.left.get(name).copied()
    }

    /// Leaves an element out without a word, because it is read elsewhere or says nothing.
    pub(super) fn skip(&mut self, name: &str) {
        self.left.remove(name);
    }

    /// Refuses an element that narrows or changes what was consented to: to leave it out would widen the consent.
    pub(super) fn forbid(&self, name: &str, accepted: &str) -> Result<(), FhirFault> {
        if self.has(name) { Err(FhirFault::not(self.at(name), accepted)) } else { Ok(()) }
    }

    pub(super) fn text_opt(&mut self, name: &str) -> Result<Option<&'a str>, FhirFault> {
        match self.left.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(FhirFault::not(self.at(name), "a text")),
        }
    }

    pub(super) fn text(&mut self, name: &str, accepted: &str) -> Result<&'a str, FhirFault> {
        self.text_opt(name)?.ok_or_else(|| FhirFault::missing(self.at(name), accepted))
    }

    /// A text that must be this one.
    pub(super) fn fixed(&mut self, name: &str, text: &str) -> Result<(), FhirFault> {
        if self.text(name, text)? == text { Ok(()) } else { Err(FhirFault::not(self.at(name), text)) }
    }

    pub(super) fn parsed<T: FromStr>(&mut self, name: &str, accepted: &str) -> Result<T, FhirFault> {
        self.text(name, accepted)?.parse().map_err(|_| FhirFault::not(self.at(name), accepted))
    }

    pub(super) fn listed(&mut self, name: &str, list: &List) -> Result<&'static str, FhirFault> {
        let text = self.text(name, &list.accepted())?;
        list.find(text).ok_or_else(|| FhirFault::not(self.at(name), list.accepted()))
    }

    pub(super) fn day_opt(&mut self, name: &str) -> Result<Option<Day>, FhirFault> {
        let Some(text) = self.text_opt(name)? else { return Ok(None) };
        let day = parse_day(text).ok().filter(|day| day.to_string() == text);
        day.map(Some).ok_or_else(|| FhirFault::not(self.at(name), DAY))
    }

    pub(super) fn day(&mut self, name: &str) -> Result<Day, FhirFault> {
        self.day_opt(name)?.ok_or_else(|| FhirFault::missing(self.at(name), DAY))
    }

    pub(super) fn number_opt(&mut self, name: &str) -> Result<Option<u32>, FhirFault> {
        let Some(value) = self.left.remove(name) else { return Ok(None) };
        let number =
            value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
        number.map(Some).ok_or_else(|| FhirFault::not(self.at(name), NUMBER))
    }

    pub(super) fn number(&mut self, name: &str) -> Result<u32, FhirFault> {
        self.number_opt(name)?.ok_or_else(|| FhirFault::missing(self.at(name), NUMBER))
    }

    pub(super) fn flag_opt(&mut self, name: &str) -> Result<Option<bool>, FhirFault> {
        match self.left.remove(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(FhirFault::not(self.at(name), "true or false")),
        }
    }

    pub(super) fn node_opt(&mut self, name: &str, shape: Shape) -> Result<Option<Self>, FhirFault> {
        let path = self.at(name);
        self.left.remove(name).map(|value| Self::new(value, path, shape)).transpose()
    }

    pub(super) fn node(&mut self, name: &str, shape: Shape, accepted: &str) -> Result<Self, FhirFault> {
        self.node_opt(name, shape)?.ok_or_else(|| FhirFault::missing(self.at(name), accepted))
    }

    /// The values of a list; none if it is absent. FHIR has no empty lists.
    pub(super) fn values(&mut self, name: &str) -> Result<Vec<(String, &'a Value)>, FhirFault> {
        let path = self.at(name);
        match self.left.remove(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => {
                Ok(items.iter().enumerate().map(|(at, item)| (format!("{path}[{at}]"), item)).collect())
            }
            Some(_) => Err(FhirFault::not(path, "an array")),
        }
    }

    pub(super) fn nodes(&mut self, name: &str, shape: Shape) -> Result<Vec<Self>, FhirFault> {
        self.values(name)?.into_iter().map(|(path, value)| Self::new(value, path, shape)).collect()
    }

    /// The one item of a list.
    pub(super) fn only(&mut self, name: &str, shape: Shape, accepted: &str) -> Result<Self, FhirFault> {
        let mut items = self.nodes(name, shape)?;
        match (items.pop(), items.is_empty()) {
            (None, _) => Err(FhirFault::missing(self.at(name), accepted)),
            (Some(item), true) => Ok(item),
            (Some(_), false) => Err(FhirFault::not(self.at(name), format!("exactly one: {accepted}"))),
        }
    }

    /// A list of texts, for our own JSON.
    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<&'a str>, FhirFault> {
        let text = |(path, value): (String, &'a Value)| match value {
            Value::String(text) => Ok(text.as_str()),
            _ => Err(FhirFault::not(path, "a text")),
        };
        self.values(name)?.into_iter().map(text).collect()
    }

    fn extensions(&mut self, url: &str, name: &str) -> Result<Vec<Self>, FhirFault> {
        let is = |value: &Value| value.get("url").and_then(Value::as_str) == Some(url);
        let (found, rest) =
            std::mem::take(&mut self.extensions).into_iter().partition(|(_, value)| is(value));
        self.extensions = rest;
        let path = self.at("extension");
        let node = |(_, value): (usize, &'a Value)| {
            let mut node = Self::new(value, format!("{path}({name})"), EXTENSION)?;
            node.skip("url");
            Ok(node)
        };
        found.into_iter().map(node).collect()
    }

    /// The extension of ours by this name, if it is there.
    pub(super) fn extension(&mut self, name: &str) -> Result<Option<Self>, FhirFault> {
        self.single(&extension(name), name)
    }

    /// The extension of ours by this name.
    pub(super) fn needed_extension(&mut self, name: &str) -> Result<Self, FhirFault> {
        let path = self.at(&format!("extension({name})"));
        self.extension(name)?.ok_or_else(|| FhirFault::missing(path, extension(name)))
    }

    /// A part of a complex extension of ours.
    pub(super) fn part(&mut self, name: &str) -> Result<Self, FhirFault> {
        let path = self.at(&format!("extension({name})"));
        self.single(name, name)?.ok_or_else(|| FhirFault::missing(path, "this part of the extension"))
    }

    /// The parts of a complex extension of ours with this name.
    pub(super) fn parts(&mut self, name: &str) -> Result<Vec<Self>, FhirFault> {
        self.extensions(name, name)
    }

    fn single(&mut self, url: &str, name: &str) -> Result<Option<Self>, FhirFault> {
        let mut found = self.extensions(url, name)?;
        let one = found.pop();
        if found.is_empty() {
            return Ok(one);
        }
        Err(FhirFault::not(self.at(&format!("extension({name})")), "this extension at most once"))
    }

    /// Ends the reading: what is left is reported or refused.
    pub(super) fn finish(self, report: &mut LossReport) -> Result<(), FhirFault> {
        for (index, value) in &self.extensions {
            let path = self.at(&format!("extension[{index}]"));
            let url = value.get("url").and_then(Value::as_str).unwrap_or_default();
            // Inside a complex extension names have no scheme: one that was not read is an unknown part of ours.
            if !url.contains(':') || speaks_of_ours(value) {
                return Err(FhirFault::not(
                    path,
                    "the extensions of Sluis that docs/fhir.md has for this place",
                ));
            }
            report.add(path, "is an extension that Sluis does not know, and is left out");
        }
        for (name, value) in &self.left {
            let element = name.strip_prefix('_').unwrap_or(name);
            if !self.shape.names.contains(&element) {
                if self.shape.open {
                    report.add(self.path.as_str(), "has a member that has no place in FHIR here");
                    continue;
                }
                return Err(FhirFault::not(self.path, "the elements that FHIR R4, or a draft, has here"));
            }
            let path = self.at(name);
            if speaks_of_ours(value) {
                return Err(FhirFault::not(
                    path,
                    "the extensions of Sluis that docs/fhir.md has for this place",
                ));
            }
            report.add(path, NO_PLACE);
        }
        Ok(())
    }
}

const DAY: &str = "a whole day as in 2026-11-23";
const NUMBER: &str = "a whole number from 1";

/// Whether an extension anywhere inside says that it is ours.
fn speaks_of_ours(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            name == "url" && value.as_str().is_some_and(|url| url.contains(OURS)) || speaks_of_ours(value)
        }),
        Value::Array(items) => items.iter().any(speaks_of_ours),
        _ => false,
    }
}

/// Refuses what changes the meaning of everything around it, wherever it stands, and what is nested past reading.
pub(super) fn scan(value: &Value, path: &str, depth: usize) -> Result<(), FhirFault> {
    if depth > DEEPEST {
        return Err(FhirFault::not(path, "a resource that is nested less deep"));
    }
    match value {
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            let path = format!("{path}.{}", known(name.strip_prefix('_').unwrap_or(name)));
            match name.as_str() {
                "modifierExtension" => Err(FhirFault::not(path, "a resource without modifier extensions")),
                "implicitRules" => Err(FhirFault::not(path, "a resource without implicit rules")),
                _ => scan(value, &path, depth + 1),
            }
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, value)| scan(value, &format!("{path}[{index}]"), depth + 1)),
        Value::Null if !path.ends_with(']') => Err(FhirFault::not(path, "a value, or nothing")),
        _ => Ok(()),
    }
}
