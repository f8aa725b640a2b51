//! What a receiver sees, against a reference: after any sequence of moves of several referrals, exactly the union
//! of what the accepted ones grant, and nothing where there is none. On an embedded database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;

use super::actions;
use super::states::{Standing, State, Trigger};
use super::wire::{ReferralPatch, ReferralTransitionCreate, ReferralView};
use super::world::{OWNER, RECEIVERS, World};
use crate::cases::wire::ParticipantCreate;
use crate::cases::{Section, participants};
use crate::kernel::ids::{CaseId, VictimId};
use crate::kernel::{AgencyCode, Bucket, Error, FaultCode, Field, Location, Timestamp};

fn faults(error: Error) -> Vec<(String, FaultCode)> {
    let Error::Validation(faults) = error else { panic!("{error:?}") };
    faults
        .into_iter()
        .map(|f| match f.at {
            Location::Pointer(p) => (p, f.code),
            at => panic!("{at:?}"),
        })
        .collect()
}

#[test]
fn faults_of_every_part_are_reported_at_once() {
    let world = World::found();
    let mut bad =
        world.create("PE-NOBODY", &["victim_identity"], Some(vec![VictimId::generate(Timestamp::now(), Bucket::random())]));
    bad.kind = "nonsense".into();
    bad.legal_basis = "consent".into();
    assert_eq!(
        faults(world.draft(bad).unwrap_err()),
        [
            ("/consent_id".to_owned(), FaultCode::Required),
            ("/kind".to_owned(), FaultCode::Enum),
            ("/sections/0".to_owned(), FaultCode::CrossField),
            ("/to_agency".to_owned(), FaultCode::ReferenceNotFound),
            ("/victims/0".to_owned(), FaultCode::ReferenceNotFound),
        ]
    );
    let to = |to: &str| faults(world.draft(world.create(to, &[], None)).unwrap_err());
    assert_eq!(to(OWNER), [("/to_agency".to_owned(), FaultCode::CrossField)]);
    assert_eq!(to("PE-DP"), [("/to_agency".to_owned(), FaultCode::CrossField)]);
    assert_eq!(to("PE-OLD"), [("/to_agency".to_owned(), FaultCode::ReferenceNotFound)]);
    let mut other = world.create(RECEIVERS[0], &[], None);
    other.case_id = CaseId::generate(Timestamp::now(), Bucket::random());
    assert_eq!(faults(world.draft(other).unwrap_err()), [("/case_id".to_owned(), FaultCode::ReferenceNotFound)]);
}

#[test]
fn a_referral_shows_itself_only_to_those_it_concerns() {
    let world = World::found();
    let draft = world.draft(world.create(RECEIVERS[0], &["victims"], None)).unwrap();
    let read = |agency: &str, oversight: bool| {
        let act = world.act(agency, oversight);
        world.runtime.block_on(actions::read_referral(&world.store, &act, draft.id)).map(|w| w.view.state)
    };
    assert_eq!(read(RECEIVERS[0], false), Err(Error::NotFound));
    assert_eq!(read("PE-DP", true), Ok(State::Draft));
    assert_eq!(world.fire(&draft, RECEIVERS[0], Trigger::Send).unwrap_err(), Error::NotFound);
    let sent = world.fire(&draft, OWNER, Trigger::Send).unwrap();
    assert_eq!(read(RECEIVERS[0], false), Ok(State::Sent));
    assert_eq!(read(RECEIVERS[1], false), Err(Error::NotFound));
    // The envelope, and nothing of the case.
    assert_eq!(world.sight(RECEIVERS[0]), None);
    // Each side has its own moves.
    assert_eq!(world.fire(&sent, OWNER, Trigger::Accept).unwrap_err(), Error::OwnerOnly);
    assert_eq!(world.fire(&sent, RECEIVERS[0], Trigger::Revoke).unwrap_err(), Error::OwnerOnly);
    // What was sent stays as it was sent.
    let patch = ReferralPatch { message: Field::Set("other".into()), ..ReferralPatch::default() };
    for agency in [OWNER, RECEIVERS[0]] {
        let act = world.act(agency, false);
        let amended = actions::amend_referral(&world.store, act, sent.id, sent.version, patch.clone());
        assert!(matches!(world.runtime.block_on(amended), Err(Error::StateConflict(_))));
    }
    // A stale version is refused before it can do anything.
    assert_eq!(
        world.fire(&draft, RECEIVERS[0], Trigger::Accept).unwrap_err(),
        Error::PreconditionFailed { current_version: sent.version }
    );
    let accepted = world.fire(&sent, RECEIVERS[0], Trigger::Accept).unwrap();
    let sight = world.sight(RECEIVERS[0]).unwrap();
    assert_eq!(sight.sections.codes(), ["victims"]);
    assert!(world.victims.iter().all(|v| sight.sees_victim(*v) && !sight.sees_identity(*v)));
    let revoked = world.fire(&accepted, OWNER, Trigger::Revoke).unwrap();
    assert_eq!((revoked.state, revoked.reason.as_deref()), (State::Revoked, Some("r")));
    assert_eq!(world.sight(RECEIVERS[0]), None);
    // The receiver keeps the envelope.
    assert_eq!(read(RECEIVERS[0], false), Ok(State::Revoked));
    assert_eq!(world.verbs(draft.id.erase()), ["created", "transitioned", "transitioned", "transitioned"]);
    assert_eq!(world.verbs(world.case.erase()), ["granted", "revoked"]);
}

