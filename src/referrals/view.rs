//! A referral as a caller may see it. Pure.

use super::model::{Link, Referral, ReferralDetail};
use super::states::Standing;
use super::wire::{AwaitedStep, ReferralView};
use crate::auth::Scope;
use crate::kernel::AgencyCode;
use crate::kernel::ids::ReferralId;
use crate::persons::merge_wire::merged_tag;

/// For whom a referral is shown.
#[derive(Clone, Copy, Debug)]
pub enum Reader<'r> {
    /// Oversight sees every link.
    Overseer,
    /// An agency sees the links to referrals that it has part in.
    Agency(&'r AgencyCode),
}

impl<'r> Reader<'r> {
    /// The reader that a scope stands for.
    pub fn of(scope: &'r Scope) -> Self {
        if scope.oversight() { Self::Overseer } else { Self::Agency(scope.agency()) }
    }

    fn sees(self, link: &Link) -> bool {
        match self {
            Self::Overseer => true,
            Self::Agency(code) => *code == link.from || *code == link.to,
        }
    }
}

/// The view part of a referral's entity tag: all who see it see the same, but for the links.
pub fn tag(view: &ReferralView) -> String {
    format!("{}{}", if view.redacted.is_empty() { "a" } else { "r" }, merged_tag(&view.merged))
}

impl Referral {
    /// The referral for a reader: everything but links to referrals in which the reader has no part.
    pub fn view(&self, reader: Reader<'_>) -> ReferralView {
        let awaits = self.wait().map(|wait| AwaitedStep {
            step: wait.step.as_str(),
            by_agency: if wait.step.side() == Standing::Sender { self.from.clone() } else { self.to.clone() },
            due_at: wait.due,
        });
        let Self {
            id,
            version,
            number,
            case,
            from,
            to,
            kind,
            state,
            detail,
            created_at,
            created_by_agency,
            updated_at,
            merged,
        } = self.clone();
        let ReferralDetail {
            victims,
            sections,
            services,
            purpose,
            urgency,
            legal_basis,
            consent_id,
            consent_ref,
            message,
            due_at,
            sent_at,
            received_at,
            decided_at,
            started_at,
            ended_at,
            reason,
            outcome,
            redirected_from,
            redirected_to,
            counter_of,
            reported_outcome,
            written_under: _,
        } = detail;
        let mut redacted = Vec::new();
        let mut seen = |pointer: &str, link: Option<Link>| -> Option<ReferralId> {
            let link = link?;
            if reader.sees(&link) {
                return Some(link.referral);
            }
            redacted.push(pointer.to_owned());
            None
        };
        let redirected_from = seen("#/redirected_from", redirected_from);
        let redirected_to = seen("#/redirected_to", redirected_to);
        let counter_of = seen("#/counter_of", counter_of);
        ReferralView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency,
            owner_agency: from.clone(),
            number,
            kind,
            state,
            case_id: case,
            from_agency: from,
            to_agency: to,
            victims,
            sections,
            services,
            purpose,
            urgency,
            legal_basis,
            consent_id,
            consent_ref,
            message,
            due_at,
            awaits,
            sent_at,
            received_at,
            decided_at,
            started_at,
            ended_at,
            reason,
            outcome,
            redirected_from,
            redirected_to,
            counter_of,
            reported_outcome,
            merged,
            redacted,
        }
    }
}
