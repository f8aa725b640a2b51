//! The table of problems: code, status, titles. Part of the contract: codes are added, never changed.

use super::lang::Lang;
use crate::kernel::FaultCode;
use crate::kernel::error::{Error, Unavailable};

/// One kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct ProblemKind {
    /// Machine code, and the last segment of its type URI.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    es: &'static str,
    en: &'static str,
    fr: &'static str,
}

impl ProblemKind {
    /// The title in a language.
    pub fn title(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::Es => self.es,
            Lang::En => self.en,
            Lang::Fr => self.fr,
        }
    }
}

macro_rules! problems {
    ($($name:ident = $code:literal $status:literal $es:literal $en:literal $fr:literal;)*) => {
        $(static $name: ProblemKind = ProblemKind { code: $code, status: $status, es: $es, en: $en, fr: $fr };)*
        /// Every kind of problem.
        pub static ALL: &[&ProblemKind] = &[$(&$name),*];
    };
}

problems! {
    INVALID_JSON = "invalid_json" 400 "El cuerpo no es JSON válido" "The body is not valid JSON" "Le corps n'est pas du JSON valide";
    INVALID_REQUEST = "invalid_request" 400 "La solicitud no se puede leer" "The request cannot be read" "La requête est illisible";
    INVALID_PARAMETER = "invalid_parameter" 400 "Parámetro no válido" "Invalid parameter" "Paramètre non valide";
    UNKNOWN_PARAMETER = "unknown_parameter" 400 "Parámetro desconocido" "Unknown parameter" "Paramètre inconnu";
    INVALID_HEADER = "invalid_header" 400 "Cabecera no válida" "Invalid header" "En-tête non valide";
    INVALID_CURSOR = "invalid_cursor" 400 "Cursor no válido o vencido" "Invalid or expired cursor" "Curseur non valide ou expiré";
    IDEMPOTENCY_KEY_REQUIRED = "idempotency_key_required" 400 "Falta Idempotency-Key" "Idempotency-Key is missing" "Idempotency-Key manque";
    AUTHENTICATION_REQUIRED = "authentication_required" 401 "Se requiere autenticación" "Authentication required" "Authentification requise";
    INVALID_TOKEN = "invalid_token" 401 "Credencial no válida" "Invalid credentials" "Jeton non valide";
    INVALID_DPOP_PROOF = "invalid_dpop_proof" 401 "Prueba de posesión no válida" "Invalid proof of possession" "Preuve de possession non valide";
    USE_DPOP_NONCE = "use_dpop_nonce" 401 "La prueba de posesión necesita el nonce del servidor" "The proof of possession needs the server's nonce" "La preuve de possession doit porter le nonce du serveur";
    INSUFFICIENT_SCOPE = "insufficient_scope" 403 "Permiso insuficiente" "Insufficient scope" "Autorisation insuffisante";
    PURPOSE_NOT_ALLOWED = "purpose_not_allowed" 403 "Finalidad no permitida" "Purpose not allowed" "Finalité non autorisée";
    FIELD_FORBIDDEN = "field_forbidden" 403 "Campo no permitido" "Field not allowed" "Champ non autorisé";
    CLIENT_SUSPENDED = "client_suspended" 403 "Cliente suspendido" "Client suspended" "Client suspendu";
    OWNER_ONLY = "owner_only" 403 "Solo la entidad titular puede hacerlo" "Only the owner agency may do this" "Réservé à l'autorité titulaire";
    NOT_FOUND = "not_found" 404 "No encontrado" "Not found" "Introuvable";
    METHOD_NOT_ALLOWED = "method_not_allowed" 405 "Método no permitido" "Method not allowed" "Méthode non autorisée";
    NOT_ACCEPTABLE = "not_acceptable" 406 "Formato no disponible" "Not acceptable" "Format non disponible";
    REQUEST_TIMEOUT = "request_timeout" 408 "El cuerpo no llegó a tiempo" "The body did not arrive in time" "Le corps n'est pas arrivé à temps";
    STATE_CONFLICT = "state_conflict" 409 "El estado no lo permite" "The state does not allow it" "L'état ne le permet pas";
    IDEMPOTENCY_IN_PROGRESS = "idempotency_in_progress" 409 "La misma clave está en proceso" "The same key is in progress" "La même clé est en cours";
    EXTERNAL_REF_TAKEN = "external_ref_taken" 409 "external_ref ya usada por su entidad" "external_ref already used by your agency" "external_ref déjà utilisée par votre autorité";
    IDENTIFIER_TAKEN = "identifier_taken" 409 "El número ya está registrado" "The number is already registered" "Le numéro est déjà enregistré";
    EXPORT_EXPIRED = "export_expired" 410 "El archivo ya no está disponible" "The file is no longer available" "Le fichier n'est plus disponible";
    ERASED = "erased" 410 "El contenido fue suprimido" "The content was erased" "Le contenu a été effacé";
    FEED_TRUNCATED = "feed_truncated" 410 "Los eventos desde ese punto ya no se conservan" "Events after this place are no longer kept" "Les événements depuis ce point ne sont plus conservés";
    PRECONDITION_FAILED = "precondition_failed" 412 "El registro cambió" "The record has changed" "L'enregistrement a changé";
    CONTENT_TOO_LARGE = "content_too_large" 413 "Cuerpo demasiado grande" "Body too large" "Corps trop volumineux";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type" 415 "Tipo de contenido no admitido" "Unsupported media type" "Type de contenu non pris en charge";
    VALIDATION_FAILED = "validation_failed" 422 "Datos no válidos" "Invalid data" "Données non valides";
    RULE_VIOLATED = "rule_violated" 422 "Regla incumplida" "Rule violated" "Règle enfreinte";
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused" 422 "Clave usada con otro contenido" "Key used with another body" "Clé utilisée avec un autre contenu";
    PRECONDITION_REQUIRED = "precondition_required" 428 "Falta If-Match" "If-Match is missing" "If-Match manque";
    QUOTA_EXCEEDED = "quota_exceeded" 429 "Demasiadas solicitudes" "Too many requests" "Trop de requêtes";
    HEAD_TOO_LARGE = "head_too_large" 431 "Dirección o cabeceras demasiado largas" "URL or headers too long" "URL ou en-têtes trop longs";
    INTERNAL_ERROR = "internal_error" 500 "Error interno" "Internal error" "Erreur interne";
    OVERLOADED = "overloaded" 503 "Servicio saturado" "Service overloaded" "Service saturé";
    STORAGE_UNAVAILABLE = "storage_unavailable" 503 "Almacenamiento no disponible" "Storage unavailable" "Stockage indisponible";
    AUDIT_UNAVAILABLE = "audit_unavailable" 503 "Registro de accesos no disponible" "Access record unavailable" "Journal d'accès indisponible";
    SERVICE_TIMEOUT = "service_timeout" 503 "Tiempo agotado" "Timed out" "Délai dépassé";
    MAINTENANCE = "maintenance" 503 "En mantenimiento" "Under maintenance" "En maintenance";
}

