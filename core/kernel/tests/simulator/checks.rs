//! What must hold after every step: P1 to P6, each looked at from the side of those who were told.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use placet_core::audit::{DeepOptions, Leaf, verify_deep};
use placet_core::gate::Gate;
use placet_core::id::RequestId;
use placet_core::store::{Batch, Key, MemoryStore, Store as _};

use placet_core::testing::{is_derived, record_digest};

use crate::sim::{LEASE_MS, Sim};

impl Sim {
    pub(crate) fn check(&self) {
        self.check_kept();
        self.check_leaves();
        let requests = self.told().requests.clone();
        for id in requests {
            self.check_truth(id);
        }
    }

    /// P1: what was acknowledged is there.
    fn check_kept(&self) {
        let lost = {
            let told = self.told();
            self.machine.look(|content| {
                let mut lost = Vec::new();
                if (content.log.len() as u64) < told.log_len {
                    lost.push(format!(
                        "{} log entries, {} were seen",
                        content.log.len(),
                        told.log_len
                    ));
                }
                for (id, (len, state)) in &told.acknowledged {
                    let number = format!("{:010}", len.saturating_sub(1));
                    let entry = content.body(&["history", &id.to_string(), &number]);
                    let to = entry.as_ref().and_then(|entry| entry["to"].as_str());
                    if to != Some(state.as_str()) {
                        lost.push(format!("step {len} of {id}: {state} was told, {to:?} is there"));
                    }
                }
                lost
            })
        };
        for lost in lost {
            self.violated(format!("P1: {lost}"));
        }
    }

    /// P2: each record is the one that its last leaf names.
    fn check_leaves(&self) {
        let mut wrong = Vec::new();
        {
            let mut told = self.told();
            self.machine.look(|content| {
                if content.log.len() < told.compared {
                    // A power cut took what nobody had been told.
                    told.compared = 0;
                    told.last.clear();
                }
                let mut touched = BTreeSet::new();
                for entry in &content.log[told.compared..] {
                    for change in Leaf::from_bytes(entry).unwrap().records {
                        let before = told.last.insert(change.name.clone(), change.after).flatten();
                        if before != change.before {
                            wrong.push(format!("the leaf of {} follows another", change.name));
                        }
                        touched.insert(change.name);
                    }
                }
                told.compared = content.log.len();
                for name in touched {
                    let segments: Vec<&str> = name.split('/').collect();
                    let stored = content.pairs.get(&Key::from_segments(&segments));
                    let digest = stored.map(|stored| record_digest(&stored.value));
                    if digest != told.last[&name] {
                        wrong.push(format!("{name} is not what its leaf names"));
                    }
                }
            });
        }
        for wrong in wrong {
            self.violated(format!("P2: {wrong}"));
        }
    }

    /// P2 again, over everything: no record without a leaf.
    fn check_every_record(&self) {
        let mut wrong = Vec::new();
        {
            let told = self.told();
            self.machine.look(|content| {
                for (key, stored) in &content.pairs {
                    let text = String::from_utf8(key.as_bytes().to_vec()).unwrap();
                    let name = text.trim_end_matches('\0').replace('\0', "/");
                    let kind = name.split('/').next().unwrap();
                    let named = told.last.get(&name).copied().flatten();
                    if !is_derived(kind) && named != Some(record_digest(&stored.value)) {
                        wrong.push(name);
                    }
                }
            });
        }
        for wrong in wrong {
            self.violated(format!("P2: {wrong} has no leaf"));
        }
        // The product's own check, which also makes again what no leaf names.
        let copy = MemoryStore::default();
        self.machine.look(|content| {
            let pairs = content.pairs.iter();
            let all = pairs.fold(Batch::default(), |batch, (key, stored)| {
                batch.put(key.clone(), stored.value.clone())
            });
            copy.commit(all).unwrap();
            for entry in &content.log {
                copy.commit(Batch::default().append(entry.clone())).unwrap();
            }
        });
        let report = verify_deep(&copy, &DeepOptions::default(), |_| Ok(())).unwrap();
        for found in report.findings {
            self.violated(format!("P8: {found}"));
        }
    }

