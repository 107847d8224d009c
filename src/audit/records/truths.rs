//! What an outcome means to each of three logs. A denial is no error to the first, a failure to the second and a decision
//! like any other to the third; what broke is something else to all of them.

/// How something came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Decided, and something was released.
    Permitted,
    /// Decided, and nothing was released: refused, or nothing provided. Why is not told here (P09).
    Denied,
    /// Checked, with no decision about a client and nothing to release.
    Checked,
    /// Done as asked: a consent recorded, a look at the log.
    Done,
    /// Not decided: the gateway itself could not, with the code of what failed.
    Failed(&'static str),
    /// Not decided: the gateway stopped on the way, and closed it afterwards.
    Interrupted,
    /// The entry does not say, or is not what its leaf commits to.
    Unreadable,
}

/// Status of a span in *Logboek Dataverwerkingen*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanStatus {
    /// Carried out without an internal fault, whatever came of it.
    Unset,
    /// An internal fault.
    Error,
}

/// Outcome of a FHIR R4 AuditEvent, from the required list `audit-event-outcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOutcome {
    /// 0.
    Success,
    /// 4: the action did not succeed by no fault of the system; the list names HTTP 400 for comparison.
    MinorFailure,
    /// 8: the system failed; the list names HTTP 500 for comparison.
    SeriousFailure,
}

impl SpanStatus {
    /// The name in the standard.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "Unset",
            Self::Error => "Error",
        }
    }
}

impl AuditOutcome {
    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Success => "0",
            Self::MinorFailure => "4",
            Self::SeriousFailure => "8",
        }
    }
}

/// What a verdict is in each of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truths {
    /// To *Logboek Dataverwerkingen*.
    pub span: SpanStatus,
    /// What failed, where the span is an error (`exception.type`).
    pub exception: Option<&'static str>,
    /// To FHIR.
    pub audit: AuditOutcome,
    /// The decision, to the *Authorization Decision Log*; `None` where nothing was decided.
    pub decision: Option<bool>,
}

impl Verdict {
    /// The three truths, in one place so that none can drift from the others.
    ///
    /// A denial is outcome 4 and not 8, though an example of IHE BALP has 8: by the list's own definitions 8 is a system
    /// that failed, and whoever watches for failures must not be woken by every refusal. BALP asks for a failure, and 4 is
    /// one.
    #[must_use]
    pub const fn truths(self) -> Truths {
        let (span, exception, audit, decision) = match self {
            Self::Permitted => (SpanStatus::Unset, None, AuditOutcome::Success, Some(true)),
            Self::Denied => (SpanStatus::Unset, None, AuditOutcome::MinorFailure, Some(false)),
            Self::Checked | Self::Done => (SpanStatus::Unset, None, AuditOutcome::Success, None),
            Self::Failed(code) => (SpanStatus::Error, Some(code), AuditOutcome::SeriousFailure, None),
            Self::Interrupted => (SpanStatus::Error, Some("INTERRUPTED"), AuditOutcome::SeriousFailure, None),
            Self::Unreadable => {
                (SpanStatus::Error, Some("ENTRY_UNREADABLE"), AuditOutcome::SeriousFailure, None)
            }
        };
        Truths { span, exception, audit, decision }
    }
}
