//! What an answer of S3 means for the user, and whether asking again in another way may help.
//!
//! object_store tells S3's own error code only as text: the document that came with the answer is part of its message.
//! It is read here and nowhere else. Source: the API's list of error responses.

use std::fmt;

use serde::Deserialize;

use crate::error::{Code, Error, codes};

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    List,
    Get,
    Put,
    /// Under a condition that the request itself may make untrue.
    PutIf,
    BeginUpload,
    CompleteUpload,
    Delete,
    ListUploads,
    AbortUpload,
}

impl Action {
    /// Whether what was done already is done again without harm, or with such as can be seen: an upload that was begun
    /// twice is aborted with the others of its name, one that is gone was completed if its object is there, and what
    /// stands in the way of an object under a condition may be that object. What else is so, object_store repeats.
    fn is_repeatable(self) -> bool {
        matches!(
            self,
            Action::PutIf | Action::Delete | Action::AbortUpload | Action::BeginUpload | Action::CompleteUpload
        )
    }

    /// The name that policies know it by.
    fn permission(self) -> &'static str {
        match self {
            Action::List => "s3:ListBucket",
            Action::Get => "s3:GetObject",
            Action::Put | Action::PutIf | Action::BeginUpload | Action::CompleteUpload => "s3:PutObject",
            Action::Delete => "s3:DeleteObject",
            Action::ListUploads => "s3:ListBucketMultipartUploads",
            Action::AbortUpload => "s3:AbortMultipartUpload",
        }
    }
}

/// Reads after "cannot".
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::List => "list",
            Action::Get => "read",
            Action::Put | Action::PutIf | Action::BeginUpload | Action::CompleteUpload => "write",
            Action::Delete => "delete",
            Action::ListUploads => "list the unfinished uploads of",
            Action::AbortUpload => "abort an upload of",
        })
    }
}

/// What may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The token expired although it was said to live longer, or somebody revoked it.
    FreshCredentials,
    /// The bucket lies elsewhere.
    OtherRegion,
    /// The connection or the server broke: the request may just be made again.
    Repeat,
    /// Another request for the same object was in the way: this one may be made again soon.
    WaitForOther,
}

/// The document that S3 sends with an error.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorDocument {
    code: String,
    #[serde(default)]
    message: String,
}

/// How object_store tells that one of several objects could not be deleted; the key, S3's message and code follow.
const REFUSED_KEY: &str = "DeleteObjects request failed for key ";

impl ErrorDocument {
    fn find(text: &str) -> Option<ErrorDocument> {
        if let Some((_, of_key)) = text.split_once(REFUSED_KEY) {
            let (message, code) = of_key.rsplit_once(" (code: ")?;
            return Some(ErrorDocument { code: code.trim_end_matches(')').to_owned(), message: message.to_owned() });
        }
        let start = text.find("<Error>")?;
        let end = text.rfind("</Error>")? + "</Error>".len();
        quick_xml::de::from_str(text.get(start..end)?).ok()
    }

    /// Another request for the same object was under way; this one was not carried out.
    fn is_conflict(&self) -> bool {
        matches!(self.code.as_str(), "OperationAborted" | "ConditionalRequestConflict")
    }
}

/// Whether the condition of a conditional write does not hold. An answer of 409 may also mean that another request for
/// the same object is under way, and then the condition was not looked at.
pub(super) fn is_unmet(error: &object_store::Error) -> bool {
    match error {
        object_store::Error::Precondition { .. } => true,
        object_store::Error::AlreadyExists { .. } => {
            !ErrorDocument::find(&error.to_string()).is_some_and(|document| document.is_conflict())
        }
        _ => false,
    }
}

/// Says what may help against `error`, if anything.
pub(super) fn remedy(action: Action, error: &object_store::Error) -> Option<Remedy> {
    let Some(document) = ErrorDocument::find(&error.to_string()) else {
        return match error {
            object_store::Error::AlreadyExists { .. } => Some(Remedy::WaitForOther),
            object_store::Error::Generic { .. } => action.is_repeatable().then_some(Remedy::Repeat),
            _ => None,
        };
    };
    if document.is_conflict() {
        return Some(Remedy::WaitForOther);
    }
    match document.code.as_str() {
        "InternalError" | "ServiceUnavailable" | "SlowDown" if action.is_repeatable() => Some(Remedy::Repeat),
        "ExpiredToken" | "TokenRefreshRequired" | "ExpiredTokenException" => Some(Remedy::FreshCredentials),
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
            Some(Remedy::OtherRegion)
        }
        _ => None,
    }
}

