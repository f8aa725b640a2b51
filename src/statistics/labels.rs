//! Words for people: titles and labels of figures in Spanish, English and French. Pure. Codes of lists come from the
//! catalogue; only what figures alone speak of is here.

use super::facts::NOT_RECORDED;
use super::question::{Dimension, Subject};
use crate::catalogue::Catalogue;

/// Spanish, English, French.
type Words = (&'static str, &'static str, &'static str);

fn pick(words: Words, lang: &str) -> &'static str {
    match lang {
        "en" => words.1,
        "fr" => words.2,
        _ => words.0,
    }
}

/// The name of a subject.
pub fn subject(subject: Subject, lang: &str) -> &'static str {
    let words = match subject {
        Subject::Cases => ("Casos", "Cases", "Dossiers"),
        Subject::Victims => ("Víctimas", "Victims", "Victimes"),
        Subject::Accused => ("Personas imputadas", "Accused persons", "Personnes mises en cause"),
        Subject::Charges => ("Cargos", "Charges", "Chefs d'accusation"),
    };
    pick(words, lang)
}

/// The name of a dimension.
pub fn dimension(dimension: Dimension, lang: &str) -> &'static str {
    use Dimension as D;
    let words = match dimension {
        D::Stage => ("etapa", "stage", "étape"),
        D::Exploitation => ("forma de explotación", "form of exploitation", "forme d'exploitation"),
        D::Form => ("grupo de formas", "group of forms", "groupe de formes"),
        D::Sector => ("sector (CIIU)", "sector (ISIC)", "secteur (CITI)"),
        D::Scope => ("alcance", "reach", "portée"),
        D::Department => ("departamento", "department", "département"),
        D::Place => ("lugar (UBIGEO)", "place (UBIGEO)", "lieu (UBIGEO)"),
        D::Month => ("mes", "month", "mois"),
        D::Quarter => ("trimestre", "quarter", "trimestre"),
        D::Year => ("año", "year", "année"),
        D::Agency => ("entidad", "agency", "autorité"),
        D::Channel => ("canal de denuncia", "report channel", "voie de signalement"),
        D::Complexity => ("complejidad", "complexity", "complexité"),
        D::Procedure => ("código procesal", "code of procedure", "code de procédure"),
        D::Sex => ("sexo", "sex", "sexe"),
        D::AgeBand => ("grupo de edad", "age band", "tranche d'âge"),
        D::Minority => ("minoría de edad", "minority", "minorité"),
        D::Nationality => ("nacionalidad", "nationality", "nationalité"),
        D::Status => ("condición de víctima", "victim status", "statut de victime"),
        D::Recruitment => ("captación", "recruitment", "recrutement"),
        D::Purpose => ("finalidad", "purpose", "finalité"),
        D::CareState => ("atención a la víctima", "victim's care", "accompagnement de la victime"),
        D::CareReached => ("etapa de atención alcanzada", "stage of care reached", "étape d'accompagnement atteinte"),
        D::Kind => ("tipo", "kind", "type"),
        D::Offence => ("delito", "offence", "infraction"),
        D::ChargeState => ("estado del cargo", "state of the charge", "état du chef"),
        D::Role => ("rol", "role", "rôle"),
        D::Outcome => ("fallo", "outcome", "décision"),
        D::DecidedYear => ("año del fallo", "year of the decision", "année de la décision"),
    };
    pick(words, lang)
}

/// The name of a value; the code itself where it has none.
pub fn value(law: &Catalogue, of: Dimension, code: &str, lang: &str) -> String {
    let own: Option<Words> = match code {
        NOT_RECORDED => Some(("sin registro", "not recorded", "non renseigné")),
        "minor" => Some(("menor de 18", "under 18", "moins de 18 ans")),
        "adult" => Some(("adulto", "adult", "adulte")),
        "presumed_minor" => Some(("menor presunto", "presumed minor", "mineur présumé")),
        "sexual" => Some(("sexual", "sexual", "sexuelle")),
        "labour" => Some(("laboral", "labour", "travail")),
        "other" if of == Dimension::Form => Some(("otras", "other", "autres")),
        "mixed" => Some(("mixta", "mixed", "mixte")),
        _ => None,
    };
    if let Some(words) = own {
        return pick(words, lang).to_owned();
    }
    let listed = of.list().and_then(|list| {
        law.code_lists().iter().filter(|l| l.list == list).find_map(|l| l.codes.iter().find(|c| c.code == code))
    });
    if let Some(found) = listed {
        return found.labels.get(lang).to_owned();
    }
    match of {
        Dimension::Offence => law.offence(code).map(|o| o.labels.get(lang).to_owned()),
        Dimension::Department => law.departments().iter().find(|d| d.code == code).map(|d| d.name.clone()),
        Dimension::Agency => law.agencies().iter().find(|a| a.code == code).map(|a| a.labels.get(lang).to_owned()),
        _ => None,
    }
    .unwrap_or_else(|| code.to_owned())
}

/// `by` between a subject and its dimensions.
pub fn by(lang: &str) -> &'static str {
    pick(("por", "by", "par"), lang)
}

/// What the chart tells a reader who does not see it.
pub fn total(lang: &str) -> &'static str {
    pick(("total", "total", "total"), lang)
}
