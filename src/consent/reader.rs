//! Reads a signed payload field by field, so that every fault names its field, and no value is ever echoed.

use serde_json::{Map, Value};

use crate::domain::refusal::{Refusal, RefusalCode};

/// An object of the payload, and where it stands.
pub(super) struct Reader {
    path: String,
    fields: Map<String, Value>,
}

impl Reader {
    /// Reads the payload: canonical JSON (RFC 8785), so that one content has one form.
    pub(super) fn new(payload: &[u8], root: &str) -> Result<Self, Refusal> {
        let unreadable = |why| Refusal::at(RefusalCode::FormUnreadable, root, why);
        let value: Value = serde_json::from_slice(payload).map_err(|_| unreadable("is not JSON"))?;
        let canonical = serde_json_canonicalizer::to_vec(&value).map_err(|_| unreadable("is not JSON"))?;
        if canonical != payload {
            return Err(unreadable("is not canonical JSON (RFC 8785)"));
        }
        Self::of(value, root.to_owned())
    }

    fn of(value: Value, path: String) -> Result<Self, Refusal> {
        match value {
            Value::Object(fields) => Ok(Self { path, fields }),
            _ => Err(Refusal::at(RefusalCode::FormUnreadable, path, "must be an object")),
        }
    }

    /// Path of a field, for a fault found later.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// Whether there is something by this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    fn take(&mut self, name: &str, missing: RefusalCode) -> Result<Value, Refusal> {
        match self.fields.remove(name) {
            Some(Value::Null) | None => Err(Refusal::at(missing, self.path(name), "is missing")),
            Some(value) => Ok(value),
        }
    }

    /// A text; `missing` is the code if it is not there.
    pub(super) fn text(&mut self, name: &str, missing: RefusalCode) -> Result<String, Refusal> {
        match self.take(name, missing)? {
            Value::String(text) => Ok(text),
            _ => Err(Refusal::at(missing, self.path(name), "must be a text")),
        }
    }

    /// A text that parses.
    pub(super) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        code: RefusalCode,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Refusal> {
        let text = self.text(name, code)?;
        parse(&text).map_err(|fault| Refusal::at(code, self.path(name), fault))
    }

    /// A whole number from 1 to 9999.
    pub(super) fn number(&mut self, name: &str, code: RefusalCode) -> Result<u32, Refusal> {
        self.number_up_to(name, 9999, code)
    }

    /// A whole number from 1 to this.
    pub(super) fn number_up_to(&mut self, name: &str, most: u32, code: RefusalCode) -> Result<u32, Refusal> {
        let value = self.take(name, code)?;
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.filter(|number| (1..=most).contains(number)).ok_or_else(|| {
            Refusal::at(code, self.path(name), format_args!("must be a whole number from 1 to {most}"))
        })
    }

    /// A text with one accepted value.
    pub(super) fn must_be(&mut self, name: &str, text: &str, code: RefusalCode) -> Result<(), Refusal> {
        if self.text(name, code)? == text {
            return Ok(());
        }
        Err(Refusal::at(code, self.path(name), format_args!("must be `{text}`")))
    }

    /// A boolean that must be true.
    pub(super) fn must_be_true(&mut self, name: &str, code: RefusalCode) -> Result<(), Refusal> {
        match self.take(name, code)? {
            Value::Bool(true) => Ok(()),
            _ => Err(Refusal::at(code, self.path(name), "must be true")),
        }
    }

    /// An object inside this one.
    pub(super) fn object(&mut self, name: &str, missing: RefusalCode) -> Result<Self, Refusal> {
        Self::of(self.take(name, missing)?, self.path(name))
    }

    /// A list of objects.
    pub(super) fn objects(&mut self, name: &str, missing: RefusalCode) -> Result<Vec<Self>, Refusal> {
        let path = self.path(name);
        let Value::Array(values) = self.take(name, missing)? else {
            return Err(Refusal::at(missing, path, "must be a list"));
        };
        values.into_iter().enumerate().map(|(i, value)| Self::of(value, format!("{path}[{i}]"))).collect()
    }

    /// A list of texts; absent reads as empty if `optional`.
    pub(super) fn texts(
        &mut self,
        name: &str,
        code: RefusalCode,
        optional: bool,
    ) -> Result<Vec<String>, Refusal> {
        if optional && !self.has(name) {
            return Ok(Vec::new());
        }
        let path = self.path(name);
        let wrong = || Refusal::at(code, path.clone(), "must be a list of texts");
        let Value::Array(values) = self.take(name, code)? else { return Err(wrong()) };
        values.into_iter().map(|value| value.as_str().map(ToOwned::to_owned).ok_or_else(wrong)).collect()
    }

    /// The format: `v` is 2 and `typ` as expected.
    pub(super) fn format(&mut self, typ: &str) -> Result<(), Refusal> {
        let code = RefusalCode::FormUnreadable;
        if self.take("v", code)? != 2 {
            return Err(Refusal::at(code, self.path("v"), "must be 2, the version of this format"));
        }
        if self.text("typ", code)? != typ {
            return Err(Refusal::at(code, self.path("typ"), format!("must be `{typ}`")));
        }
        Ok(())
    }

    /// Nothing may be left: what the format does not know is refused, and not named, for it could say anything.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        if self.fields.is_empty() {
            return Ok(());
        }
        Err(Refusal::at(RefusalCode::FormUnreadable, self.path, "has a field that this format does not know"))
    }
}
