//! What plugins may reach: the commands of administrators, the host's own word where nobody gave another, and the
//! judgement that every way to a plugin goes through.

use super::administer::{PlatformCommand, PlatformDesk};
use crate::audit::Event;
use crate::authz::{Audit, Scope};
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::txn::Txn;
use crate::identity::Caller;
use crate::org::command::{GrantPlugin, RevokePluginGrant};
use crate::org::{CAPABILITIES_MAX, GrantStanding, PluginGrant, Slug};
use crate::runner::{RunnerInfo, own};
use crate::store::records;

impl Gate {
    /// What each runner plugin may reach, as the host or an administrator said. For PLATFORM_ADMIN and AUDITOR.
    ///
    /// Fails with [`Code::Denied`] for everybody else.
    ///
    /// ```
    /// # let (gate, office) = placet_core::testing::Office::in_memory()?;
    /// use placet_core::org::command::GrantPlugin;
    ///
    /// let (runner, capabilities) = ("mail".parse()?, ["http".parse()?].into());
    /// let grant = GrantPlugin { runner, digest: None, capabilities, dry_run: false };
    /// gate.administer(&office.root, &grant)?;
    /// assert_eq!(gate.plugin_grants(&office.root)?[0].capabilities, grant.capabilities);
    /// assert!(gate.plugin_grants(&office.ana).is_err());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn plugin_grants(&self, caller: &Caller) -> Result<Vec<PluginGrant>, Error> {
        self.consult(|txn| {
            let what = "list of what plugins may reach";
            let permit = txn.ask::<Audit>(caller.user(), Scope::Platform, what)?;
            permit.spend_on(&Scope::Platform)?;
            self.scan_all(&records::key_of::<PluginGrant>(&[]))
        })
    }
}

impl Txn<'_> {
    /// What is recorded of the plugin of `runner`.
    pub(in crate::gate) fn plugin_grant(
        &mut self,
        runner: &Slug,
    ) -> Result<Option<PluginGrant>, Error> {
        self.get::<PluginGrant>(&[runner.as_str()])
    }

    /// Refuses the plugin that is installed here as `runner`, where it asks for more than it was granted. Where none is
    /// installed, another node has it, and judges what it has when it is about to enter it.
    pub(in crate::gate) fn check_granted(&mut self, runner: &Slug) -> Result<(), Error> {
        // Nobody but the host was asked as long as nothing is recorded, and it installed the plugin.
        let Some(grant) = self.plugin_grant(runner)?.filter(|_| !own::is_own(runner)) else {
            return Ok(());
        };
        grant.check_stands()?;
        self.gate.described(runner)?.map_or(Ok(()), |info| grant.check(&info))
    }

    /// Refuses the plugin that says `info` of itself, where it asks for more than was granted to `runner`.
    pub(in crate::gate) fn check_grant_of(
        &mut self,
        runner: &Slug,
        info: &RunnerInfo,
    ) -> Result<(), Error> {
        if own::is_own(runner) {
            return Ok(());
        }
        match self.plugin_grant(runner)? {
            Some(grant) => grant.check(info),
            // What could not be recorded is not entered either.
            None => PluginGrant::of_host(runner, info).map(drop),
        }
    }

    /// The same for a plugin whose word is about to be kept: what the host lets it reach is recorded where nothing is.
    pub(in crate::gate) fn admit_plugin(
        &mut self,
        runner: &Slug,
        info: &RunnerInfo,
    ) -> Result<(), Error> {
        if own::is_own(runner) {
            return Ok(());
        }
        if let Some(grant) = self.plugin_grant(runner)? {
            return grant.check(info);
        }
        let grant = PluginGrant::of_host(runner, info)?;
        self.first_grant = Some(grant.whole_words());
        self.put(&grant)
    }

    /// Whether a plan of `runner` may try its statements, as far as administrators are concerned.
    pub(in crate::gate) fn may_dry_run(&mut self, runner: &Slug) -> Result<bool, Error> {
        Ok(self.plugin_grant(runner)?.is_none_or(|grant| grant.dry_run))
    }
}

/// The gate carries out commands of the organisation itself: they ask for nothing.
fn check_is_a_plugin(runner: &Slug) -> Result<(), Error> {
    if !own::is_own(runner) {
        return Ok(());
    }
    Err(Error::new(Code::InvalidInput, format!("the runner `{runner}` is no plugin"))
        .with_help("name a runner that the host installed"))
}

impl PlatformCommand for GrantPlugin {
    type Output = ();
    const EVENT: Event = Event::PlatformPluginGranted;

    fn apply(&self, desk: &mut PlatformDesk<'_, '_>) -> Result<(), Error> {
        check_is_a_plugin(&self.runner)?;
        let count = self.capabilities.len();
        if count > CAPABILITIES_MAX {
            let sentence = format!("{count} capabilities; the limit is {CAPABILITIES_MAX}");
            return Err(Error::new(Code::TooLarge, sentence)
                .with_help("grant what the plugin asks for: `placet plugin check` lists it"));
        }
        let Self { runner, digest, capabilities, dry_run } = self.clone();
        let standing = GrantStanding::Granted;
        let grant = PluginGrant { runner, digest, capabilities, dry_run, standing };
        desk.note("runner", &grant.runner);
        desk.note("capabilities", &grant.words());
        desk.note("digest", &digest.map_or_else(|| "any".to_owned(), |digest| digest.to_string()));
        desk.note("dry_run", &dry_run);
        desk.txn().put(&grant)
    }
}

impl PlatformCommand for RevokePluginGrant {
    type Output = ();
    const EVENT: Event = Event::PlatformPluginRevoked;

    fn apply(&self, desk: &mut PlatformDesk<'_, '_>) -> Result<(), Error> {
        let runner = &self.runner;
        check_is_a_plugin(runner)?;
        desk.note("runner", runner);
        let before = desk.txn().plugin_grant(runner)?;
        if before.as_ref().is_some_and(|grant| grant.standing == GrantStanding::Revoked) {
            let sentence = format!("the grant of runner `{runner}` was revoked before");
            return Err(
                Error::new(Code::WrongState, sentence).with_help("nothing needs to be done")
            );
        }
        // One that nobody used yet is kept from being used: what the host links for it counts no more.
        let standing = GrantStanding::Revoked;
        let (digest, capabilities) =
            before.map_or_else(Default::default, |grant| (grant.digest, grant.capabilities));
        let runner = runner.clone();
        desk.txn().put(&PluginGrant { runner, digest, capabilities, dry_run: false, standing })
    }
}
