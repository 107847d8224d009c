//! How the demo tells its story: readable lines, or one JSON object per step.

use std::{fmt::Display, io::Write as _};

use serde::Serialize;

use crate::domain::{Clock as _, time::SystemClock};

/// One step of the story, as `--json` prints it.
#[derive(Debug, Serialize)]
pub struct Step<'a> {
    /// Short name.
    pub step: &'a str,
    /// What should happen.
    pub expect: &'a str,
    /// What happened.
    pub outcome: &'a str,
    /// Whether it did.
    pub ok: bool,
    /// Which instance of the gateway it was played through, from 1; absent where there is only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<usize>,
}

/// Tells steps, and remembers whether all of them held.
#[derive(Debug)]
pub struct Teller {
    json: bool,
    count: u32,
    held: bool,
    instance: Option<usize>,
}

fn line(text: impl Display) {
    // A reader that has gone away is no fault of the story.
    drop(writeln!(std::io::stdout(), "{text}"));
}

impl Teller {
    /// Tells in lines, or in JSON.
    #[must_use]
    pub const fn new(json: bool) -> Self {
        Self { json, count: 0, held: true, instance: None }
    }

    /// Notes which instance of the gateway the next step is played through.
    pub const fn through(&mut self, instance: Option<usize>) {
        self.instance = instance;
    }

    /// Tells a step. `details` are further lines for people.
    pub fn tell(&mut self, step: &str, expect: &str, outcome: &str, ok: bool, details: &[String]) {
        self.count += 1;
        self.held &= ok;
        let instance = self.instance.take();
        if self.json {
            let step = Step { step, expect, outcome, ok, instance };
            line(serde_json::to_string(&step).unwrap_or_default());
            return;
        }
        line(format_args!("\n{:>2}. {}", self.count, expect));
        line(format_args!("    {}  {}", SystemClock.now(), if ok { "held" } else { "DID NOT HOLD" }));
        line(format_args!("    {outcome}"));
        if let Some(instance) = instance {
            line(format_args!("      through gateway {instance}"));
        }
        for detail in details {
            line(format_args!("      {detail}"));
        }
    }

    /// A line for people; nothing in JSON.
    pub fn say(&self, text: impl Display) {
        if !self.json {
            line(text);
        }
    }

    /// Whether every step held.
    #[must_use]
    pub const fn held(&self) -> bool {
        self.held
    }

    /// How many steps were told.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }
}
