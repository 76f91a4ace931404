//! As whom requests are signed: asks for credentials as the configuration says, and again before they expire.
//!
//! Source: the SDKs and Tools reference of AWS on standardized credential providers; the API references of STS
//! (`AssumeRole`, `AssumeRoleWithWebIdentity`) and of the SSO portal (`GetRoleCredentials`); version 2 of the instance
//! metadata service. Version 1 is not spoken. No program is run here: for `credential_process` the caller
//! is asked.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use object_store::CredentialProvider;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::HttpClient;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::partition::Partition;
use super::request::{self, request};
use crate::config::{CredentialSource, CredentialSupplier, Credentials, S3Config};
use crate::error::{Error, Result, codes};

/// Credentials are renewed so long before they expire. A request that goes on for longer is told `ExpiredToken`, and is
/// made again with new ones.
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// Seconds that a token for the instance's metadata is good for.
const METADATA_TOKEN_SECONDS: &str = "21600";

/// Gives the credentials of one configuration. Those that expire are kept until shortly before they do.
#[derive(Debug)]
pub(super) struct Provider {
    credentials: Credentials,
    region: String,
    sts_endpoint: Option<String>,
    sso_endpoint: Option<String>,
    http: HttpClient,
    /// Locked while new ones are fetched, so that all who need them wait for one request.
    current: Mutex<Option<Current>>,
}

#[derive(Debug, Clone)]
struct Current {
    credential: Arc<AwsCredential>,
    expires: Option<Timestamp>,
}

impl Provider {
    pub fn new(config: &S3Config) -> Result<Self> {
        Ok(Provider {
            credentials: config.credentials.clone(),
            region: config.region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
            sts_endpoint: config.sts_endpoint.clone(),
            sso_endpoint: config.sso_endpoint.clone(),
            http: request::client()?,
            current: Mutex::default(),
        })
    }

    /// Whose credentials these are, in the user's words.
    pub fn origin(&self) -> &str {
        &self.credentials.origin
    }

    /// Credentials that are good for a while.
    ///
    /// Errors: `ACCESS_DENIED`, with whose credentials could not be had and why; `BAD_SETTING` for what is set up and
    /// cannot be used.
    pub async fn credential(&self) -> Result<Arc<AwsCredential>> {
        let mut current = self.current.lock().await;
        if let Some(current) = current.as_ref()
            && current.expires.is_none_or(|expires| Timestamp::now() + RENEWED_BEFORE < expires)
        {
            return Ok(Arc::clone(&current.credential));
        }
        let fetched = match (self.fetch(&self.credentials).await, current.as_ref()) {
            (Ok(fetched), _) => fetched,
            // Those there are may last until it goes better.
            (Err(_), Some(last)) if last.expires.is_some_and(|expires| Timestamp::now() < expires) => {
                return Ok(Arc::clone(&last.credential));
            }
            (Err(error), _) => return Err(error),
        };
        let credential = Arc::clone(&fetched.credential);
        *current = Some(fetched);
        Ok(credential)
    }

    /// Has the next request fetch new ones: somebody says that these have expired.
    pub async fn forget(&self) {
        *self.current.lock().await = None;
    }

    /// Boxed, since roles are assumed by those who have others.
    fn fetch<'a>(&'a self, credentials: &'a Credentials) -> BoxFuture<'a, Result<Current>> {
        async move {
            let fetched = match &credentials.source {
                CredentialSource::Anonymous => return Err(Error::internal("a request without credentials is signed")),
                CredentialSource::Unusable { why, hints } => {
                    let error = Error::new(codes::BAD_SETTING, why.clone());
                    return Err(hints.iter().fold(error, |error, hint| error.with_hint(hint.clone())));
                }
                CredentialSource::Keys { key_id, secret, session_token } => Ok(Current {
                    credential: Arc::new(AwsCredential {
                        key_id: key_id.clone(),
                        secret_key: secret.expose().to_owned(),
                        token: session_token.as_ref().map(|token| token.expose().to_owned()),
                    }),
                    expires: None,
                }),
                CredentialSource::WebIdentity { role_arn, session_name, token_file } => {
                    self.web_identity(role_arn, session_name, token_file).await
                }
                CredentialSource::Sso { account_id, role_name, region, token_file } => {
                    self.sso(account_id, role_name, region, token_file).await
                }
                CredentialSource::AssumeRole { role_arn, session_name, external_id, duration_seconds, base } => {
                    let base = self.fetch(base).await?.credential;
                    let duration = duration_seconds.to_string();
                    let mut fields = vec![
                        ("Action", "AssumeRole"),
                        ("RoleArn", role_arn),
                        ("RoleSessionName", session_name),
                        ("DurationSeconds", &duration),
                    ];
                    fields.extend(external_id.as_deref().map(|id| ("ExternalId", id)));
                    self.ask_sts(&fields, Some(&base)).await
                }
                CredentialSource::Container { url, authorization, authorization_file } => {
                    let mut token = authorization.as_ref().map(|token| token.expose().to_owned());
                    if let Some(file) = authorization_file {
                        token = Some(read_token(file)?);
                    }
                    let headers: Vec<_> = token.iter().map(|token| ("authorization", token.as_str())).collect();
                    self.ask_json::<JsonCredentials>(Method::GET, url, &headers).await.and_then(Current::try_from)
                }
                CredentialSource::InstanceMetadata { endpoint } => self.instance_metadata(endpoint).await,
                CredentialSource::Supplied(supplier) => supplied(supplier.clone()).await,
            };
            fetched.map_err(|cause| {
                let hints = cause.hints().to_vec();
                let message = format!("no credentials could be had from {}", credentials.origin);
                let error = Error::new(codes::ACCESS_DENIED, message);
                hints.into_iter().fold(error, Error::with_hint).with_source(cause)
            })
        }
        .boxed()
    }

