//! What the host's own checks said of a change.

use crate::audit::Event;
use crate::authz::ReportCheck;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::find::{Note, subject};
use crate::gate::txn::Txn;
use crate::id::RequestId;
use crate::identity::Caller;
use crate::org::Slug;
use crate::request::{Check, CheckStatus, State, action};
use crate::store::records;

/// What a check said of exactly one change.
///
/// ```
/// use placet_core::error::Code;
/// use placet_core::gate::CheckReport;
/// use placet_core::request::CheckStatus;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let header = office.pending(&gate)?.header;
/// let (digest, name) = (header.change_digest()?, "tests".parse()?);
/// let report = CheckReport { digest, name, status: CheckStatus::Passed, details: String::new() };
/// // It takes a right of its own.
/// let error = gate.report_check(&office.ana, header.id, &report).unwrap_err();
/// assert_eq!(error.code(), Code::Denied);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a report is written out by its caller")]
pub struct CheckReport {
    /// The change digest of what was checked.
    pub digest: Digest,
    /// What the check is called, such as `tests`.
    pub name: Slug,
    /// How it ended.
    pub status: CheckStatus,
    /// What there is to say of it. It can be erased.
    pub details: String,
}

/// The most checks of one request.
const CHECKS_MAX: usize = 32;

impl Gate {
    /// Notes what a check of the host's said of exactly what `report` names by its digest. It takes the action `check`, and
    /// nobody vouches for what they wrote. A later report of the same name takes the place of the former one.
    ///
    /// Fails with [`Code::DigestMismatch`] when the request asks for something else by now, with [`Code::Refused`] for
    /// an author, with [`Code::WrongState`] once it runs or is over, with [`Code::InvalidInput`] for details that mislead,
    /// and with [`Code::TooLarge`] over [`crate::limits::Limits::text_bytes_max`] bytes of them or over 32 checks.
    ///
    /// ```
    /// use placet_core::gate::CheckReport;
    /// use placet_core::org::{Block, Conditions, command::PutBlockingRule};
    /// use placet_core::request::CheckStatus;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let ci = office.with_check(&gate)?;
    /// let (project, name, when) = (office.project, "tested".parse()?, Conditions::default());
    /// let block = Block::Check("tests".parse()?);
    /// gate.manage(&office.root, &PutBlockingRule { project, rule: None, name, when, block })?;
    ///
    /// let header = office.pending(&gate)?.header;
    /// let digest = header.change_digest()?;
    /// assert!(gate.approve(&office.bo, header.id, digest, None).is_err());
    /// let (name, details) = ("tests".parse()?, "12 ran".to_owned());
    /// let report = CheckReport { digest, name, status: CheckStatus::Passed, details };
    /// gate.report_check(&ci, header.id, &report)?;
    /// assert!(gate.approve(&office.bo, header.id, digest, None).is_ok());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn report_check(
        &self,
        caller: &Caller,
        id: RequestId,
        report: &CheckReport,
    ) -> Result<Check, Error> {
        self.check_comment(&report.details, false)?;
        self.transact(|txn| {
            let request = txn.request(id)?;
            let scope = request.header.scope();
            let permit = txn.ask::<ReportCheck>(caller.user(), scope, &subject(id))?;
            let (by, _) = permit.spend_on(&scope)?;
            match request.state {
                State::Draft(_)
                | State::PendingApproval(_)
                | State::ChangesRequested(_)
                | State::Approved(_) => {}
                State::Rejected(_)
                | State::Cancelled(_)
                | State::Executing(_)
                | State::Succeeded(_)
                | State::Failed(_)
                | State::Unknown(_) => return Err(request.wrong_state("checked")),
            }
            let authors = request.header.authors();
            if [Some(by), caller.principal()].into_iter().flatten().any(|it| authors.contains(&it))
            {
                return Err(Error::new(
                    Code::Refused,
                    format!("`{by}` wrote `{id}` and cannot vouch for it"),
                )
                .with_help("let another principal report its checks"));
            }
            if request.header.change_digest()? != report.digest {
                return Err(Error::new(
                    Code::DigestMismatch,
                    format!("this check is not of what `{id}` asks for now"),
                )
                .with_help("read the request again, and check what its digest names"));
            }
            txn.keep_room_for(id, &report.name)?;
            let check = Check {
                request: id,
                name: report.name.clone(),
                digest: report.digest,
                status: report.status,
                details: report.details.clone(),
                by,
                on_behalf_of: caller.principal(),
                at: txn.now,
            };
            txn.put(&check)?;
            let from = Some(request.state.name());
            let note = Note { caller: Some(caller), verb: action::CHECK, from, comment: None };
            let request = txn.save(request, &note)?;
            let event = Event::RequestCheckReported;
            let mut leaf = Self::request_leaf(txn, event, Some(caller), &request);
            leaf.facts.insert("check".to_owned(), check.name.to_string());
            leaf.facts.insert("status".to_owned(), check.status.as_str().to_owned());
            Ok((check, leaf))
        })
    }

    /// The checks of a request, by name, also those of what it asked for before.
    pub(in crate::gate) fn checks(&self, id: RequestId) -> Result<Vec<Check>, Error> {
        self.scan_all(&records::key_of::<Check>(&[&id.to_string()]))
    }
}

impl Txn<'_> {
    /// Refuses one check too many. Reports of one request come one after the other: each writes the request.
    fn keep_room_for(&mut self, id: RequestId, name: &Slug) -> Result<(), Error> {
        if self.get::<Check>(&[&id.to_string(), name.as_str()])?.is_some()
            || self.gate.checks(id)?.len() < CHECKS_MAX
        {
            return Ok(());
        }
        let sentence = format!("`{id}` has {CHECKS_MAX} checks already");
        Err(Error::new(Code::TooLarge, sentence).with_help("report several of them as one"))
    }
}
