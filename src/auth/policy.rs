//! The table of permissions: which scope opens which door, and for what purposes. The one place that says so.

use super::caller::{Caller, Purpose};
use crate::http::limits::RateClass;
use crate::kernel::{Error, Result};

/// A permission that a handler asks for.
pub trait Permission: 'static {
    /// The scope that the token must carry; empty for any valid token.
    const SCOPE: &'static str;
    /// The purposes for which the door opens; none for all of them.
    const PURPOSES: Option<&'static [Purpose]>;
    /// Which quota it counts against.
    const CLASS: RateClass;
}

/// Purposes that identities may be looked at for: never statistics, oversight or audit.
pub const OPERATIONAL: &[Purpose] =
    &[Purpose::Assistance, Purpose::Protection, Purpose::Investigation, Purpose::Prosecution, Purpose::Referral];

macro_rules! policy {
    ($($(#[$doc:meta])* $name:ident => $scope:literal, $purposes:expr, $class:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}
        impl Permission for $name {
            const SCOPE: &'static str = $scope;
            const PURPOSES: Option<&'static [Purpose]> = $purposes;
            const CLASS: RateClass = RateClass::$class;
        }
    )*
    /// Every row of the table: scope, purposes, quota. For the contract.
    pub const PERMISSIONS: &[(&str, Option<&[Purpose]>, RateClass)] = &[$(($scope, $purposes, RateClass::$class)),*];
    };
}

policy! {
    /// Look at cases.
    CaseRead => "cases:read", None, Read;
    /// Open, amend and move cases.
    CaseWrite => "cases:write", None, Write;
    /// Look at victims, pseudonymous.
    VictimRead => "victims:read", None, Read;
    /// Add and amend victims.
    VictimWrite => "victims:write", None, Write;
    /// Look at who a victim is.
    VictimIdentityRead => "victims.identity:read", Some(OPERATIONAL), Read;
    /// Say who a victim is.
    VictimIdentityWrite => "victims.identity:write", Some(OPERATIONAL), Write;
    /// Look for a victim by who she or he is.
    VictimSearch => "victims:search", Some(OPERATIONAL), Search;
    /// Look for an accused by who it is.
    AccusedSearch => "accused:search", Some(OPERATIONAL), Search;
    /// Ask whether another agency knows a person.
    Deconflict => "deconfliction:ask", Some(OPERATIONAL), Search;
    /// Look at accused persons, pseudonymous.
    AccusedRead => "accused:read", None, Read;
    /// Add and amend accused persons.
    AccusedWrite => "accused:write", None, Write;
    /// Look at who an accused person is.
    AccusedIdentityRead => "accused.identity:read", Some(OPERATIONAL), Read;
    /// Say who an accused person is.
    AccusedIdentityWrite => "accused.identity:write", Some(OPERATIONAL), Write;
    /// Say that two records are of one person, or that they are not.
    PersonMerge => "persons:merge", Some(OPERATIONAL), Write;
    /// Look at charges.
    ChargeRead => "charges:read", None, Read;
    /// Make and amend charges.
    ChargeWrite => "charges:write", None, Write;
    /// Look at one's referrals.
    ReferralRead => "referrals:read", None, Read;
    /// Draft, send and revoke referrals.
    ReferralWrite => "referrals:write", None, Write;
    /// Move referrals. The trigger decides which of two scopes it takes, so the handler asks for it.
    ReferralMove => "", None, Write;
    /// Look at the help that victims need and get.
    AssistanceRead => "assistance:read", None, Read;
    /// Register and move it.
    AssistanceWrite => "assistance:write", None, Write;
    /// Look at campaigns, trainings and fundings.
    ProgrammeRead => "programmes:read", None, Read;
    /// Keep the agency's own.
    ProgrammeWrite => "programmes:write", None, Write;
    /// Look at corrections, proposed and received.
    CorrectionRead => "corrections:read", None, Read;
    /// Propose, answer and withdraw corrections. What is proposed or applied decides which scope it takes beside.
    CorrectionWrite => "corrections:write", None, Write;
    /// Do several writes together: any valid token. Each of them asks for its own scope.
    BatchRun => "", None, Write;
    /// Look at a case in an emergency.
    BreakGlassInvoke => "break_glass:invoke", Some(OPERATIONAL), Write;
    /// Look at how glass was broken.
    BreakGlassReview => "break_glass:review", None, Read;
    /// Confirm or review it. The trigger decides which of two scopes it takes, so the handler asks for it.
    BreakGlassMove => "", None, Write;
    /// Place and lift legal holds.
    HoldWrite => "holds:write", None, Write;
    /// Look at legal holds.
    HoldRead => "holds:read", None, Read;
    /// Look at what fell due by the retention schedule.
    RetentionRead => "retention:read", None, Read;
    /// Decide what becomes of it.
    RetentionDecide => "retention:decide", None, Write;
    /// Ask that a person be erased.
    ErasurePropose => "shred:propose", None, Write;
    /// Look at erasures. Either of two scopes will do, so the handler asks for them.
    ErasureRead => "", None, Read;
    /// Decide on erasures. The trigger decides which of two scopes it takes, so the handler asks for it.
    ErasureMove => "", None, Write;
    /// Bring many cases in.
    ImportCreate => "imports:create", Some(OPERATIONAL), Write;
    /// Take out what one sees.
    ExportCreate => "exports:create", None, Write;
    /// Look at one's own jobs: any valid token.
    JobRead => "", None, Read;
    /// Call off one's own jobs: any valid token.
    JobMove => "", None, Write;
    /// Look at the directory of agencies: any valid token.
    AgencyRead => "", None, Read;
    /// Keep the directory of agencies.
    AgencyManage => "agencies:manage", None, Write;
    /// Look at exact figures over what the agency may see.
    StatisticsRead => "statistics:read", None, Read;
    /// Propose figures for publication. The handler asks for an agency that supervises.
    StatisticsPublish => "statistics:publish", Some(&[Purpose::Oversight, Purpose::Statistics]), Write;
    /// Look at proposed releases. Either of two scopes will do, so the handler asks for them.
    ReleaseRead => "", None, Read;
    /// Let them go. The trigger decides which of two scopes it takes, so the handler asks for it.
    ReleaseMove => "", None, Write;
    /// Look at the record: all of it for oversight, one's own agency's entries for a partner.
    AuditRead => "audit:read", None, Read;
    /// Say what an alert on looking was.
    AuditReview => "audit:review", None, Write;
    /// Look at checkpoints and proofs.
    AuditProof => "audit.proof:read", None, Read;
    /// Follow what changes.
    EventRead => "events:read", None, Read;
    /// Keep the agency's webhooks.
    WebhookManage => "webhooks:manage", None, Write;
}

/// Every scope that a client can be given.
pub const SCOPES: &[(&str, &str)] = &[
    ("cases:read", "Look at the cases that the agency may see"),
    ("cases:write", "Open, amend and move the agency's cases"),
    ("victims:read", "Look at victims, pseudonymous"),
    ("victims:write", "Add and amend victims"),
    ("victims.identity:read", "Look at who a victim is"),
    ("victims.identity:write", "Say who a victim is"),
    ("victims:search", "Look for a victim by name, document, telephone or birth year"),
    ("accused:search", "Look for an accused by name, document, telephone or birth year"),
    ("deconfliction:ask", "Ask whether another agency knows a person"),
    ("accused:read", "Look at accused persons, pseudonymous"),
    ("accused:write", "Add and amend accused persons"),
    ("accused.identity:read", "Look at who an accused person is"),
    ("accused.identity:write", "Say who an accused person is"),
    ("persons:merge", "Say that two records are of one person, or that they are not"),
    ("charges:read", "Look at charges"),
    ("charges:write", "Make and amend charges"),
    ("referrals:read", "Look at the agency's referrals"),
    ("referrals:write", "Draft, send and revoke referrals"),
    ("referrals:decide", "Accept, reject and complete referrals"),
    ("assistance:read", "Look at the help that victims need and get, and at reunifications"),
    ("assistance:write", "Register and move help and reunifications"),
    ("programmes:read", "Look at campaigns, trainings, fundings and their totals"),
    ("programmes:write", "Keep the agency's campaigns, trainings and fundings"),
    ("corrections:read", "Look at corrections that the agency proposed or received"),
    ("corrections:write", "Propose, answer and withdraw corrections"),
    ("break_glass:invoke", "Look at a case in an emergency"),
    ("break_glass:review", "Review how glass was broken"),
    ("holds:read", "Look at legal holds"),
    ("holds:write", "Place and lift legal holds"),
    ("retention:read", "Look at what fell due by the retention schedule"),
    ("retention:decide", "Decide whether it is kept, restricted or forgotten"),
    ("shred:propose", "Ask that a person be erased"),
    ("shred:approve", "Agree that a person be erased, or not"),
    ("imports:create", "Bring many cases in from a file"),
    ("exports:create", "Take out, as files, what the agency may see"),
    ("exports.identity:create", "Take out who persons are"),
    ("agencies:manage", "Keep the directory of agencies"),
    ("statistics:read", "Look at exact figures over the cases that the agency may see; for oversight, over all of them"),
    ("statistics:publish", "Propose releases of figures, for oversight"),
    ("statistics:approve", "Let releases of figures go that somebody else proposed, or not; for oversight"),
    ("audit:read", "Look at the record of what the agency did; for oversight, of what anybody did"),
    ("audit:review", "Acknowledge alerts on looking: oversight"),
    ("audit.proof:read", "Look at the record's checkpoints and proofs"),
    ("tokens:introspect", "Ask whether any client's token holds, as a gateway before the registry"),
    ("events:read", "Follow what changes in the records that the other scopes read"),
    ("webhooks:manage", "Keep the agency's webhooks"),
];

/// The scope as the program knows it.
pub fn known(scope: &str) -> Option<&'static str> {
    SCOPES.iter().map(|(name, _)| *name).find(|name| *name == scope)
}