#[test]
fn two_grants_together_never_open_more_than_each_alone() {
    let world = World::found();
    let (one, other) = (world.victims[0], world.victims[1]);
    for (sections, victims) in [(vec!["victims", "victim_identity"], Some(vec![one])), (vec!["victims"], None)] {
        let draft = world.draft(world.create(RECEIVERS[0], &sections, victims)).unwrap();
        let sent = world.fire(&draft, OWNER, Trigger::Send).unwrap();
        world.fire(&sent, RECEIVERS[0], Trigger::Accept).unwrap();
    }
    let sight = world.sight(RECEIVERS[0]).unwrap();
    assert!(sight.sees_victim(one) && sight.sees_victim(other));
    assert!(sight.sees_identity(one) && !sight.sees_identity(other));
}

#[test]
fn the_owner_lets_agencies_in_and_out_by_its_own_decision() {
    let world = World::found();
    let (owner, guest) = (OWNER, RECEIVERS[0]);
    let new = ParticipantCreate {
        agency: AgencyCode::parse(guest).unwrap(),
        role: "expert".into(),
        sections: vec!["charges".into()],
        victims: None,
    };
    let once = world.once();
    let add = |by: &str, once, new: &ParticipantCreate| {
        let act = world.act(by, false);
        world.runtime.block_on(participants::add_participant(&world.store, act, once, world.case, new.clone()))
    };
    assert_eq!(add(guest, world.once(), &new).unwrap_err(), Error::NotFound);
    let added = add(owner, once.clone(), &new).unwrap();
    assert_eq!(world.sight(guest).unwrap().sections.codes(), ["charges"]);
    // The same key does nothing and answers the same; a participant lets nobody in.
    let again = add(owner, once, &new).unwrap();
    assert!(again.replayed && again.view.id == added.view.id);
    assert_eq!(add(guest, world.once(), &new).unwrap_err(), Error::OwnerOnly);
    let bad = ParticipantCreate { agency: AgencyCode::parse(owner).unwrap(), role: "nonsense".into(), ..new.clone() };
    assert_eq!(
        faults(add(owner, world.once(), &bad).unwrap_err()),
        [("/agency".to_owned(), FaultCode::CrossField), ("/role".to_owned(), FaultCode::Enum)]
    );
    let end = |of: &crate::cases::wire::ParticipantView, version| {
        let act = world.act(owner, false);
        let end = participants::end_participant(&world.store, act, world.once(), world.case, of.id, version, None);
        world.runtime.block_on(end)
    };
    assert_eq!(end(&added.view, 7).unwrap_err(), Error::PreconditionFailed { current_version: 1 });
    let ended = end(&added.view, 1).unwrap().view;
    assert!(ended.ended_at.is_some() && ended.version == 2);
    assert_eq!(world.sight(guest), None);
    assert!(matches!(end(&ended, 2), Err(Error::StateConflict(_))));
    // What a referral granted ends with the referral, and in no other way.
    let draft = world.draft(world.create(guest, &["victims"], Some(vec![world.victims[1]]))).unwrap();
    let sent = world.fire(&draft, OWNER, Trigger::Send).unwrap();
    world.fire(&sent, guest, Trigger::Accept).unwrap();
    let list = world.runtime.block_on(participants::list_participants(&world.store, &world.act(owner, false), world.case));
    let granted = list.unwrap().into_iter().find(|p| p.referral_id == Some(draft.id)).unwrap();
    assert_eq!((granted.role.as_str(), granted.sections.as_slice()), ("information", ["victims".to_owned()].as_slice()));
    assert!(matches!(end(&granted, 1), Err(Error::StateConflict(_))));
    assert!(world.sight(guest).unwrap().sees_victim(world.victims[1]));
}

