//! How a caller stands to help that one person gets: the same for assistance and for reunifications.

use crate::auth::Scope;
use crate::cases::Section;
use crate::cases::docket::Relation;
use crate::db::Conn;
use crate::kernel::ids::VictimId;
use crate::kernel::{AgencyCode, Error, Result};
use crate::victims;

/// What a caller is to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Keeps it: an owner of a case of the victim, or the agency that registered it and still sees it.
    Keeper,
    /// Gives the help, and sees this record only.
    Helper,
    /// Sees it with the victim.
    Viewer,
}

/// How a caller stands to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it is to it.
    pub role: Role,
    /// Whether names in it may be shown, as far as the case decides: scope and purpose are the door's business.
    pub identity: bool,
}

impl Standing {
    /// Whether it keeps the record.
    pub fn keeps(self) -> bool {
        self.role == Role::Keeper
    }

    /// The keeper may go on; others may look.
    pub fn must_keep(self) -> Result<()> {
        if self.keeps() { Ok(()) } else { Err(Error::OwnerOnly) }
    }

    /// The view part of an entity tag.
    pub fn tag(self) -> String {
        let role = match self.role {
            Role::Keeper => 'k',
            Role::Helper => 'p',
            Role::Viewer => 'v',
        };
        role.to_string()
    }
}

/// A record, as far as it decides who sees it.
#[derive(Clone, Copy, Debug)]
pub struct Helped<'h> {
    /// Whom it helps.
    pub victim: VictimId,
    /// Who registered it.
    pub registrar: &'h AgencyCode,
    /// Who gives the help.
    pub helper: Option<&'h AgencyCode>,
    /// Whether a helper other than the registrar still sees it.
    pub shown: bool,
}

/// How the caller stands to a record; `NotFound` for what is absent or invisible alike.
pub fn stand(conn: &mut Conn, scope: &Scope, of: Helped<'_>) -> Result<Standing> {
    let mine = of.registrar == scope.agency();
    let helps = !scope.oversight() && of.helper == Some(scope.agency());
    let (role, identity) = match victims::through(conn, scope, of.victim, Section::Assistance) {
        Ok(sight) => {
            let role = match sight.relation {
                Relation::Owner => Role::Keeper,
                Relation::Participant if mine => Role::Keeper,
                Relation::Participant if helps => Role::Helper,
                Relation::Participant | Relation::Oversight => Role::Viewer,
            };
            (role, sight.sees_identity(of.victim) || role == Role::Helper)
        }
        Err(Error::NotFound) if helps && mine => (Role::Keeper, true),
        Err(Error::NotFound) if helps && of.shown => (Role::Helper, true),
        Err(other) => return Err(other),
    };
    Ok(Standing { role, identity })
}
