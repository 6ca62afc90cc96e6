//! Every call of a run to its host fails once, in each way. Whatever it then says must be true: a success was begun and
//! ended well, a failure was never begun, and nothing is begun twice. A link that forgets is caught.

use core::sync::atomic::Ordering;
use std::sync::Arc;

use placet_core::error::Code;
use placet_core::runner::Outcome;
use placet_runners::deploy::testing::{Fault, Product, ProductServer, Scope};

use super::ground::{Ground, Notebook, Slip, Then, deployment};

/// What goes wrong at one look of the plugin's thread.
#[derive(Clone, Debug)]
enum Wrong {
    Unavailable,
    Over(Code),
    Server(Fault),
}

fn wrongs() -> Vec<Wrong> {
    let mut all =
        vec![Wrong::Unavailable, Wrong::Over(Code::Cancelled), Wrong::Over(Code::LeaseLost)];
    all.extend(
        [
            Fault::LoseReply,
            Fault::LoseRequest,
            Fault::ServerError,
            Fault::CutBody,
            Fault::Garbage,
            Fault::OversizedBody { bytes: 3 << 20 },
            Fault::DuplicateReply,
        ]
        .map(Wrong::Server),
    );
    all
}

/// What is wrong with an outcome, by what the server knows. In these stories all that is begun ends well.
fn lie(server: &ProductServer, outcome: &Outcome) -> Option<String> {
    let begun = server.begun();
    let is_lie = match outcome {
        Outcome::Succeeded(_) => begun != 1,
        Outcome::Failed(_) => begun != 0,
        Outcome::Unknown(_) => begun > 1,
    };
    is_lie.then(|| format!("{begun} begun, and {outcome:?}"))
}

/// Plans, lets `break_it` break something, runs, and looks back. Tells the first lie.
fn played(
    product: Product,
    link: Notebook,
    break_it: impl FnOnce(&Arc<Ground>),
) -> (Arc<Ground>, Option<String>) {
    let ground = Arc::new(Ground { link, ..Ground::of(product) });
    let job = deployment(product);
    let plan = ground.plan(&job);
    break_it(&ground);
    let ran = ground.execute(&job, &plan);
    let first = lie(&ground.server, &ran);
    // Whoever was told that it failed looks back too: it must not turn out otherwise.
    let begun = ground.server.begun();
    let found = ground.verify(&job, &plan);
    let second = lie(&ground.server, &found);
    assert_eq!(ground.server.begun(), begun, "{product:?}: looking back began something");
    (ground, first.or(second))
}

/// How many looks a run of this product takes while nothing is wrong, planning left out.
fn looks(product: Product) -> core::ops::Range<usize> {
    let ground = Ground::of(product);
    let job = deployment(product);
    let plan = ground.plan(&job);
    let before = ground.link.lease.looks();
    assert!(matches!(ground.execute(&job, &plan), Outcome::Succeeded(_)));
    before..ground.link.lease.looks()
}

#[test]
fn whatever_fails_once_the_run_says_nothing_that_is_not_so() {
    for product in [Product::Rundeck, Product::GithubActions, Product::Jenkins] {
        let looks = looks(product);
        assert!(looks.len() >= 3, "{looks:?}");
        for at in looks {
            for wrong in wrongs() {
                let (_, lie) = played(product, Notebook::default(), |ground| {
                    let then = match wrong.clone() {
                        Wrong::Unavailable => Then::Unavailable(at),
                        Wrong::Over(code) => Then::Over(at, code),
                        Wrong::Server(fault) => {
                            let served = Arc::downgrade(ground);
                            Then::Do(
                                at,
                                Box::new(move || {
                                    if let Some(ground) = served.upgrade() {
                                        ground.server.fail(Scope::All, fault, 1);
                                    }
                                }),
                            )
                        }
                    };
                    *ground.link.lease.then.lock().unwrap() = then;
                });
                assert_eq!(lie, None, "{product:?} at look {at}: {wrong:?}");
            }
        }
    }
}

#[test]
fn whatever_cannot_be_noted_the_run_says_nothing_that_is_not_so() {
    for product in [Product::Rundeck, Product::GithubActions, Product::Jenkins] {
        for slip in [Slip::NotKept, Slip::Unheard] {
            let mut slipped = 0;
            for number in 0..100 {
                let (ground, lie) = played(product, Notebook::default(), |ground| {
                    *ground.link.slip.lock().unwrap() = Some((number, slip));
                });
                assert_eq!(lie, None, "{product:?} at note {number}: {slip:?}");
                // This one was never made, so all were.
                if ground.link.notes.load(Ordering::SeqCst) <= number {
                    break;
                }
                slipped = number.saturating_add(1);
            }
            assert!((2..100).contains(&slipped), "{product:?} {slip:?}: {slipped} notes");
        }
    }
}

#[test]
fn a_link_that_forgets_what_was_noted_is_caught() {
    let forgetful = || Notebook { forgets: true, ..Notebook::default() };
    let (_, lie) = played(Product::Rundeck, forgetful(), |ground| {
        ground.server.fail(Scope::Writes, Fault::LoseReply, 1);
    });
    // Without notes, what was sent looks as if it never was.
    assert!(lie.unwrap().contains("not_begun"));
    let (_, lie) = played(Product::Rundeck, Notebook::default(), |ground| {
        ground.server.fail(Scope::Writes, Fault::LoseReply, 1);
    });
    assert_eq!(lie, None);
}
