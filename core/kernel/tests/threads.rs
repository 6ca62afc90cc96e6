//! Questions about a request: who may ask, answer and resolve, and what stays of them.

use placet_core::error::Code;
use placet_core::gate::Erasure;
use placet_core::id::RequestId;
use placet_core::request::{StateName, ThreadPlace};

use crate::world::World;

/// A world in which Ana's request waits for approvals.
fn asked() -> (World, RequestId) {
    let (world, mut id) = (World::new(), None);
    world.step(&mut id, "draft ana dev").unwrap();
    world.step(&mut id, "submit ana").unwrap();
    (world, id.unwrap())
}

fn open(world: &World, id: RequestId) -> u32 {
    world.look(id).header.open_threads()
}

#[test]
fn whoever_may_comment_asks_and_nobody_else() {
    let (world, id) = asked();
    let ask = |who: &str| {
        world.gate.open_thread(&world.caller(who), id, ThreadPlace::Request, "who pays?")
    };
    for who in ["ana", "bo", "cy", "robot", "dora"] {
        assert!(ask(who).is_ok(), "{who}");
        let thread = world.gate.reply(&world.caller(who), id, 0, "the shop").unwrap();
        assert_eq!(thread.number, 0);
    }
    for (who, code) in [("eve", Code::NotFound), ("root", Code::NotFound)] {
        assert_eq!(ask(who).unwrap_err().code(), code, "{who}");
        let reply = world.gate.reply(&world.caller(who), id, 0, "the shop");
        assert_eq!(reply.unwrap_err().code(), code, "{who}");
        let list = world.gate.threads(&world.caller(who), id, None);
        assert_eq!(list.unwrap_err().code(), code, "{who}");
    }
    assert_eq!(open(&world, id), 5);
}

#[test]
fn its_opener_and_an_approver_resolve_it_and_no_author() {
    let (world, id) = asked();
    let place = ThreadPlace::Request;
    let ask = |who: &str| {
        world.gate.open_thread(&world.caller(who), id, place, "who pays?").unwrap().number
    };
    let resolve = |who: &str, thread| world.gate.resolve_thread(&world.caller(who), id, thread);
    // Dora reads here and may approve elsewhere only.
    let (of_bo, of_robot, of_dora) = (ask("bo"), ask("robot"), ask("dora"));
    assert_eq!(resolve("dora", of_bo).unwrap_err().code(), Code::Refused);
    assert_eq!(
        resolve("robot", of_bo).unwrap_err().code(),
        Code::Refused,
        "an agent skips nothing"
    );
    assert_eq!(open(&world, id), 3);
    resolve("cy", of_bo).unwrap(); // may approve
    resolve("robot", of_robot).unwrap(); // its own
    let author = resolve("ana", of_dora).unwrap_err();
    assert_eq!(author.code(), Code::Refused);
    assert!(author.to_string().contains("wrote the request"), "{author}");
    assert_eq!(open(&world, id), 1);
    resolve("dora", of_dora).unwrap(); // her own
    let of_ana = ask("ana");
    resolve("ana", of_ana).unwrap(); // what she asked herself
    assert_eq!(open(&world, id), 0);
    assert_eq!(resolve("bo", of_bo).unwrap_err().code(), Code::WrongState);
    let again = world.gate.reopen_thread(&world.caller("dora"), id, of_bo).unwrap();
    assert!(again.is_open());
    assert_eq!(open(&world, id), 1);
    resolve("bo", of_bo).unwrap();
    assert_eq!(resolve("bo", 9).unwrap_err().code(), Code::NotFound);
}

#[test]
fn a_thread_about_an_earlier_revision_stays_and_says_so() {
    let (world, id) = asked();
    let (gate, ana) = (&world.gate, world.caller("ana"));
    for place in [ThreadPlace::Request, ThreadPlace::Revision(1), ThreadPlace::Step(1)] {
        gate.open_thread(&ana, id, place, "why?").unwrap();
    }
    let outdated = || -> Vec<bool> {
        let page = gate.threads(&ana, id, None).unwrap();
        page.items.iter().map(|view| view.is_outdated).collect()
    };
    assert_eq!(outdated(), [false, false, false]);
    world.step(&mut Some(id), "edit ana").unwrap();
    assert_eq!(outdated(), [false, true, true]);
    assert_eq!(open(&world, id), 3);
    // There is no plan of the new revision yet, and no third revision.
    for place in [ThreadPlace::Step(1), ThreadPlace::Revision(3), ThreadPlace::Revision(0)] {
        let error = gate.open_thread(&ana, id, place, "why?").unwrap_err();
        assert_eq!(error.code(), Code::NotFound, "{place:?}");
    }
    gate.open_thread(&ana, id, ThreadPlace::Revision(1), "and before?").unwrap();
    gate.plan(&ana, id).unwrap();
    gate.open_thread(&ana, id, ThreadPlace::Step(1), "and now?").unwrap();
    assert_eq!(outdated(), [false, true, true, true, false]);
    // A plan that is made again has other steps, whatever their numbers are.
    world.bench.clock.advance_ms(1);
    gate.plan(&ana, id).unwrap();
    assert_eq!(outdated(), [false, true, true, true, true]);
}

