//! The services that hand out credentials: STS, the metadata of an instance, of a container, SSO.
//!
//! All of them stand on the same port: `POST /` is STS, `/latest/…` an instance, `/container` a container, which
//! wants the header `authorization: container-token`, and `/federation/…` the portal of SSO, whose token is `sso-token`.

use http::{HeaderMap, Method, StatusCode};
use serde::Serialize;

use crate::answer::{self, Answer};

/// The key of whoever has credentials to begin with.
pub const KEY_ID: &str = "AKIABASE";
/// The key that STS, instances and containers give.
pub const ROLE_KEY_ID: &str = "ASIAROLE";

const EXPIRATION: &str = "2099-01-01T00:00:00Z";
const METADATA_TOKEN: &str = "metadata-token";
const SSO_TOKEN: &str = "sso-token";

/// Answers a request for credentials; `None` if it is none.
pub(crate) fn answer(method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Option<Answer> {
    let has = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
    let denied = || answer::error(403, "AccessDenied");
    let keys = || {
        let text = format!(
            "{{\"AccessKeyId\": \"{ROLE_KEY_ID}\", \"SecretAccessKey\": \"role-secret\", \"Token\": \"role-token\", \
             \"Expiration\": \"{EXPIRATION}\"}}"
        );
        answer::bytes(StatusCode::OK, text)
    };
    Some(match (method.as_str(), path) {
        ("POST", "/") => sts(headers, body),
        ("PUT", "/latest/api/token") => answer::bytes(StatusCode::OK, METADATA_TOKEN),
        ("GET", path) if path.starts_with("/latest/") && !has("x-aws-ec2-metadata-token", METADATA_TOKEN) => denied(),
        ("GET", "/latest/meta-data/iam/security-credentials/") => answer::bytes(StatusCode::OK, "the-role"),
        ("GET", "/latest/meta-data/iam/security-credentials/the-role") => keys(),
        ("GET", "/federation/credentials") if has("x-amz-sso_bearer_token", SSO_TOKEN) => sso(),
        ("GET", "/federation/credentials") => denied(),
        ("GET", "/container") if has("authorization", "container-token") => keys(),
        ("GET", "/container") => denied(),
        _ => return None,
    })
}

/// Milliseconds since 1970 say when these expire.
fn sso() -> Answer {
    let text = format!(
        "{{\"roleCredentials\": {{\"accessKeyId\": \"{ROLE_KEY_ID}\", \"secretAccessKey\": \"role-secret\", \
         \"sessionToken\": \"role-token\", \"expiration\": 4070908800000}}}}"
    );
    answer::bytes(StatusCode::OK, text)
}

fn sts(headers: &HeaderMap, body: &[u8]) -> Answer {
    let fields: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    let has = |name: &str, value: &str| fields.iter().any(|(key, found)| key == name && found == value);
    let is_signed = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains(&format!("Credential={KEY_ID}/")) && value.contains("/sts/aws4_request"));
    let response = |result| StsResponse { result };
    let credentials = Credentials {
        access_key_id: ROLE_KEY_ID,
        secret_access_key: "role-secret",
        session_token: "role-token",
        expiration: EXPIRATION,
    };
    if has("Action", "AssumeRole") && is_signed && has("RoleArn", "arn:aws:iam::1:role/logs") {
        answer::document("AssumeRoleResponse", &response(StsResult::AssumeRoleResult(Held { credentials })))
    } else if has("Action", "AssumeRoleWithWebIdentity") && has("WebIdentityToken", "web-token") {
        let result = StsResult::AssumeRoleWithWebIdentityResult(Held { credentials });
        answer::document("AssumeRoleWithWebIdentityResponse", &response(result))
    } else {
        answer::error(403, "AccessDenied")
    }
}

#[derive(Serialize)]
struct StsResponse {
    #[serde(rename = "$value")]
    result: StsResult,
}

#[derive(Serialize)]
enum StsResult {
    AssumeRoleResult(Held),
    AssumeRoleWithWebIdentityResult(Held),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Held {
    credentials: Credentials,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    access_key_id: &'static str,
    secret_access_key: &'static str,
    session_token: &'static str,
    expiration: &'static str,
}