    async fn web_identity(&self, role_arn: &str, session_name: &str, token_file: &Path) -> Result<Current> {
        let token = read_token(token_file)?;
        let fields = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("RoleArn", role_arn),
            ("RoleSessionName", session_name),
            ("WebIdentityToken", &token),
        ];
        self.ask_sts(&fields, None).await
    }

    /// Asks the security token service for a role.
    async fn ask_sts(&self, fields: &[(&str, &str)], signer: Option<&AwsCredential>) -> Result<Current> {
        let region = &self.region;
        let endpoint = match &self.sts_endpoint {
            Some(endpoint) => endpoint.clone(),
            None => format!("https://sts.{region}.{}/", Partition::of(region)?.domain),
        };
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("Version", "2011-06-15")
            .extend_pairs(fields)
            .finish();
        let make = || {
            let headers = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/xml")];
            let mut request = request(Method::POST, &endpoint, &headers, body.clone())?;
            if let Some(signer) = signer {
                AwsAuthorizer::new(signer, "sts", region).authorize(&mut request, None);
            }
            Ok(request)
        };
        let text = request::send(&self.http, &make).await?;
        let response: StsResponse = quick_xml::de::from_str(&text).map_err(|_| unreadable(&endpoint))?;
        Current::try_from(response.result.credentials)
    }

    async fn sso(&self, account_id: &str, role_name: &str, region: &str, token_file: &Path) -> Result<Current> {
        let login = "`aws sso login` makes a new token";
        let text = std::fs::read(token_file).map_err(|cause| {
            let message = format!("there is no SSO token in {}", token_file.display());
            Error::new(codes::ACCESS_DENIED, message).with_hint(login).with_source(cause)
        })?;
        let token: SsoToken =
            serde_json::from_slice(&text).map_err(|_| unreadable(&token_file.display().to_string()))?;
        if token.expires_at.is_some_and(|expires| expires <= Timestamp::now()) {
            let message = format!("the SSO token in {} has expired", token_file.display());
            return Err(Error::new(codes::ACCESS_DENIED, message).with_hint(login));
        }
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("account_id", account_id)
            .append_pair("role_name", role_name)
            .finish();
        let endpoint = match &self.sso_endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://portal.sso.{region}.{}", Partition::of(region)?.domain),
        };
        let url = format!("{endpoint}/federation/credentials?{query}");
        let headers = [("x-amz-sso_bearer_token", token.access_token.as_str())];
        let answer: SsoResponse = self.ask_json(Method::GET, &url, &headers).await?;
        let keys = answer.role_credentials;
        let expires = Timestamp::from_millisecond(keys.expiration).map_err(|_| unreadable(&url))?;
        let credential =
            AwsCredential { key_id: keys.access_key_id, secret_key: keys.secret_access_key, token: keys.session_token };
        Ok(Current { credential: Arc::new(credential), expires: Some(expires) })
    }

    async fn instance_metadata(&self, endpoint: &str) -> Result<Current> {
        let endpoint = endpoint.trim_end_matches('/');
        let lifetime = [("x-aws-ec2-metadata-token-ttl-seconds", METADATA_TOKEN_SECONDS)];
        let token = self.ask(Method::PUT, &format!("{endpoint}/latest/api/token"), &lifetime).await?;
        let headers = [("x-aws-ec2-metadata-token", token.trim())];
        let roles = format!("{endpoint}/latest/meta-data/iam/security-credentials/");
        let role = self.ask(Method::GET, &roles, &headers).await?;
        let role = role.lines().next().unwrap_or_default().trim();
        self.ask_json::<JsonCredentials>(Method::GET, &format!("{roles}{role}"), &headers)
            .await
            .and_then(Current::try_from)
    }

    async fn ask(&self, method: Method, url: &str, headers: &[(&str, &str)]) -> Result<String> {
        request::send(&self.http, &|| request(method.clone(), url, headers, String::new())).await
    }

    async fn ask_json<T: DeserializeOwned>(&self, method: Method, url: &str, headers: &[(&str, &str)]) -> Result<T> {
        let text = self.ask(method, url, headers).await?;
        serde_json::from_str(&text).map_err(|_| unreadable(url))
    }
}

