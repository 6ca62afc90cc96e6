//! The first change, for real: drafted, authorized, approved, run in a sandbox, proven.
//!
//! `cargo run --release --example quickstart`

mod people;
mod shop;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use people::Shop;
use placet::audit::verify_export;
use placet::error::Error;
use placet::id::{RequestId, UserId};
use placet::request::Change;
use placet::runner::{Finding, Outcome, Plan};
use placet::{Gate, NewRequest, RunEvent};
use placet_examples::Console;

type AnyError = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let console = Console::default();
    match tell(&console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console.headline("The story broke off");
            console.line(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn tell(console: &Console) -> Result<(), AnyError> {
    let folder = tempfile::tempdir()?;
    let (database, data) = (folder.path().join("shop.db"), folder.path().join("placet"));
    console.headline("A shop, and a gate in front of it");
    shop::create(&database)?;
    let gate = Gate::builder(&data)
        .origin("shop.example.org/changes")
        .sqlite_target("shop", &database)
        .open()?;
    console.line(&format!("the shop's database   {}", database.display()));
    console.line(&format!("placet's own state    {}", data.display()));
    console.line(&format!("{} customers, {} orders", shop::CUSTOMERS, shop::ORDERS));
    let shop = Shop::found(&gate)?;
    console.line("project shop: modules pagos, logistica; environments dev, prod");
    console.line(
        "Ana writes code and stands in as tech lead this week; Bruno leads the Checkout Team,",
    );
    console.line("which looks after pagos; Dora leads the Logistics Team");

    let id = draft(console, &gate, &shop)?;
    refusals(console, &gate, &shop, id)?;
    approve_and_run(console, &gate, &shop, id, &database)?;
    trail(console, &gate, &shop, id)?;
    proof(console, &gate, &shop)?;

    console.headline("What to look at next");
    console.line("examples/quickstart/main.rs   this story as code: about 250 lines");
    console.line("cargo doc --open -p placet    every verb, and the architecture under `manual`");
    Ok(())
}

fn draft(console: &Console, gate: &Gate, shop: &Shop) -> Result<RequestId, AnyError> {
    console.headline("Ana drafts a migration of pagos in dev");
    let request = gate.draft(
        &shop.ana,
        &NewRequest {
            project: shop.project,
            module: shop.pagos,
            environment: shop.dev,
            title: "Orders know their country".to_owned(),
            change: change(gate, shop::MIGRATION)?,
        },
    )?;
    let id = request.header.id;
    show_plan(console, &gate.plan(&shop.ana, id)?);
    console.done("the plan was tried in a transaction that was rolled back; nothing changed yet");
    Ok(id)
}

fn change(gate: &Gate, sql: &str) -> Result<Change, Error> {
    let payload = format!("{{\"sql\":{}}}", quoted(sql));
    Change::new("sql".parse()?, "shop".parse()?, payload, gate.limits())
}

/// A JSON string: what SQL text holds of quotes, backslashes and line breaks, escaped.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

fn show_plan(console: &Console, plan: &Plan) {
    let rows: Vec<Vec<String>> = plan
        .steps
        .iter()
        .map(|step| {
            let rows = step.estimated_rows.map_or_else(String::new, |rows| rows.to_string());
            let risk = format!("{:?}", step.risk).to_lowercase();
            let text = step.body.split_whitespace().collect::<Vec<_>>().join(" ");
            let mut shown: String = text.chars().take(60).collect();
            if shown.len() < text.len() {
                shown.push('…');
            }
            vec![step.id.clone(), step.kind.clone(), risk, rows, shown]
        })
        .collect();
    console.table(&["step", "kind", "risk", "rows", "statement"], &rows);
    for Finding { level, code, message, .. } in &plan.findings {
        let level = format!("{level:?}").to_lowercase();
        console.line(&format!("{level} {code}: {message}"));
    }
}

fn refusals(console: &Console, gate: &Gate, shop: &Shop, id: RequestId) -> Result<(), AnyError> {
    console.headline("What is refused");
    gate.submit(&shop.ana, id)?;
    let digest = gate.view(&shop.bruno, id)?.digest.ok_or("a submitted request has a digest")?;
    refused(console, "Ana approves her own request", gate.approve(&shop.ana, id, digest, None))?;
    refused(console, "Dora approves it", gate.approve(&shop.dora, id, digest, None))?;
    refused(console, "Bruno runs it before anybody approved", gate.execute(&shop.bruno, id))?;

    gate.approve(&shop.bruno, id, digest, Some("looks right"))?;
    console.done("Bruno approves it, and then Ana changes one statement");
    let other = shop::MIGRATION.replace("WHERE country IS NULL", "");
    gate.edit(&shop.ana, id, "Orders know their country", &change(gate, &other)?)?;
    refused(console, "Bruno runs what nobody approved", gate.execute(&shop.bruno, id))?;
    gate.submit(&shop.ana, id)?;
    let stale = gate.approve(&shop.bruno, id, digest, None);
    refused(console, "Bruno's approval of the first text is used for the second", stale)?;

    gate.edit(&shop.ana, id, "Orders know their country", &change(gate, shop::MIGRATION)?)?;
    gate.submit(&shop.ana, id)?;
    console.done("Ana takes the first text again and submits it");
    Ok(())
}

/// Shows a refusal; what should have been refused and was not ends the story.
fn refused<T>(console: &Console, what: &str, result: Result<T, Error>) -> Result<(), AnyError> {
    match result {
        Ok(_) => Err(format!("{what}: this was not refused").into()),
        Err(error) => {
            let help = error.help().unwrap_or_default();
            console.refused(what, &format!("{error}\n      {}: {help}", error.code()));
            Ok(())
        }
    }
}

fn approve_and_run(
    console: &Console,
    gate: &Gate,
    shop: &Shop,
    id: RequestId,
    database: &Path,
) -> Result<(), AnyError> {
    console.headline("Bruno approves, and it runs in the sandbox");
    let digest = gate.view(&shop.bruno, id)?.digest.ok_or("a submitted request has a digest")?;
    gate.approve(&shop.bruno, id, digest, Some("this one"))?;
    console.line(&format!("before: {}", counted(database)?));
    let run = gate.execute(&shop.bruno, id)?;
    for event in run.events() {
        match event {
            RunEvent::Progress(progress) => {
                let note = progress.note.unwrap_or_default();
                let of = progress.total.map_or_else(String::new, |total| format!(" of {total}"));
                console.line(&format!("… {}: {}{of} {note}", progress.step, progress.done));
            }
            RunEvent::Log(line) => console.line(&format!("… {}: {}", line.level, line.message)),
            _ => {}
        }
    }
    let request = run.wait()?;
    console.line(&format!("after:  {}", counted(database)?));
    console.done(&format!("the request is {}", request.state.name()));
    let (_, read) = gate.verify(&shop.bruno, id)?;
    match read {
        Outcome::Succeeded(_) => {
            console.done("the marker row in the shop's own database confirms it");
        }
        Outcome::Failed(failure) | Outcome::Unknown(failure) => return Err(failure.message.into()),
    }
    refused(console, "Bruno runs it a second time", gate.execute(&shop.bruno, id))
}

fn counted(database: &Path) -> Result<String, AnyError> {
    let counted = shop::orders_by_country(database)?;
    if counted.is_empty() {
        return Ok("orders have no country".to_owned());
    }
    let each = counted.iter().map(|(country, orders)| format!("{country} {orders}"));
    Ok(each.collect::<Vec<_>>().join(", "))
}

fn trail(console: &Console, gate: &Gate, shop: &Shop, id: RequestId) -> Result<(), AnyError> {
    console.headline("The trail");
    let people =
        [("Root", shop.root), ("Ana", shop.ana), ("Bruno", shop.bruno), ("Dora", shop.dora)];
    let name = |user: Option<UserId>| {
        let found = people.iter().find(|(_, caller)| Some(caller.user()) == user);
        found.map_or("the system", |(name, _)| name).to_owned()
    };
    let rows: Vec<Vec<String>> = gate
        .trail(&shop.bruno, id)?
        .into_iter()
        .map(|(index, leaf)| {
            let digest = leaf.change.map(|digest| digest.to_string()).unwrap_or_default();
            let decided = leaf.decisions.iter().filter(|decision| decision.allowed).count();
            let revision = leaf.revision.map_or_else(String::new, |revision| revision.to_string());
            let what = match &leaf.outcome {
                Some(outcome) => format!("{} ({outcome})", leaf.event),
                None => leaf.event.clone(),
            };
            let digest = digest.chars().take(12).collect();
            vec![index.to_string(), name(leaf.actor), what, revision, digest, decided.to_string()]
        })
        .collect();
    console.table(&["leaf", "who", "what", "revision", "of digest", "decisions"], &rows);
    Ok(())
}

fn proof(console: &Console, gate: &Gate, shop: &Shop) -> Result<(), AnyError> {
    console.headline("The proof");
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    gate.export(&shop.root, |path, bytes| {
        files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    })?;
    let (origin, key) = (gate.origin(), gate.verifier_key());
    let verified = verify_export(|path| Ok(files.get(path).cloned()), origin, key)?;
    let size = verified.checkpoint().size();
    console.done(&format!("the exported log of {size} leaves verifies with the key {key}"));
    let (_, bundle) = files
        .iter_mut()
        .find(|(path, _)| path.starts_with("tile/entries/"))
        .ok_or("an exported log has entries")?;
    let middle = bundle.len() / 2;
    let byte = bundle.get_mut(middle).ok_or("an exported log is not empty")?;
    *byte ^= 1;
    console.line(&format!("one byte of the copy is changed: byte {middle} of its entries"));
    match verify_export(|path| Ok(files.get(path).cloned()), origin, key) {
        Ok(_) => Err("a changed log was not found out".into()),
        Err(error) => {
            let leaf = error.details().get("leaf").cloned().unwrap_or_default();
            console.refused(&format!("the copy no longer verifies: leaf {leaf}"), &error);
            Ok(())
        }
    }
}