    /// P3 and the truth of outcomes: a change is made at most once, and is there exactly when it is said.
    fn check_truth(&self, id: RequestId) {
        let body = self.machine.look(|content| content.body(&["request", &id.to_string()]));
        let body = body.unwrap_or_default();
        let (header, state) = (&body["header"], &body["state"]);
        let name = state["state"].as_str().unwrap_or_default();
        // What is at work or over, and what of a batch is done.
        let latest = if name == "EXECUTING" { state } else { &state["ended"] };
        let approved = if latest.is_object() { &latest["approved"] } else { state };
        let done: Vec<&str> = approved["done"]
            .as_array()
            .map(|done| done.iter().filter_map(|one| one["target"].as_str()).collect())
            .unwrap_or_default();
        let then = header["then"].as_array().into_iter().flatten();
        let targets = std::iter::once(&header["target"]).chain(then);
        for target in targets.filter_map(|target| target.as_str()) {
            let made = self.target.effects_of(id, target);
            let is_true = match made {
                // A person may have been wrong.
                _ if self.told().declared.contains(&id) => true,
                2.. => false,
                _ if done.contains(&target) => made == 1,
                _ if latest["target"] == *target && matches!(name, "EXECUTING" | "UNKNOWN") => true,
                _ => made == 0,
            };
            if !is_true {
                let what =
                    format!("{id} is {name}, and its change was made {made} times at {target}");
                self.violated(format!("P3: {what}"));
            }
        }
    }

    /// P5 and P6 at a start: enough people who have the right for sure, or may have it, said yes.
    pub(crate) fn check_agreed(&self, id: RequestId) {
        let payload = self.machine.look(|content| {
            let request = content.body(&["request", &id.to_string()])?;
            let number = format!("{:010}", request["header"]["revision"].as_u64()?);
            let revision = content.body(&["revision", &id.to_string(), &number])?;
            revision["change"]["payload"].as_str().map(str::to_owned)
        });
        let told = self.told();
        let payload = payload.unwrap_or_default();
        let yes = told.yes.get(&payload).into_iter().flatten();
        let agreed = yes.filter(|user| told.holds.get(user) != Some(&false)).count();
        drop(told);
        if agreed < usize::from(self.yeses) {
            self.violated(format!("P5: {payload} was started with {agreed} yeses that count"));
        }
    }

    /// The end: the world is quiet again. P4: whatever ran is known, or known to be unknown, within two lease
    /// lengths; and what was unknown never ran again.
    pub(crate) fn settle(self: &Arc<Self>) {
        self.machine.faults_on.store(false, Ordering::SeqCst);
        self.told().tickets.clear();
        // One node that stays up is enough, and that it looks as often as it must: twice in the length of a lease.
        let node = self.node();
        self.call("tick", &node, Gate::tick);
        for _ in 0..4 {
            self.clock.advance_ms(LEASE_MS / 2);
            self.call("tick", &node, Gate::tick);
        }
        self.check();
        self.check_every_record();
        let requests = self.told().requests.clone();
        for id in requests {
            self.check_history(id);
        }
    }

    fn check_history(&self, id: RequestId) {
        let prefix = Key::from_segments(&["history", &id.to_string()]);
        let steps: Vec<(String, String)> = self.machine.look(|content| {
            let range = content.pairs.range(prefix.clone()..);
            let entries = range.take_while(|(key, _)| key.starts_with(&prefix));
            entries
                .map(|(_, stored)| {
                    let json: serde_json::Value = serde_json::from_slice(&stored.value).unwrap();
                    let text = |name: &str| json["body"][name].as_str().unwrap().to_owned();
                    (text("action"), text("to"))
                })
                .collect()
        });
        if steps.last().is_some_and(|(_, to)| to == "EXECUTING") {
            self.violated(format!("P4: {id} is still executing"));
        }
        let mut was_unknown = false;
        for (action, to) in steps {
            if was_unknown && to == "EXECUTING" {
                self.violated(format!("P4: {id} was unknown, and ran again by {action}"));
            }
            // What is known to have failed may be run again.
            was_unknown = match to.as_str() {
                "UNKNOWN" => true,
                "FAILED" | "APPROVED" => false,
                _ => was_unknown,
            };
        }
    }
}