/// Scopes that no client has both of: nobody reviews what it did itself.
pub const APART: &[(&str, &str)] = &[
    ("break_glass:invoke", "break_glass:review"),
    ("shred:propose", "shred:approve"),
    ("statistics:publish", "statistics:approve"),
];

/// Every scope that one client can have together with all the others: of two that are kept apart, the one that looks at
/// what the other did.
pub fn together() -> Vec<&'static str> {
    SCOPES.iter().map(|(name, _)| *name).filter(|name| !APART.iter().any(|(acts, _)| acts == name)).collect()
}

/// Whether a scope opens a person's identity, or lets its holder test one.
pub fn is_identity(scope: &str) -> bool {
    scope.contains(".identity:") || scope.ends_with(":search") || scope == "deconfliction:ask"
}

/// Whether a token opens what another permission guards.
pub fn opens<P: Permission>(caller: &Caller) -> bool {
    caller.has(P::SCOPE) && P::PURPOSES.is_none_or(|purposes| purposes.contains(&caller.purpose))
}

/// A body that names somebody takes what writing an identity takes.
pub fn may_name(caller: &Caller, named: bool) -> Result<()> {
    if !named || opens::<VictimIdentityWrite>(caller) {
        Ok(())
    } else if caller.has(VictimIdentityWrite::SCOPE) {
        Err(Error::PurposeNotAllowed)
    } else {
        Err(Error::InsufficientScope(VictimIdentityWrite::SCOPE))
    }
}
