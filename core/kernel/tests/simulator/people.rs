//! What people and the world do, one step at a time.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use placet_core::digest::Digest;
use placet_core::gate::{Finding, Gate, Ticket};
use placet_core::id::RequestId;
use placet_core::identity::Caller;
use placet_core::org::Interval;
use placet_core::org::command::{AssignRole, EndGrant};
use placet_core::request::Request;
use placet_core::testing::Seen;

use crate::sim::{Node, Sim};

impl Sim {
    /// One step: somebody does something, or something happens.
    pub(crate) fn step(self: &Arc<Self>) {
        let dice = &self.machine.dice;
        match dice.below(100) {
            0..12 => self.draft(),
            12..15 => self.edit(),
            15..20 => {
                self.author("plan", |gate, caller, id| gate.plan(&caller, id).map(|_plan| None));
            }
            20..26 => self.author("submit", |gate, caller, id| gate.submit(&caller, id).map(Some)),
            26..42 => self.approve(),
            42..44 => {
                self.author("reject", |gate, caller, id| gate.reject(&caller, id, "no").map(Some));
            }
            44..45 => {
                self.author("cancel", |gate, caller, id| gate.cancel(&caller, id, None).map(Some));
            }
            45..60 => self.execute(),
            60..62 => self.rerun(),
            62..66 => self.drive_late(),
            66..74 => self.verify(),
            74..75 => self.reconcile(),
            75..77 => self.author("stop", |gate, caller, id| gate.stop(&caller, id).map(Some)),
            77..83 => self.tick(),
            83..86 => self.renew(),
            86..89 => self.change_rights(),
            89..93 => {
                let ms = dice.below(40_000);
                self.pause_ms(ms);
            }
            93..96 => self.crash(),
            96..97 => self.machine.lose_power(),
            97..99 => self.jump(),
            _ => {
                // Mostly the one that was approved comes back.
                if self.plugin_version() == 2 || dice.chance(400) {
                    self.note("another plugin is installed".to_owned());
                    self.swap_plugin();
                }
            }
        }
        self.check();
    }

    fn is(&self, id: RequestId, state: &str) -> bool {
        self.machine.look(|content| {
            let body = content.body(&["request", &id.to_string()]);
            body.is_some_and(|body| body["state"]["state"] == *state)
        })
    }

    /// A request, mostly one in the state in which the verb makes sense.
    fn request_in(&self, state: &str) -> Option<RequestId> {
        let known = self.told().requests.clone();
        let ready: Vec<RequestId> =
            known.iter().copied().filter(|id| self.is(*id, state)).collect();
        let from = if self.machine.dice.chance(850) { &ready } else { &known };
        self.machine.dice.pick(from).copied()
    }

    fn anybody(&self) -> Caller {
        let office = &self.base.office;
        *self.machine.dice.pick(&[office.ana, office.bo, self.base.cy]).unwrap()
    }

    fn lead(&self) -> Caller {
        *self.machine.dice.pick(&[self.base.office.bo, self.base.cy]).unwrap()
    }

    fn payload(&self) -> String {
        let mut told = self.told();
        told.drafts += 1;
        format!("\"change {}\"", told.drafts)
    }

    fn draft(self: &Arc<Self>) {
        let known = self.told().requests.clone();
        let open = known.iter().filter(|id| self.is(**id, "PENDING_APPROVAL"));
        if open.count() >= 3 {
            return;
        }
        let office = &self.base.office;
        let author = if self.machine.dice.chance(950) { office.ana } else { self.lead() };
        let (payload, node) = (self.payload(), self.node());
        let mut change = office.change(&payload).unwrap();
        if self.machine.dice.chance(300) {
            // A batch: a canary, and one or two more.
            let more = ["second", "third"].into_iter().map(|name| name.parse().unwrap());
            let count = usize::try_from(1 + self.machine.dice.below(2)).unwrap();
            change = change.and_then_at(more.take(count), node.gate.limits()).unwrap();
        }
        let new = office.request(change);
        let Some(request) = self.call("draft", &node, |gate| gate.draft(&author, &new)) else {
            return;
        };
        self.acknowledge(&request);
        let id = request.header.id;
        self.told().requests.push(id);
        self.call("plan", &node, |gate| gate.plan(&author, id));
        if let Some(request) = self.call("submit", &node, |gate| gate.submit(&author, id)) {
            self.acknowledge(&request);
        }
    }