/// Makes our error of `error`. `place` is what was asked for, `origin` whose credentials were used.
pub(super) fn of_s3(action: Action, place: &dyn fmt::Display, origin: &str, error: object_store::Error) -> Error {
    // What the provider of credentials says is said already.
    let error = match error {
        object_store::Error::Generic { source, .. } if source.is::<Error>() => {
            return match source.downcast::<Error>() {
                Ok(ours) => *ours,
                Err(_) => Error::internal("an error is not what it was a moment ago"),
            };
        }
        error => error,
    };
    let document = ErrorDocument::find(&error.to_string());
    let code = code_of(action, document.as_ref(), &error);
    let message = match code {
        codes::NOT_FOUND => match document.as_ref().map(|document| document.code.as_str()) {
            Some("NoSuchBucket") => format!("{place} does not exist: there is no such bucket"),
            _ => format!("{place} does not exist"),
        },
        codes::FILE_CHANGED => format!("{place} was replaced since it was listed"),
        codes::ACCESS_DENIED => format!("not allowed to {action} {place}"),
        _ => format!("cannot {action} {place}"),
    };
    let out = Error::new(code, message);
    let out = if code == codes::ACCESS_DENIED {
        out.with_hint(format!("that takes the permission {}", action.permission()))
            .with_hint(format!("the credentials are those of {origin}"))
    } else if document.as_ref().is_some_and(|document| document.code == "NoSuchBucket") {
        out.with_hint("a bucket in China or in GovCloud is found only with its region, as in AWS_REGION=cn-north-1")
    } else {
        out
    };
    match document {
        Some(ErrorDocument { code, message }) if message.is_empty() => out.with_source(format!("S3 says {code}")),
        Some(ErrorDocument { code, message }) => out.with_source(format!("S3 says {code}: {message}")),
        None => out.with_source(error),
    }
}

fn code_of(action: Action, document: Option<&ErrorDocument>, error: &object_store::Error) -> Code {
    use object_store::Error as Foreign;
    match document.map(|document| document.code.as_str()) {
        Some("NoSuchKey" | "NoSuchBucket" | "NoSuchUpload") => return codes::NOT_FOUND,
        Some("InvalidRange") => return codes::FILE_CHANGED,
        Some(
            "AccessDenied"
            | "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "InvalidToken"
            | "TokenRefreshRequired"
            | "RequestTimeTooSkewed"
            | "AllAccessDisabled"
            | "AccountProblem",
        ) => return codes::ACCESS_DENIED,
        Some(code) if code.starts_with("KMS.") => return codes::ACCESS_DENIED,
        _ => {}
    }
    match error {
        Foreign::NotFound { .. } => codes::NOT_FOUND,
        Foreign::PermissionDenied { .. } | Foreign::Unauthenticated { .. } => codes::ACCESS_DENIED,
        Foreign::Precondition { .. } if action == Action::Get => codes::FILE_CHANGED,
        _ => codes::STORAGE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: &str, document: &str) -> object_store::Error {
        let text = format!("Server returned non-2xx status code: {status}: <?xml version=\"1.0\"?>\n{document}");
        object_store::Error::Generic { store: "S3", source: text.into() }
    }

    #[test]
    fn the_document_says_what_it_means() {
        let check = |code: &str, expect: Code, what: &str| {
            let document = format!("<Error><Code>{code}</Code><Message>m &amp; n</Message></Error>");
            let error = of_s3(Action::Get, &"s3://b/k", "the environment", answer("400 Bad Request", &document));
            assert_eq!(error.code(), expect, "{code}");
            assert!(error.message().contains(what), "{}", error.message());
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert_eq!(source, format!("S3 says {code}: m & n"));
        };
        check("ExpiredToken", codes::ACCESS_DENIED, "not allowed to read s3://b/k");
        check("NoSuchBucket", codes::NOT_FOUND, "no such bucket");
        check("InvalidRange", codes::FILE_CHANGED, "replaced");
        check("SlowDown", codes::STORAGE, "cannot read");
        check("KMS.DisabledException", codes::ACCESS_DENIED, "not allowed");
    }

    #[test]
    fn denied_says_which_permission_and_whose() {
        let document = "<Error><Code>AccessDenied</Code></Error>";
        let error = of_s3(Action::List, &"s3://b/k", "the profile `x`", answer("403 Forbidden", document));
        assert_eq!(
            error.hints(),
            ["that takes the permission s3:ListBucket", "the credentials are those of the profile `x`"]
        );
    }

    #[test]
    fn objects_that_may_not_be_deleted_are_denied() {
        let answer = |code: &str| object_store::Error::Generic {
            store: "S3",
            source: format!("DeleteObjects request failed for key a/(b: Access Denied (code: {code})").into(),
        };
        assert_eq!(remedy(Action::Delete, &answer("AccessDenied")), None);
        assert_eq!(remedy(Action::Delete, &answer("InternalError")), Some(Remedy::Repeat));
        let error = of_s3(Action::Delete, &"s3://b/a/(b", "the environment", answer("AccessDenied"));
        assert_eq!(
            (error.code(), error.hints()[0].as_str()),
            (codes::ACCESS_DENIED, "that takes the permission s3:DeleteObject")
        );
    }

    #[test]
    fn remedies() {
        let of = |code: &str| remedy(Action::Get, &answer("400", &format!("<Error><Code>{code}</Code></Error>")));
        assert_eq!(of("ExpiredToken"), Some(Remedy::FreshCredentials));
        assert_eq!(of("PermanentRedirect"), Some(Remedy::OtherRegion));
        assert_eq!(of("AccessDenied"), None);
        assert_eq!(remedy(Action::Get, &answer("403", "")), None);
        assert_eq!(remedy(Action::Delete, &answer("", "")), Some(Remedy::Repeat));
        assert_eq!(remedy(Action::PutIf, &answer("", "")), Some(Remedy::Repeat));
    }
}