#[async_trait]
impl CredentialProvider for Provider {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let credential = self.credential().await;
        credential.map_err(request::foreign)
    }
}

/// Asks the caller, who may take time, on a thread of its own.
async fn supplied(supplier: CredentialSupplier) -> Result<Current> {
    let asked = tokio::task::spawn_blocking(move || supplier.ask()).await;
    let keys = asked.map_err(|error| Error::internal("asking for credentials panicked").with_source(error))?;
    let keys = keys.map_err(|why| Error::new(codes::ACCESS_DENIED, why))?;
    let expires = keys.expires.map(Timestamp::try_from).transpose();
    let credential = AwsCredential {
        key_id: keys.key_id,
        secret_key: keys.secret.expose().to_owned(),
        token: keys.session_token.map(|token| token.expose().to_owned()),
    };
    let expires = expires.map_err(|cause| Error::new(codes::ACCESS_DENIED, "no such time").with_source(cause))?;
    Ok(Current { credential: Arc::new(credential), expires })
}

fn read_token(file: &Path) -> Result<String> {
    let token = std::fs::read_to_string(file).map_err(|cause| crate::storage::io_error("read", file, cause))?;
    Ok(token.trim().to_owned())
}

/// Neither the answer nor what is wrong with it is shown: either may hold secrets.
fn unreadable(place: &str) -> Error {
    let place = place.split('?').next().unwrap_or_default();
    Error::new(codes::STORAGE, format!("what {place} says about credentials cannot be read"))
}

/// What containers and instances get.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JsonCredentials {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<Timestamp>,
}

impl TryFrom<JsonCredentials> for Current {
    type Error = Error;

    fn try_from(keys: JsonCredentials) -> Result<Current> {
        let JsonCredentials { access_key_id: key_id, secret_access_key: secret_key, token, expiration } = keys;
        Ok(Current { credential: Arc::new(AwsCredential { key_id, secret_key, token }), expires: expiration })
    }
}

/// `AssumeRoleResponse` and `AssumeRoleWithWebIdentityResponse`.
#[derive(Deserialize)]
struct StsResponse {
    #[serde(alias = "AssumeRoleResult", alias = "AssumeRoleWithWebIdentityResult")]
    result: StsResult,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StsResult {
    credentials: StsCredentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StsCredentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: Timestamp,
}

impl TryFrom<StsCredentials> for Current {
    type Error = Error;

    fn try_from(keys: StsCredentials) -> Result<Current> {
        let StsCredentials { access_key_id: key_id, secret_access_key: secret_key, session_token, expiration } = keys;
        let credential = AwsCredential { key_id, secret_key, token: Some(session_token) };
        Ok(Current { credential: Arc::new(credential), expires: Some(expiration) })
    }
}

/// The file that `aws sso login` writes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SsoToken {
    access_token: String,
    expires_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SsoResponse {
    role_credentials: SsoCredentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SsoCredentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    /// Milliseconds since 1970.
    expiration: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge;

    #[test]
    fn credentials_are_used_to_their_end_if_there_are_no_new_ones() {
        let runtime = bridge::network_runtime(1).unwrap();
        let left = |seconds: i64| {
            let source = CredentialSource::Unusable { why: "gone".into(), hints: Vec::new() };
            let credentials = Credentials { source, origin: "the test".into() };
            let provider = Provider::new(&S3Config { credentials, ..S3Config::default() }).unwrap();
            let credential = AwsCredential { key_id: "k".into(), secret_key: "s".into(), token: None };
            let expires = Some(Timestamp::now() + SignedDuration::from_secs(seconds));
            let last = Current { credential: Arc::new(credential), expires };
            bridge::wait_for(runtime.handle(), async move {
                *provider.current.lock().await = Some(last);
                provider.credential().await
            })
            .unwrap()
        };
        assert_eq!(left(60).unwrap().key_id, "k");
        assert_eq!(left(-1).unwrap_err().message(), "gone");
    }
}
