//! How S3 is reached: where, and as whom.
//!
//! Plain data, found by the caller; `storage/s3` asks for credentials as these words say, and again before they expire.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

/// Where S3 is and what every request says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct S3Config {
    /// `https://host:port` of a server that is not Amazon's. `None` (default): Amazon's of the region.
    pub endpoint: Option<String>,
    /// `None` (default): the bucket is asked for its region.
    pub region: Option<String>,
    /// Whether the bucket stands in the path and not in the host name. `None` (default): only with an `endpoint`, and
    /// for a bucket whose name has a dot, which no certificate covers.
    pub path_style: Option<bool>,
    /// Says that whoever asks pays for the request. Default false.
    pub requester_pays: bool,
    pub encryption: Encryption,
    pub credentials: Credentials,
    /// `https://host:port` of a security token service that is not Amazon's.
    pub sts_endpoint: Option<String>,
    /// The same of the portal of SSO.
    pub sso_endpoint: Option<String>,
}

/// How S3 encrypts what is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Encryption {
    /// As the bucket says (default).
    #[default]
    OfBucket,
    /// SSE-KMS with this key.
    Kms { key_id: String },
}

/// As whom requests are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub source: CredentialSource,
    /// In the user's words: ``the profile `logs` of ~/.aws/config``.
    pub origin: String,
}

impl Default for Credentials {
    fn default() -> Self {
        Credentials { source: CredentialSource::Anonymous, origin: "nobody: no credentials were given".to_owned() }
    }
}

/// Where credentials come from. Those of services expire, and are fetched again before they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// Requests are not signed, as public buckets allow.
    Anonymous,
    /// What is set up cannot be used, which only matters to those who make a request.
    Unusable {
        why: String,
        hints: Vec<String>,
    },
    Keys {
        key_id: String,
        secret: Secret,
        session_token: Option<Secret>,
    },
    /// A role for whoever holds a token of an identity provider; the token's file is read each time.
    WebIdentity {
        role_arn: String,
        session_name: String,
        token_file: PathBuf,
    },
    /// What `aws sso login` left behind; its file is read each time.
    Sso {
        account_id: String,
        role_name: String,
        region: String,
        token_file: PathBuf,
    },
    /// A role for whoever has the credentials beneath.
    AssumeRole {
        role_arn: String,
        session_name: String,
        external_id: Option<String>,
        duration_seconds: u32,
        base: Box<Credentials>,
    },
    /// ECS, and EKS with pod identities.
    Container {
        url: String,
        authorization: Option<Secret>,
        authorization_file: Option<PathBuf>,
    },
    /// EC2: version 2 of the instance's metadata service, at `http://host`.
    InstanceMetadata {
        endpoint: String,
    },
    /// Whatever the caller knows how to ask.
    Supplied(CredentialSupplier),
}

/// Keys that a caller gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppliedKeys {
    pub key_id: String,
    pub secret: Secret,
    pub session_token: Option<Secret>,
    /// `None`: they are good for the whole session.
    pub expires: Option<SystemTime>,
}

/// Asks the caller for keys, on a thread that may wait; again before they expire.
#[derive(Clone)]
pub struct CredentialSupplier(Arc<SupplyKeys>);

/// Errors: why there are no keys, as it follows "since".
type SupplyKeys = dyn Fn() -> Result<SuppliedKeys, String> + Send + Sync;

impl CredentialSupplier {
    pub fn new(supply: impl Fn() -> Result<SuppliedKeys, String> + Send + Sync + 'static) -> Self {
        CredentialSupplier(Arc::new(supply))
    }

    /// Errors: why there are none.
    pub fn ask(&self) -> Result<SuppliedKeys, String> {
        (self.0)()
    }
}

impl fmt::Debug for CredentialSupplier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<the caller>")
    }
}

/// Nobody can tell whether two of them give the same keys.
impl PartialEq for CredentialSupplier {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for CredentialSupplier {}

/// Text that no message, log or debug print shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text, for whoever signs with it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let secret = Secret::new("canary");
        let source = CredentialSource::Keys { key_id: "id".into(), secret, session_token: Some(Secret::new("canary")) };
        let config = S3Config { credentials: Credentials { source, origin: String::new() }, ..S3Config::default() };
        assert!(!format!("{config:#?}").contains("canary"));
    }
}
