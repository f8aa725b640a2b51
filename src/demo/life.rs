//! How far procedure gets with a synthetic case, and when: whole lives, within the law's limits most of the time. Pure.
//!
//! After five years: archived 55 %, dismissed 5 %, decided 20 %, the rest on its way (an assumption without source).

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

use super::story::index;
use crate::kernel::Timestamp;

/// One move of the case's stage.
#[derive(Clone, Debug)]
pub struct Move {
    /// Trigger of the profile.
    pub trigger: &'static str,
    /// The act on which it rests.
    pub legal_act: &'static str,
    /// The outcome of a judgment, where it is one.
    pub outcome: Option<&'static str>,
    /// When.
    pub at: Timestamp,
}

/// What is known of who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    Nobody,
    /// Who, and no charge stands.
    Somebody,
    /// Who, and of what.
    Charged,
}

/// Trigger, kind of act, least and most days after the move before.
type Act = (&'static str, &'static str, i64, i64);

const OPEN: Act = ("open_inquiry", "disposicion", 0, 2);
const ARCHIVE: Act = ("not_formalise", "disposicion", 25, 58);
const FORMALISE: Act = ("formalise", "disposicion", 20, 58);
const CONCLUDE: Act = ("conclude", "disposicion", 60, 118);
const ACCUSE: Act = ("accuse", "requerimiento", 3, 18);
const CONVENE: Act = ("notify_and_convene", "resolucion", 2, 9);
const ORDER_TRIAL: Act = ("issue_enjuiciamiento", "auto", 12, 40);
const TRIAL: Act = ("summon_and_open", "auto", 20, 90);
const JUDGE: Act = ("deliver_judgment", "sentencia", 20, 200);
const FIRM: Act = ("no_appeal", "resolucion", 12, 25);
const APPEAL: Act = ("appeal_judgment", "recurso", 1, 3);
const CONFIRM: Act = ("confirm", "sentencia", 60, 240);
const ANNUL: Act = ("annul_and_retry", "sentencia", 60, 240);
const REGISTER: Act = ("register_conviction", "resolucion", 5, 40);
const CLOSE_ACQUITTED: Act = ("close_acquitted", "resolucion", 5, 40);
const PLEA: Act = ("early_termination", "solicitud", 20, 100);
const AGREED: Act = ("approve_agreement", "sentencia", 6, 20);
const DISMISSAL: Act = ("request_dismissal", "requerimiento", 3, 18);
const DISMISSED: Act = ("grant_dismissal", "auto", 12, 20);
const CLOSE_DISMISSED: Act = ("close_dismissed", "resolucion", 5, 30);
const RESERVE: Act = ("author_unidentified", "disposicion", 30, 58);
// Code of 1940.
const ACCUSE_1940: Act = ("accuse", "requerimiento", 90, 180);
const FORMALISE_1940: Act = ("formalise", "auto", 20, 90);
const NULLITY: Act = ("file_nullity", "recurso", 1, 10);
const DECIDE_NULLITY: Act = ("decide_nullity", "ejecutoria", 200, 600);

/// What happens to a case, up to `today`.
pub fn live(chance: &mut Xoshiro256PlusPlus, start: Timestamp, today: Timestamp, modern: bool, known: Known) -> Vec<Move> {
    let convicted = chance.random_bool(0.68);
    let ends: &[Act] = if convicted { &[REGISTER] } else { &[CLOSE_ACQUITTED] };
    let mut way = vec![OPEN];
    if known != Known::Charged {
        way.push(if modern && known == Known::Nobody && chance.random_bool(0.4) { RESERVE } else { ARCHIVE });
    } else if modern {
        match index(chance, &[50, 8, 6, 10, 26]) {
            0 => way.push(ARCHIVE),
            1 => way.extend([FORMALISE, CONCLUDE, DISMISSAL, DISMISSED, CLOSE_DISMISSED]),
            2 => way.extend([FORMALISE, PLEA, AGREED, FIRM, REGISTER]),
            3 => way.push(FORMALISE),
            _ => {
                way.extend([FORMALISE, CONCLUDE, ACCUSE, CONVENE, ORDER_TRIAL, TRIAL, JUDGE]);
                match index(chance, &[40, 45, 15]) {
                    0 => way.push(FIRM),
                    1 => way.extend([APPEAL, CONFIRM]),
                    _ => way.extend([APPEAL, ANNUL, TRIAL, JUDGE, FIRM]),
                }
                way.extend(ends);
            }
        }
    } else {
        match index(chance, &[55, 15, 30]) {
            0 => way.push(ARCHIVE),
            1 => way.push(FORMALISE_1940),
            _ => {
                way.extend([FORMALISE_1940, ACCUSE_1940, ORDER_TRIAL, TRIAL, JUDGE]);
                if chance.random_bool(0.5) {
                    way.extend([NULLITY, DECIDE_NULLITY]);
                } else {
                    way.push(FIRM);
                }
                way.extend(ends);
            }
        }
    }
    let mut at = start.plus_seconds(7_200);
    let mut moves = Vec::with_capacity(way.len());
    for (trigger, legal_act, least, most) in way {
        let mut days = chance.random_range(least..=most);
        // One in twelve comes late, as in life; never an appeal, which would not be heard.
        if trigger != APPEAL.0 && chance.random_bool(1.0 / 12.0) {
            days += most / 2;
        }
        at = at.plus_seconds(86_400 * days + chance.random_range(60..7_000_i64));
        if at > today {
            break;
        }
        let outcome = match trigger {
            "deliver_judgment" => Some(if convicted { "convicted" } else { "acquitted" }),
            "approve_agreement" => Some("convicted"),
            _ => None,
        };
        moves.push(Move { trigger, legal_act, outcome, at });
    }
    moves
}