#[test]
fn its_texts_are_comments_that_can_be_erased_and_the_log_has_none_of_them() {
    let (world, id) = asked();
    let (gate, ana) = (&world.gate, world.caller("ana"));
    let secret = "the password is swordfish";
    let thread = gate.open_thread(&ana, id, ThreadPlace::Request, secret).unwrap();
    gate.reply(&world.caller("bo"), id, 0, "that is a secret too: trout").unwrap();
    let trail = gate.trail(&ana, id).unwrap();
    let told: String = trail
        .iter()
        .map(|(_, leaf)| String::from_utf8(leaf.to_bytes().unwrap()).unwrap())
        .collect();
    assert!(!told.contains("swordfish") && !told.contains("trout"));
    let events: Vec<&str> = trail.iter().map(|(_, leaf)| leaf.event.as_str()).collect();
    assert_eq!(events[3..], ["request.thread_opened", "request.thread_replied"]);

    let number = thread.posts[0];
    let root = world.caller("root");
    assert_eq!(gate.erase(&root, Erasure::Comment { request: id, number }).unwrap(), 1);
    let posts = gate.posts(&ana, id, 0).unwrap();
    let said: Vec<_> = posts.iter().filter_map(|post| post.comment.as_deref()).collect();
    assert_eq!(said, ["(erased)", "that is a secret too: trout"]);
    crate::world::assert_invariants(&*world.bench.parts.store);
}

#[test]
fn nothing_is_written_where_a_text_is_not_one() {
    let (world, id) = asked();
    let (gate, ana) = (&world.gate, world.caller("ana"));
    gate.open_thread(&ana, id, ThreadPlace::Request, "who pays?").unwrap();
    let before = world.bench.parts.store.log_len().unwrap();
    let huge = "x".repeat(10 << 20);
    for (text, code) in [
        ("", Code::InvalidInput),
        (" \n\t", Code::InvalidInput),
        ("a\u{0}b", Code::InvalidInput),
        ("a\u{1b}[2Jb", Code::InvalidInput),
        ("abc\u{202e}def", Code::InvalidInput),
        (huge.as_str(), Code::TooLarge),
    ] {
        let opened = gate.open_thread(&ana, id, ThreadPlace::Request, text).unwrap_err();
        assert_eq!(opened.code(), code);
        assert!(opened.help().is_some());
        assert_eq!(gate.reply(&ana, id, 0, text).unwrap_err().code(), code);
    }
    assert_eq!(world.bench.parts.store.log_len().unwrap(), before);
    // What people write is welcome in all their scripts.
    for text in ["¿y los índices? 🙂", "مرحبا", "做什么", "line one\nline two"] {
        gate.reply(&ana, id, 0, text).unwrap();
        let last = gate.posts(&ana, id, 0).unwrap().pop().unwrap();
        assert_eq!(last.comment.as_deref(), Some(text));
    }
}

#[test]
fn a_thread_and_a_request_have_an_end_to_what_they_hold() {
    let (world, id) = asked();
    let (gate, ana) = (&world.gate, world.caller("ana"));
    gate.open_thread(&ana, id, ThreadPlace::Request, "who pays?").unwrap();
    for _ in 1..200 {
        gate.reply(&ana, id, 0, "…").unwrap();
    }
    assert_eq!(gate.reply(&ana, id, 0, "…").unwrap_err().code(), Code::TooLarge);
    assert_eq!(gate.posts(&ana, id, 0).unwrap().len(), 200);
    // It can be resolved all the same.
    gate.resolve_thread(&ana, id, 0).unwrap();
    for number in 1..1_000 {
        let thread = gate.open_thread(&ana, id, ThreadPlace::Request, "…").unwrap();
        assert_eq!(thread.number, number);
    }
    let more = gate.open_thread(&ana, id, ThreadPlace::Request, "…");
    assert_eq!(more.unwrap_err().code(), Code::TooLarge);
    // In pages, in the order in which they were opened.
    let (mut numbers, mut after) = (Vec::new(), None);
    loop {
        let page = gate.threads(&ana, id, after.as_ref()).unwrap();
        numbers.extend(page.items.iter().map(|view| view.thread.number));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert!(numbers.into_iter().eq(0..1_000));
}

#[test]
fn a_request_that_is_over_can_still_be_asked_about() {
    let (world, id) = asked();
    world.step(&mut Some(id), "reject bo no").unwrap();
    let ana = world.caller("ana");
    world.gate.open_thread(&ana, id, ThreadPlace::Request, "why not?").unwrap();
    assert_eq!(world.look(id).state.name(), StateName::Rejected);
    // A plain comment belongs to no thread.
    world.gate.comment(&ana, id, "well").unwrap();
    let history = world.gate.history(&ana, id).unwrap();
    let threads: Vec<_> = history.iter().rev().take(2).map(|step| step.thread).collect();
    assert_eq!(threads, [None, Some(0)]);
}