/// The kind of an error. Exhaustive: a new error does not compile until it has an answer here.
pub fn kind(error: &Error) -> &'static ProblemKind {
    match error {
        Error::InvalidJson => &INVALID_JSON,
        Error::InvalidRequest => &INVALID_REQUEST,
        Error::InvalidParameter(_) => &INVALID_PARAMETER,
        Error::UnknownParameter(_) => &UNKNOWN_PARAMETER,
        Error::InvalidHeader(_) => &INVALID_HEADER,
        Error::InvalidCursor => &INVALID_CURSOR,
        Error::IdempotencyKeyRequired => &IDEMPOTENCY_KEY_REQUIRED,
        Error::AuthenticationRequired => &AUTHENTICATION_REQUIRED,
        Error::InvalidToken(_) => &INVALID_TOKEN,
        Error::InvalidDpopProof(_) => &INVALID_DPOP_PROOF,
        Error::UseDpopNonce => &USE_DPOP_NONCE,
        Error::InsufficientScope(_) => &INSUFFICIENT_SCOPE,
        Error::PurposeNotAllowed => &PURPOSE_NOT_ALLOWED,
        Error::FieldForbidden(_) => &FIELD_FORBIDDEN,
        Error::ClientSuspended => &CLIENT_SUSPENDED,
        Error::OwnerOnly => &OWNER_ONLY,
        Error::NotFound => &NOT_FOUND,
        Error::Erased => &ERASED,
        Error::FeedTruncated => &FEED_TRUNCATED,
        Error::ExportExpired => &EXPORT_EXPIRED,
        Error::MethodNotAllowed(_) => &METHOD_NOT_ALLOWED,
        Error::NotAcceptable => &NOT_ACCEPTABLE,
        Error::RequestTimeout => &REQUEST_TIMEOUT,
        Error::StateConflict(_) => &STATE_CONFLICT,
        Error::IdempotencyInProgress => &IDEMPOTENCY_IN_PROGRESS,
        Error::ExternalRefTaken => &EXTERNAL_REF_TAKEN,
        Error::IdentifierTaken(_) => &IDENTIFIER_TAKEN,
        Error::PreconditionFailed { .. } => &PRECONDITION_FAILED,
        Error::PreconditionRequired => &PRECONDITION_REQUIRED,
        Error::ContentTooLarge => &CONTENT_TOO_LARGE,
        Error::UnsupportedMediaType => &UNSUPPORTED_MEDIA_TYPE,
        Error::Validation(_) => &VALIDATION_FAILED,
        Error::Rule { .. } => &RULE_VIOLATED,
        Error::IdempotencyKeyReused => &IDEMPOTENCY_KEY_REUSED,
        Error::HeadTooLarge => &HEAD_TOO_LARGE,
        Error::QuotaExceeded { .. } => &QUOTA_EXCEEDED,
        Error::Unavailable(Unavailable::Overloaded | Unavailable::Contention) => &OVERLOADED,
        Error::Unavailable(Unavailable::Storage) => &STORAGE_UNAVAILABLE,
        Error::Unavailable(Unavailable::Audit) => &AUDIT_UNAVAILABLE,
        Error::Unavailable(Unavailable::Timeout) => &SERVICE_TIMEOUT,
        Error::Unavailable(Unavailable::Maintenance) => &MAINTENANCE,
        Error::InBatch { error, .. } => kind(error),
        Error::Internal(_) => &INTERNAL_ERROR,
    }
}

