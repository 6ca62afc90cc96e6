//! The log handed on to other tools, a piece at a time, each entry once.

use core::fmt;
use core::str::FromStr;

use crate::audit::{EventFormat, Leaf, leaf_hash};
use crate::authz::{Audit, Scope};
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::identity::Caller;

/// How far an export has come: which entries somebody has. Its text form is kept beside what was written.
///
/// It names the log and its last exported entry: a log that was rolled back or replaced is refused with
/// [`Code::LogTampered`], and another text with [`Code::InvalidInput`]. It gives no right to anything.
///
/// ```
/// use placet_core::audit::EventFormat;
/// use placet_core::gate::ExportToken;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let mut kept = gate.export_events(&office.root, &EventFormat::Ndjson, None, |_event| Ok(()))?;
/// let text = kept.to_string();
/// assert_eq!(text.parse::<ExportToken>()?, kept);
/// // There is nothing new: nothing is written.
/// kept = gate.export_events(&office.root, &EventFormat::Ndjson, Some(&kept), |_event| unreachable!())?;
/// assert_eq!(kept.to_string(), text);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExportToken {
    // The first half of a digest of the log's origin.
    log: String,
    next: u64,
    // The first half of the hash of the entry before `next`; zeros where there is none.
    last: String,
}

/// One entry on its way out.
///
/// ```
/// use placet_core::audit::EventFormat;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let (mut file, mut kept) = (String::new(), None);
/// gate.export_events(&office.root, &EventFormat::Cef, None, |event| {
///     file.push_str(event.text);
///     kept = Some(event.token.clone()); // with the text, or before nothing else
///     eprintln!("{} of {}", event.done, event.total);
///     Ok(())
/// })?;
/// assert_eq!(file.lines().count(), gate.audit(&office.root, 0)?.len());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ExportedEvent<'a> {
    /// Where it stands in the log.
    pub index: u64,
    /// The event in the form that was asked for.
    pub text: &'a str,
    /// Where to go on when this text is kept. Whoever keeps both together has each entry once, whatever happens.
    pub token: &'a ExportToken,
    /// How many entries this call has written with this one.
    pub done: u64,
    /// How many it will write.
    pub total: u64,
}

impl Gate {
    /// Hands the log on to other tools, from where `from` says, or from the start, to the present end: `write` gets each
    /// entry in the form asked for. For PLATFORM_ADMIN and AUDITOR, who are asked about again for each piece of
    /// [`crate::limits::Limits::page_rows_max`] entries, so that an export ends with the right to it. Answers where to go
    /// on the next time.
    ///
    /// An error of `write` stops the export and is handed on: the entry counts as not written. Nothing is kept in
    /// the store about an export. Fails with [`Code::Denied`] for everybody else, and with [`Code::LogTampered`] where
    /// `from` is of another log than this one.
    ///
    /// ```
    /// use placet_core::audit::EventFormat;
    /// use placet_core::error::{Code, Error};
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let (mut seen, mut kept) = (Vec::new(), None);
    /// let stopped = gate.export_events(&office.root, &EventFormat::Ocsf, None, |event| {
    ///     if event.done > 3 {
    ///         return Err(Error::new(Code::Cancelled, "the disk is full"));
    ///     }
    ///     seen.push(event.index);
    ///     kept = Some(event.token.clone());
    ///     Ok(())
    /// });
    /// assert_eq!((stopped.unwrap_err().code(), seen.len()), (Code::Cancelled, 3));
    ///
    /// gate.export_events(&office.root, &EventFormat::Ocsf, kept.as_ref(), |event| {
    ///     seen.push(event.index);
    ///     Ok(())
    /// })?;
    /// assert!((0..).zip(&seen).all(|(index, seen)| index == *seen));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn export_events(
        &self,
        caller: &Caller,
        format: &EventFormat,
        from: Option<&ExportToken>,
        mut write: impl FnMut(ExportedEvent<'_>) -> Result<(), Error>,
    ) -> Result<ExportToken, Error> {
        self.may_export(caller)?;
        let start = ExportToken::new(self.origin(), 0, None);
        let mut token = from.cloned().unwrap_or_else(|| start.clone());
        let end = self.parts.store.log_len()?;
        self.check_token(&token, &start, end)?;
        let total = end.saturating_sub(token.next);
        let page = self.parts.limits.page_rows_max.max(1);
        let mut done = 0_u64;
        while token.next < end {
            if done > 0 {
                self.may_export(caller)?;
            }
            let entries = self.parts.store.log_read(token.next, page)?;
            if entries.is_empty() {
                return Err(Error::new(
                    Code::StoreDamaged,
                    format!("log entry {} of {end} cannot be read", token.next),
                )
                .with_help("restore the store from a backup"));
            }
            for bytes in entries {
                let index = token.next;
                if index >= end {
                    break;
                }
                let leaf = Leaf::from_bytes(&bytes)?;
                let text = format.write(index, &leaf, self.origin())?;
                token = ExportToken::new(self.origin(), index.saturating_add(1), Some(&bytes));
                done = done.saturating_add(1);
                write(ExportedEvent { index, text: &text, token: &token, done, total })?;
            }
        }
        Ok(token)
    }

    fn may_export(&self, caller: &Caller) -> Result<(), Error> {
        self.consult(|txn| {
            let permit = txn.ask::<Audit>(caller.user(), Scope::Platform, "audit log")?;
            permit.spend_on(&Scope::Platform).map(drop)
        })
    }

    /// Refuses a token of another log, and of this one before it was rolled back.
    fn check_token(&self, token: &ExportToken, start: &ExportToken, end: u64) -> Result<(), Error> {
        let Some(last) = token.next.checked_sub(1) else {
            return if token == start { Ok(()) } else { Err(other_log()) };
        };
        if token.log != start.log || last >= end {
            return Err(other_log());
        }
        let entry = self.parts.store.log_read(last, 1)?;
        let now =
            entry.first().map(|bytes| ExportToken::new(self.origin(), token.next, Some(bytes)));
        if now.as_ref() == Some(token) { Ok(()) } else { Err(other_log()) }
    }
}

fn other_log() -> Error {
    Error::new(Code::LogTampered, "this log is not the one that was exported before").with_help(
        "compare its checkpoint with one that was kept; to export it from the start, give no token",
    )
}

impl ExportToken {
    fn new(origin: &str, next: u64, last: Option<&[u8]>) -> Self {
        let half = |digest: Digest| digest.to_string().chars().take(32).collect();
        let last = last.map_or(Digest::from_bytes([0; 32]), leaf_hash);
        Self { log: half(Digest::of(origin.as_bytes())), next, last: half(last) }
    }
}

impl fmt::Display for ExportToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exp_{}_{}_{}", self.log, self.next, self.last)
    }
}

impl FromStr for ExportToken {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.strip_prefix("exp_").unwrap_or_default().split('_').map(str::to_owned);
        let (log, next, last) = (parts.next(), parts.next(), parts.next());
        let is_half = |half: &String| {
            half.len() == 32 && half.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let token = match (
            log.filter(is_half),
            next.and_then(|next| next.parse().ok()),
            last.filter(is_half),
        ) {
            (Some(log), Some(next), Some(last)) => Some(Self { log, next, last }),
            _ => None,
        };
        // One spelling each.
        token.filter(|token| token.to_string() == text).ok_or_else(|| {
            let shown = crate::letters::shown(text);
            Error::new(Code::InvalidInput, format!("`{shown}` is not a token of an export"))
                .with_help("hand in the token that came with the last entry that was kept")
        })
    }
}