#[test]
fn a_draft_changes_until_it_is_sent_and_a_move_happens_once() {
    let world = World::found();
    let draft = world.draft(world.create(RECEIVERS[0], &["victims"], None)).unwrap();
    let amend = |version, patch: ReferralPatch| {
        let act = world.act(OWNER, false);
        world.runtime.block_on(actions::amend_referral(&world.store, act, draft.id, version, patch)).map(|w| w.view)
    };
    let same = ReferralPatch { message: Field::Set("m".into()), ..ReferralPatch::default() };
    assert_eq!(amend(1, same).unwrap().version, 1);
    let other = ReferralPatch {
        to_agency: Field::Set(AgencyCode::parse(RECEIVERS[1]).unwrap()),
        message: Field::Null,
        ..ReferralPatch::default()
    };
    let changed = amend(1, other).unwrap();
    assert_eq!((changed.version, changed.to_agency.as_str(), changed.message.as_deref()), (2, RECEIVERS[1], None));
    let bad = ReferralPatch { legal_basis: Field::Set("consent".into()), kind: Field::Null, ..ReferralPatch::default() };
    assert_eq!(
        faults(amend(2, bad).unwrap_err()),
        [
            ("/consent_id".to_owned(), FaultCode::Required),
            ("/kind".to_owned(), FaultCode::Required),
            ("/victims".to_owned(), FaultCode::Required),
        ]
    );
    let once = world.once();
    let send = || {
        let new = ReferralTransitionCreate { trigger: Trigger::Send, reason: None, outcome: None, to_agency: None };
        let act = world.act(OWNER, false);
        world.runtime.block_on(actions::move_referral(&world.store, act, once.clone(), draft.id, 2, new, None)).unwrap()
    };
    let (first, second) = (send(), send());
    assert_eq!((first.replayed, second.replayed), (false, true));
    assert_eq!((first.view.version, second.view.version, second.view.state), (3, 3, State::Sent));
    let count = world.store.read_blocking({
        let case = world.case;
        move |conn| super::open_count(conn, case, &AgencyCode::parse(OWNER).unwrap())
    });
    assert_eq!(count, Ok(1));
}

#[test]
fn a_draft_that_is_taken_back_is_never_shown_to_its_receiver() {
    let world = World::found();
    let draft = world.draft(world.create(RECEIVERS[0], &["victims"], None)).unwrap();
    world.fire(&draft, OWNER, Trigger::Revoke).unwrap();
    let act = world.act(RECEIVERS[0], false);
    let read = world.runtime.block_on(actions::read_referral(&world.store, &act, draft.id));
    assert_eq!(read.map(|w| w.view.state), Err(Error::NotFound));
}

#[test]
fn boxes_list_by_last_change_and_pages_join_without_gap() {
    use super::store::{Filter, Side};
    use crate::kernel::page::Limit;
    let world = World::found();
    let mut drafts: Vec<ReferralView> =
        (0..5).map(|_| world.draft(world.create(RECEIVERS[0], &[], None)).unwrap()).collect();
    drafts[1] = world.fire(&drafts[1], OWNER, Trigger::Send).unwrap();
    let list = |agency: &str, side: Side, states: Vec<String>| {
        let act = world.act(agency, agency == "PE-DP");
        let filter = Filter { side, states, case: Some(world.case), updated_from: None, due: None };
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = actions::list_referrals(&world.store, &act, filter.clone(), after, Limit::new(2).unwrap());
            let page = world.runtime.block_on(page).unwrap();
            seen.extend(page.items);
            after = page.next;
            if after.is_none() {
                break seen;
            }
        }
    };
    let out = list(OWNER, Side::Out, vec![]);
    assert_eq!(out.len(), 5);
    assert!(out.windows(2).all(|w| (w[0].updated_at, w[0].id) > (w[1].updated_at, w[1].id)));
    // Two changes of one millisecond are ordered by id, so only the instant of the last change is certain.
    assert_eq!(out[0].updated_at, drafts[1].updated_at);
    assert!(out.iter().any(|r| r.id == drafts[1].id && r.updated_at == drafts[1].updated_at));
    assert_eq!(list(RECEIVERS[0], Side::In, vec![]).iter().map(|r| r.id).collect::<Vec<_>>(), [drafts[1].id]);
    assert_eq!(list(OWNER, Side::Out, vec!["draft".into()]).len(), 4);
    assert_eq!(list(RECEIVERS[1], Side::In, vec![]).len(), 0);
    assert_eq!(list("PE-DP", Side::In, vec![]).len(), 0);
}