/// Code and text of a single fault.
pub fn fault(code: FaultCode, lang: Lang) -> (&'static str, &'static str) {
    let (name, es, en, fr) = match code {
        FaultCode::Required => ("required", "Falta.", "Missing.", "Manque."),
        FaultCode::UnknownField => ("unknown_field", "Campo desconocido.", "Unknown field.", "Champ inconnu."),
        FaultCode::ReadOnly => ("read_only", "Solo lectura.", "Read only.", "Lecture seule."),
        FaultCode::Type => ("type", "Tipo incorrecto.", "Wrong type.", "Type incorrect."),
        FaultCode::Enum => ("enum", "Valor fuera de la lista.", "Not in the list.", "Valeur hors liste."),
        FaultCode::MinLength => ("min_length", "Demasiado corto.", "Too short.", "Trop court."),
        FaultCode::MaxLength => ("max_length", "Demasiado largo.", "Too long.", "Trop long."),
        FaultCode::Pattern => ("pattern", "Forma no válida.", "Wrong shape.", "Forme non valide."),
        FaultCode::Format => ("format", "Formato no válido.", "Wrong format.", "Format non valide."),
        FaultCode::Minimum => ("minimum", "Demasiado pequeño.", "Too small.", "Trop petit."),
        FaultCode::Maximum => ("maximum", "Demasiado grande.", "Too large.", "Trop grand."),
        FaultCode::MinItems => ("min_items", "Faltan elementos.", "Too few items.", "Trop peu d'éléments."),
        FaultCode::MaxItems => ("max_items", "Sobran elementos.", "Too many items.", "Trop d'éléments."),
        FaultCode::UniqueItems => ("unique_items", "Repetido.", "Repeated.", "Répété."),
        FaultCode::DateOrder => {
            ("date_order", "Fechas en orden imposible.", "Dates in an impossible order.", "Dates dans un ordre impossible.")
        }
        FaultCode::CrossField => {
            ("cross_field", "Contradice otro campo.", "Contradicts another field.", "Contredit un autre champ.")
        }
        FaultCode::ReferenceNotFound => {
            ("reference_not_found", "No existe o no es visible.", "Absent or not visible.", "Absent ou non visible.")
        }
    };
    (
        name,
        match lang {
            Lang::Es => es,
            Lang::En => en,
            Lang::Fr => fr,
        },
    )
}
