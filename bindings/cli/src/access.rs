//! Why, and who can.

use clap::Args;
use placet::authz::{Action, Language, Paging, Question};
use placet::clock::Timestamp;
use placet::error::Error;
use serde_json::{Value, json};

use crate::console::{Answer, json_of};
use crate::ground::Ground;
use crate::names::Names;
use crate::text::{Mood, Text};

/// Says why a user may or may not do something, what would change it and until when. It ends with 1 where they
/// may not. It is about no request: that nobody approves what they wrote is no part of it.
#[derive(Args, Debug)]
pub(crate) struct Why {
    /// The user, by id or e-mail address.
    user: String,
    /// The action, such as `approve`.
    action: Action,
    /// The place: `platform`, `shop`, or `shop/pagos/prod`.
    place: String,
    /// The instant, in RFC 3339. The default is now.
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
    /// In Spanish.
    #[arg(long)]
    spanish: bool,
}

impl Why {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let names = Names::new(&gate, &caller);
        let question = Question {
            user: names.user(&self.user)?,
            scope: names.place(&self.place)?,
            action: self.action,
            at: self.at.unwrap_or_else(|| gate.now()),
        };
        let explained = gate.explain(&caller, &question)?;
        let language = if self.spanish { Language::Spanish } else { Language::English };
        let (sentence, allowed) = (explained.sentence(language), explained.answer.is_allowed());
        let mut text = Text::default();
        let (mood, word) = if allowed { (Mood::Good, "yes") } else { (Mood::Bad, "no") };
        text.said(mood, word, &sentence);
        let json = json!({
            "allowed": allowed,
            "user": question.user.to_string(),
            "action": question.action.as_str(),
            "scope": json_of(&question.scope)?,
            "at": question.at.to_string(),
            "sentence": sentence,
            "answer": explained.answer.to_string(),
            "until": explained.until.map(|until| until.to_string()),
            "who_can": who_can_json(&explained.who_can),
        });
        Ok(Answer::that(allowed, text, json))
    }
}

/// Says who can do something in a place, by the index: the policies of the host are not asked about each.
#[derive(Args, Debug)]
pub(crate) struct WhoCanDo {
    /// The action, such as `approve`.
    action: Action,
    /// The place: `shop`, or `shop/pagos/prod`.
    place: String,
    /// The instant, in RFC 3339. The default is now.
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
    /// Who is taken to be away, by id or e-mail address. May be repeated.
    #[arg(long, value_name = "USER")]
    without: Vec<String>,
    /// How many users at most.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
    /// Go on after this user, the `next` of the page before.
    #[arg(long, value_name = "USER")]
    after: Option<placet::id::UserId>,
}

impl WhoCanDo {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let names = Names::new(&gate, &caller);
        let scope = names.place(&self.place)?;
        let at = self.at.unwrap_or_else(|| gate.now());
        let first = Paging::first(self.limit);
        let page = self.after.map_or(first, |last| first.after(last));
        let away =
            self.without.iter().map(|user| names.user(user)).collect::<Result<Vec<_>, _>>()?;
        let found = if away.is_empty() {
            gate.who_can(&caller, &self.action, scope, at, page)?
        } else {
            gate.who_can_without(&caller, &self.action, scope, at, &away, page)?
        };
        let mut text = Text::default();
        for role in &found.global_roles {
            text.line(format_args!("{} (every holder of that global role)", role.as_str()));
        }
        for user in &found.users {
            text.line(user);
        }
        if found.users.is_empty() && found.global_roles.is_empty() {
            text.line("nobody");
        }
        if let Some(next) = found.next {
            text.said(Mood::Quiet, "more:", format_args!("--after {next}"));
        }
        Ok(Answer::ok(text, who_can_json(&found)))
    }
}

fn who_can_json(found: &placet::authz::WhoCan) -> Value {
    json!({
        "users": found.users.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "global_roles": found.global_roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
        "next": found.next.map(|next| next.to_string()),
    })
}