/// What one referral of the random test grants.
#[derive(Clone, Debug)]
struct Plan {
    to: usize,
    sections: Vec<&'static str>,
    victims: Option<Vec<usize>>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let sections = prop::sample::select(vec![
        vec![],
        vec!["victims"],
        vec!["victims", "victim_identity"],
        vec!["charges"],
        vec!["accused", "charges"],
        vec!["identifiers", "narrative"],
    ]);
    let victims = prop::option::of(prop::sample::subsequence(vec![0, 1, 2], 1..=3));
    (0..RECEIVERS.len(), sections, victims).prop_map(|(to, sections, victims)| Plan { to, sections, victims })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_receiver_sees_exactly_what_its_accepted_referrals_grant_together(
        plans in prop::collection::vec(plan(), 1..5),
        moves in prop::collection::vec((0..5_usize, prop::sample::select(vec![
            // Weighted towards moves that open something.
            Trigger::Send, Trigger::Send, Trigger::Send, Trigger::Receive, Trigger::Accept, Trigger::Accept, Trigger::Accept,
            Trigger::Start, Trigger::Start, Trigger::Reject, Trigger::Complete, Trigger::Abandon, Trigger::Revoke, Trigger::Close,
        ])), 0..25),
    ) {
        let world = World::found();
        let mut referrals: Vec<ReferralView> = plans
            .iter()
            .map(|p| {
                let victims = p.victims.as_ref().map(|v| v.iter().map(|i| world.victims[*i]).collect());
                world.draft(world.create(RECEIVERS[p.to], &p.sections, victims)).unwrap()
            })
            .collect();
        for (which, trigger) in moves {
            let which = which % referrals.len();
            let by = if trigger.side() == Standing::Sender { OWNER } else { RECEIVERS[plans[which].to] };
            let before = referrals[which].clone();
            match (before.state.after(trigger), world.fire(&before, by, trigger)) {
                (Some(next), Ok(after)) => {
                    prop_assert_eq!(after.state, next);
                    referrals[which] = after;
                }
                (None, Err(Error::StateConflict(_))) => {}
                // A receiver does not know of a draft.
                (None, Err(Error::NotFound)) => prop_assert_eq!(before.sent_at, None),
                (expected, got) => prop_assert!(false, "{:?} but {:?}", expected, got.map(|r| r.state)),
            }
            for (index, receiver) in RECEIVERS.iter().enumerate() {
                let running = plans
                    .iter()
                    .zip(&referrals)
                    .filter(|(p, r)| p.to == index && r.state.grants() && !p.sections.is_empty())
                    .map(|(p, _)| p)
                    .collect::<Vec<_>>();
                let sees = |section: Section| running.iter().any(|p| p.sections.contains(&section.as_str()));
                match world.sight(receiver) {
                    None => prop_assert!(running.is_empty()),
                    Some(sight) => {
                        prop_assert!(!running.is_empty());
                        for section in Section::ALL {
                            prop_assert_eq!(sight.sees(section), sees(section), "{:?}", section);
                        }
                        // A person is shown, or named, only by a grant that has the section and the person.
                        for (n, victim) in world.victims.iter().enumerate() {
                            let granted = |section: &str| {
                                running.iter().any(|p| {
                                    p.sections.contains(&section) && p.victims.as_ref().is_none_or(|v| v.contains(&n))
                                })
                            };
                            prop_assert_eq!(sight.sees_victim(*victim), granted("victims"));
                            prop_assert_eq!(sight.sees_identity(*victim), granted("victim_identity"));
                        }
                    }
                }
            }
        }
        // Each running participation has its accepted referral, and the other way round.
        let case = world.case;
        let running = world
            .store
            .read_blocking(move |conn| participants::of_case(conn, case))
            .unwrap()
            .into_iter()
            .filter(|p| p.ended_at.is_none())
            .count();
        let accepted = referrals.iter().filter(|r| r.state.grants() && !r.sections.is_empty()).count();
        prop_assert_eq!(running, accepted);
    }
}