    fn edit(self: &Arc<Self>) {
        let payload = self.payload();
        let change = self.base.office.change(&payload).unwrap();
        self.author("edit", |gate, caller, id| gate.edit(&caller, id, "again", &change).map(Some));
    }

    /// A verb of somebody on some request. It may be delivered twice.
    fn author(
        self: &Arc<Self>,
        what: &'static str,
        verb: impl Fn(&Gate, Caller, RequestId) -> Result<Option<Request>, placet_core::error::Error>,
    ) {
        let wanted = match what {
            "verify" => "UNKNOWN",
            "stop" => "EXECUTING",
            "plan" | "submit" => "DRAFT",
            _ => "PENDING_APPROVAL",
        };
        // Mostly somebody who may.
        let caller = match wanted {
            _ if self.machine.dice.chance(250) => self.anybody(),
            "DRAFT" => self.base.office.ana,
            _ => self.lead(),
        };
        let Some(id) = self.request_in(wanted) else { return };
        let twice = self.machine.dice.chance(100);
        for again in 0..=u32::from(twice) {
            if again > 0 {
                self.machine.count("a call is delivered twice");
            }
            let node = self.node();
            let done = self.call(what, &node, |gate| verb(gate, caller, id));
            if let Some(Some(request)) = done {
                self.acknowledge(&request);
            }
        }
    }

    fn approve(self: &Arc<Self>) {
        let (Some(id), caller) = (
            self.request_in("PENDING_APPROVAL"),
            if self.machine.dice.chance(150) { self.anybody() } else { self.lead() },
        ) else {
            return;
        };
        let node = self.node();
        let Some(view) = self.call("view", &node, |gate| gate.view(&caller, id)) else { return };
        if let Some(digest) = view.digest {
            self.told().meant.insert(digest, view.change.payload.clone());
        }
        let stale: Vec<Digest> = self.told().meant.keys().copied().collect();
        let digest = match view.digest {
            Some(digest) if self.machine.dice.chance(850) => digest,
            Some(_) | None => match self.machine.dice.pick(&stale) {
                Some(digest) => *digest,
                None => return,
            },
        };
        // Noted before it is sent: a lost answer may be a yes.
        let meant = self.told().meant[&digest].clone();
        if Some(digest) == view.digest && caller.user() != self.base.office.ana.user() {
            self.told().yes.entry(meant).or_default().insert(caller.user());
        }
        for again in 0..=u32::from(self.machine.dice.chance(100)) {
            if again > 0 {
                self.machine.count("a call is delivered twice");
            }
            let node = self.node();
            let done = self.call("approve", &node, |gate| gate.approve(&caller, id, digest, None));
            if let Some(request) = done {
                self.check_right("approve", &caller);
                self.acknowledge(&request);
            }
        }
    }

    fn execute(self: &Arc<Self>) {
        self.start("execute", "APPROVED", Gate::execute);
    }

    /// Runs again what failed, or tries to.
    fn rerun(self: &Arc<Self>) {
        let state = if self.machine.dice.chance(900) { "FAILED" } else { "UNKNOWN" };
        self.start("rerun", state, Gate::rerun);
    }

    fn start(
        self: &Arc<Self>,
        what: &str,
        state: &str,
        verb: impl Fn(&Gate, &Caller, RequestId) -> Result<Ticket, placet_core::error::Error>,
    ) {
        let (Some(id), caller) = (self.request_in(state), self.lead()) else { return };
        let node = self.node();
        let Some(ticket) = self.call(what, &node, |gate| verb(gate, &caller, id)) else {
            return;
        };
        if what == "rerun" {
            self.machine.count("a run again");
        }
        self.check_right(what, &caller);
        self.check_agreed(id);
        self.told().leases.push((Arc::clone(&node), ticket.lease()));
        match self.machine.dice.below(10) {
            // Its driver hangs, and comes back later or never.
            0 => self.told().tickets.push((node, ticket)),
            1 => self.machine.count("a ticket is lost"),
            _ => self.drive(&node, ticket),
        }
    }

