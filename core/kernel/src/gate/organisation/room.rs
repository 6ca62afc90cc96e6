//! Whether what a command does fits into one entry of the log, with all who will have agreed: told before it is agreed to.

use std::collections::BTreeMap;

use crate::audit::LEAF_BYTES_MAX;
use crate::error::{Code, Error};
use crate::gate::txn::Txn;
use crate::org::command::OrgCommand;
use crate::request::{Header, Quorum};

/// What a leaf takes that has neither decisions nor rows of the organisation, with the request, its two steps and its
/// run, in bytes.
const BASE_BYTES: usize = 2_000;

/// What one decision takes at most: who, what for, by which policies, and the four rows that made it a yes.
const DECISION_BYTES: usize = 420;

/// What one record takes beside its name: two digests.
const RECORD_BYTES: usize = 200;

/// What the governance of a project takes: its row, the epoch, and the names of the commands.
pub(super) const GOVERNANCE_BYTES: usize = 1_600;

/// What adopting a set of policies takes: its row, and two digests.
const POLICIES_BYTES: usize = 500;

impl Txn<'_> {
    /// Refuses a command whose entry in the log could not hold everybody who has to agree: it would be agreed to, and
    /// could never run.
    pub(in crate::gate) fn check_has_room(
        &mut self,
        header: &Header,
        payload: &str,
        quorum: &Quorum,
    ) -> Result<(), Error> {
        let command = OrgCommand::from_payload(payload)?;
        if matches!(command, OrgCommand::AdoptPolicies(_)) {
            return check_room(header, quorum, POLICIES_BYTES);
        }
        let asked = self.asked.clone();
        let known: BTreeMap<_, _> = self.names.clone();
        let before = self.mark();
        let facts = self.try_out(&command, header.requester);
        let new = self.names.iter().filter(|(key, _)| !known.contains_key(*key));
        let rows: usize = new.map(|(_, name)| name.len().saturating_add(RECORD_BYTES)).sum();
        self.take_back(before);
        self.asked = asked;
        let facts = facts?;
        let words = facts.iter().map(|(name, value)| name.len().saturating_add(value.len()));
        let words: usize = words.map(|bytes| bytes.saturating_add(16)).sum();
        check_room(header, quorum, rows.saturating_add(words))
    }
}

/// Refuses more than an entry holds. `bytes` is what the command's own rows and words take.
pub(super) fn check_room(header: &Header, quorum: &Quorum, bytes: usize) -> Result<(), Error> {
    // Who runs it is judged twice, who asked and who wrote it last once, and each approver once.
    let judged = usize::from(quorum.people()).saturating_add(header.authors().len().min(2));
    let decisions = judged.saturating_add(2).saturating_mul(DECISION_BYTES);
    let needed = BASE_BYTES.saturating_add(decisions).saturating_add(bytes);
    if needed <= LEAF_BYTES_MAX {
        return Ok(());
    }
    let people = quorum.people();
    let sentence = format!(
        "an entry of the log has no room for this command and the {people} people who would have to agree"
    );
    Err(Error::new(Code::TooLarge, sentence)
        .with_help("do less in one command, or ask for fewer approvals where commands are reviewed")
        .with_detail("bytes", needed)
        .with_detail("bytes_max", LEAF_BYTES_MAX))
}
