//! Version 0.1.0: its words are those of the host.

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, Store};

use super::{Compiled, Guest, Info, Ready};
use crate::bindings::types::{ChangePlan, Finding, Job, Outcome};
use crate::bindings::{Any, AnyPre, command, context, http, sql};
use crate::state::State;

pub(super) fn link(engine: &Engine, component: &Component) -> wasmtime::Result<Compiled> {
    let mut linker: Linker<State> = Linker::new(engine);
    context::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    let mut pure = linker.clone();
    pure.define_unknown_imports_as_traps(component)?;
    // One line for each interface that this host provides.
    sql::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    http::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    command::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    Ok(Compiled {
        pure: Box::new(AnyPre::new(pure.instantiate_pre(component)?)?),
        reaching: Box::new(AnyPre::new(linker.instantiate_pre(component)?)?),
    })
}

impl Ready for AnyPre<State> {
    fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Box<dyn Guest>> {
        Ok(Box::new(Self::instantiate(self, store)?))
    }
}

impl Guest for Any {
    fn describe(&self, store: &mut Store<State>) -> wasmtime::Result<Info> {
        self.placet_runner_runner().call_describe(store)
    }

    fn validate(&self, store: &mut Store<State>, payload: &str) -> wasmtime::Result<Vec<Finding>> {
        self.placet_runner_runner().call_validate(store, payload)
    }

    fn plan(
        &self,
        store: &mut Store<State>,
        job: &Job,
    ) -> wasmtime::Result<Result<ChangePlan, String>> {
        self.placet_runner_runner().call_plan(store, job)
    }

    fn execute(
        &self,
        store: &mut Store<State>,
        job: &Job,
        approved: &ChangePlan,
    ) -> wasmtime::Result<Outcome> {
        self.placet_runner_runner().call_execute(store, job, approved)
    }

    fn verify(
        &self,
        store: &mut Store<State>,
        job: &Job,
        approved: &ChangePlan,
    ) -> wasmtime::Result<Outcome> {
        self.placet_runner_runner().call_verify(store, job, approved)
    }
}