    fn drive(self: &Arc<Self>, node: &Arc<Node>, ticket: Ticket) {
        // Other calls are made in the middle, with faults of their own: `call` would mix them up.
        match node.gate.drive(ticket, &Seen::default()) {
            Ok(request) => {
                self.note(format!("drive: {}", request.state.name()));
                self.acknowledge(&request);
            }
            Err(error) => self.note(format!("drive: {}", error.code())),
        }
    }

    fn drive_late(self: &Arc<Self>) {
        let Some((node, ticket)) = self.told().tickets.pop() else { return };
        self.machine.count("a driver comes back late");
        self.drive(&node, ticket);
    }

    fn reconcile(self: &Arc<Self>) {
        let (Some(id), caller) = (self.request_in("UNKNOWN"), self.lead()) else { return };
        let finding =
            if self.machine.dice.chance(500) { Finding::Done } else { Finding::NothingDone };
        let node = self.node();
        // An answer may be lost: from here on the outcome may be a person's word.
        if self.is(id, "UNKNOWN") {
            self.told().declared.insert(id);
        }
        let done = self
            .call("reconcile", &node, |gate| gate.reconcile(&caller, id, finding, "looked at it"));
        if let Some(request) = done {
            self.check_right("reconcile", &caller);
            self.acknowledge(&request);
        }
    }

    fn tick(self: &Arc<Self>) {
        let node = self.node();
        self.call("tick", &node, Gate::tick);
    }

    /// A process stands still for longer than a lease, and the others go on without it.
    pub(crate) fn stall(self: &Arc<Self>) {
        self.tick();
        self.pause_ms(crate::sim::LEASE_MS + 1_000);
        self.tick();
        for _ in 0..self.machine.dice.below(3) {
            self.verify();
        }
    }

    fn verify(self: &Arc<Self>) {
        self.author("verify", |gate, caller, id| {
            gate.verify(&caller, id).map(|(request, _)| Some(request))
        });
    }

    fn renew(self: &Arc<Self>) {
        let key = {
            let mut told = self.told();
            told.leases.retain(|(node, _)| node.alive.load(Ordering::SeqCst));
            self.machine.dice.pick(&told.leases).map(|(node, key)| (Arc::clone(node), *key))
        };
        if let Some((node, key)) = key {
            self.call("renew", &node, |gate| gate.renew(key));
        }
    }

    /// Takes the role from a lead, or gives it back.
    fn change_rights(self: &Arc<Self>) {
        let (root, project) = (self.base.office.root, self.base.office.project);
        let (bo, cy) = (self.base.office.bo.user(), self.base.cy.user());
        // Rights that were taken away are mostly given back: without them nothing happens.
        let has = |user| self.told().holds.get(&user) == Some(&true);
        let user = match (has(bo), has(cy)) {
            (false, _) if self.machine.dice.chance(850) => bo,
            (_, false) if self.machine.dice.chance(850) => cy,
            _ => self.lead().user(),
        };
        let node = self.node();
        let Some(organisation) =
            self.call("organisation", &node, |gate| gate.organisation(&root, project))
        else {
            return;
        };
        let now = node.gate.now();
        let grant = organisation
            .grants
            .iter()
            .find(|grant| grant.user_id == user && grant.valid.contains(now))
            .map(|grant| grant.id);
        self.told().holds.remove(&user);
        let done = match grant {
            Some(grant) => self.call("end grant", &node, |gate| {
                gate.manage(&root, &EndGrant { project, grant, at: None }).map(|()| false)
            }),
            None => self.call("grant", &node, |gate| {
                let valid = Interval::starting(gate.now());
                let role = self.base.lead;
                gate.manage(&root, &AssignRole { project, user, role, valid }).map(|_| true)
            }),
        };
        if let Some(holds) = done {
            self.told().holds.insert(user, holds);
        }
    }

    fn crash(self: &Arc<Self>) {
        self.machine.count("a process dies");
        self.note("a process dies".to_owned());
        self.node().alive.store(false, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock by an hour.
    fn jump(self: &Arc<Self>) {
        self.machine.count("the clock jumps");
        let now = placet_core::clock::Clock::now(&*self.clock).as_micros();
        let hour = 3_600_000_000;
        let to = if self.machine.dice.chance(500) { now + hour } else { now - hour };
        self.note(format!("the clock jumps by {} h", (to - now) / hour));
        self.clock.set(placet_core::clock::Timestamp::from_micros(to));
    }
}
