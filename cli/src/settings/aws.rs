//! How Amazon's tools are told where S3 is and as whom: `AWS_*` variables, `~/.aws/config`, `~/.aws/credentials`.
//!
//! Source: the SDKs and Tools reference of AWS on configuration files and standardized credential providers. First
//! come keys in the environment, then the profile (keys, a role to assume, SSO, a web identity), then a web identity, a
//! container and an instance, as the environment says. Files are read here, once; what expires is asked for again by the
//! engine.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use configparser::ini::Ini;
use logq_engine::config::{CredentialSource, CredentialSupplier, Credentials, Encryption, S3Config, Secret};
use logq_engine::error::{Error, Result, codes};
use serde::Deserialize;
use sha1::{Digest, Sha1};

use super::credential_process::CredentialProcess;
use super::{Environment, parse_bool};

/// The table `[s3]` of a configuration file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct S3Layer {
    endpoint: Option<String>,
    region: Option<String>,
    path_style: Option<bool>,
    requester_pays: Option<bool>,
    kms_key: Option<String>,
    anonymous: Option<bool>,
}

impl S3Layer {
    /// These settings, and `weaker` ones where these say nothing.
    pub fn or(self, weaker: S3Layer) -> S3Layer {
        S3Layer {
            endpoint: self.endpoint.or(weaker.endpoint),
            region: self.region.or(weaker.region),
            path_style: self.path_style.or(weaker.path_style),
            requester_pays: self.requester_pays.or(weaker.requester_pays),
            kms_key: self.kms_key.or(weaker.kms_key),
            anonymous: self.anonymous.or(weaker.anonymous),
        }
    }
}

/// Where the metadata service of an instance and the credentials of a container are.
const INSTANCE: &str = "http://169.254.169.254";
const CONTAINER: &str = "http://169.254.170.2";

/// Profiles that name each other as their source, more than which is an error.
const PROFILE_DEPTH_MAX: usize = 8;

/// Finds out how S3 is reached. What was said in `[s3]` yields to the environment and wins over the profile.
///
/// Nobody is asked for anything yet, and credentials that cannot be used are no error here: most runs need none.
/// Errors: `BAD_SETTING` for a flag in the environment that is none.
pub fn config(layer: S3Layer, environment: &Environment) -> Result<S3Config> {
    let chosen = environment.variable("AWS_PROFILE").or_else(|| environment.variable("AWS_DEFAULT_PROFILE"));
    let name = chosen.unwrap_or("default");
    let (profiles, unusable) = match Profiles::read(environment) {
        Ok(profiles) => (profiles, None),
        Err(error) => (Profiles::default(), Some(error)),
    };
    let of_profile = |key: &str| profiles.get(name, key);
    let region = environment.variable("AWS_REGION").or_else(|| environment.variable("AWS_DEFAULT_REGION"));
    let region = region.map(str::to_owned).or(layer.region).or_else(|| of_profile("region"));
    let ignores_endpoints = flag(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")?;
    let endpoint = |service: &str| {
        let variable = environment.variable(service).or_else(|| environment.variable("AWS_ENDPOINT_URL"));
        variable.map(str::to_owned).filter(|_| !ignores_endpoints)
    };
    let credentials = if layer.anonymous == Some(true) {
        Credentials { source: CredentialSource::Anonymous, origin: "nobody: `s3.anonymous` is set".to_owned() }
    } else {
        let found = match unusable {
            Some(error) => Err(error),
            None => profiles.check(chosen).and_then(|()| Chain { environment, profiles: &profiles }.credentials(name)),
        };
        found.unwrap_or_else(|error| Credentials {
            source: CredentialSource::Unusable { why: error.message().to_owned(), hints: error.hints().to_vec() },
            origin: "what is set up".to_owned(),
        })
    };
    Ok(S3Config {
        endpoint: endpoint("AWS_ENDPOINT_URL_S3")
            .or(layer.endpoint)
            .or_else(|| of_profile("endpoint_url").filter(|_| !ignores_endpoints)),
        region,
        path_style: layer.path_style,
        requester_pays: layer.requester_pays.unwrap_or(false),
        encryption: match layer.kms_key.filter(|key| !key.is_empty()) {
            Some(key_id) => Encryption::Kms { key_id },
            None => Encryption::OfBucket,
        },
        credentials,
        sts_endpoint: endpoint("AWS_ENDPOINT_URL_STS"),
        sso_endpoint: endpoint("AWS_ENDPOINT_URL_SSO"),
    })
}

fn flag(environment: &Environment, name: &str) -> Result<bool> {
    let Some(text) = environment.variable(name) else { return Ok(false) };
    parse_bool(text).map_err(|reason| Error::new(codes::BAD_SETTING, format!("{name}={text}: {reason}")))
}

/// The sections of both files.
#[derive(Default)]
struct Profiles {
    sections: HashMap<String, HashMap<String, String>>,
    /// The files' names.
    config: String,
    credentials: String,
    home: PathBuf,
}

impl Profiles {
    fn read(environment: &Environment) -> Result<Self> {
        let home = environment.variable("HOME").map(PathBuf::from).unwrap_or_default();
        let place = |variable: &str, name: &str| match environment.variable(variable) {
            Some(path) => environment.working_dir.join(path),
            None => home.join(".aws").join(name),
        };
        let config = place("AWS_CONFIG_FILE", "config");
        let credentials = place("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let mut sections: HashMap<String, HashMap<String, String>> = HashMap::new();
        for (name, keys) in read_ini(&config)? {
            // `[profile x]`, but `[default]`; `[sso-session x]` stays as it is.
            let name = name.strip_prefix("profile ").map(|name| name.trim().to_owned()).unwrap_or(name);
            sections.entry(name).or_default().extend(keys);
        }
        // Keys in the file for credentials win.
        for (name, keys) in read_ini(&credentials)? {
            sections.entry(name).or_default().extend(keys);
        }
        let shown = |path: &Path| path.display().to_string();
        Ok(Profiles { sections, config: shown(&config), credentials: shown(&credentials), home })
    }

    /// Whether there is the profile that was asked for.
    fn check(&self, chosen: Option<&str>) -> Result<()> {
        match chosen {
            Some(name) if self.profile(name).is_none() => {
                let message = format!("AWS_PROFILE is `{name}`, and no file has such a profile");
                let hint = format!("profiles are looked for in {} and {}", self.config, self.credentials);
                Err(Error::new(codes::BAD_SETTING, message).with_hint(hint))
            }
            _ => Ok(()),
        }
    }

    fn profile(&self, name: &str) -> Option<&HashMap<String, String>> {
        self.sections.get(name)
    }

    fn get(&self, profile: &str, key: &str) -> Option<String> {
        self.profile(profile)?.get(key).filter(|value| !value.is_empty()).cloned()
    }
}

/// The sections of a file; none if there is no file.
fn read_ini(path: &Path) -> Result<Vec<(String, HashMap<String, String>)>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if super::is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(super::unreadable(path, error)),
    };
    let mut ini = Ini::new_cs();
    ini.set_inline_comment_symbols(Some(&[]));
    // What the reader says of a bad line may show a secret.
    let sections = ini.read(text).map_err(|_| {
        Error::new(
            codes::BAD_SETTING,
            format!("`{}` has a line that is neither `[section]` nor `key = value`", path.display()),
        )
    })?;
    let pair = |(key, value): (String, Option<String>)| Some((key.to_lowercase(), value?));
    Ok(sections.into_iter().map(|(name, keys)| (name, keys.into_iter().filter_map(pair).collect())).collect())
}

/// Looks for credentials where Amazon's tools do.
struct Chain<'a> {
    environment: &'a Environment,
    profiles: &'a Profiles,
}

impl Chain<'_> {
    fn credentials(&self, profile: &str) -> Result<Credentials> {
        let of_environment = match self.environment_keys()? {
            None => self.profile_credentials(profile, 0)?.or_else(|| self.environment_web_identity()),
            keys => keys,
        };
        Ok(match of_environment {
            Some(credentials) => credentials,
            None => match self.container() {
                Some(container) => container,
                None => self.instance()?,
            },
        })
    }

    fn environment_keys(&self) -> Result<Option<Credentials>> {
        let variable = |name| self.environment.variable(name);
        let source = match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
            (None, None) => return Ok(None),
            (Some(key_id), Some(secret)) => CredentialSource::Keys {
                key_id: key_id.to_owned(),
                secret: Secret::new(secret),
                session_token: variable("AWS_SESSION_TOKEN").map(Secret::new),
            },
            (key_id, _) => {
                let missing = if key_id.is_some() { "AWS_SECRET_ACCESS_KEY" } else { "AWS_ACCESS_KEY_ID" };
                let message = format!("{missing} is not set, though the other half of the key is");
                return Err(Error::new(codes::BAD_SETTING, message));
            }
        };
        Ok(Some(Credentials { source, origin: "AWS_ACCESS_KEY_ID in the environment".to_owned() }))
    }

    /// What a profile says; `None` if it says nothing about credentials.
    fn profile_credentials(&self, name: &str, depth: usize) -> Result<Option<Credentials>> {
        let get = |key: &str| self.profiles.get(name, key);
        let bad = |what: String| Error::new(codes::BAD_SETTING, format!("the profile `{name}` {what}"));
        if depth > PROFILE_DEPTH_MAX {
            return Err(bad("is the source of itself".to_owned()));
        }
        let origin = format!("the profile `{name}`");
        let keys = || -> Result<Option<CredentialSource>> {
            match (get("aws_access_key_id"), get("aws_secret_access_key")) {
                (None, None) => Ok(None),
                (Some(key_id), Some(secret)) => Ok(Some(CredentialSource::Keys {
                    key_id,
                    secret: Secret::new(secret),
                    session_token: get("aws_session_token").map(Secret::new),
                })),
                _ => Err(bad("has one half of a key".to_owned())),
            }
        };
        let session_name = || get("role_session_name").unwrap_or_else(|| "logq".to_owned());
        let source = if let Some(role_arn) = get("role_arn") {
            if let Some(token_file) = get("web_identity_token_file") {
                let token_file = self.environment.working_dir.join(token_file);
                CredentialSource::WebIdentity { role_arn, session_name: session_name(), token_file }
            } else {
                let base = match (get("source_profile"), get("credential_source")) {
                    // A profile that is its own source gives its keys.
                    (Some(source), _) if source == name => {
                        keys()?.map(|source| Credentials { source, origin: origin.clone() })
                    }
                    (Some(source), _) => self.profile_credentials(&source, depth + 1)?,
                    (None, Some(source)) => match source.as_str() {
                        "Environment" => self.environment_keys()?,
                        "EcsContainer" => self.container(),
                        "Ec2InstanceMetadata" => Some(self.instance()?),
                        other => return Err(bad(format!("has the credential_source `{other}`, which is none"))),
                    },
                    (None, None) => {
                        return Err(bad("has a role, and neither source_profile nor credential_source".to_owned()));
                    }
                };
                let Some(base) = base else {
                    return Err(bad("has a role, and its source has no credentials".to_owned()));
                };
                let duration_seconds = match get("duration_seconds") {
                    Some(text) => text.parse().map_err(|_| bad(format!("has the duration_seconds `{text}`")))?,
                    None => 3600,
                };
                CredentialSource::AssumeRole {
                    role_arn,
                    session_name: session_name(),
                    external_id: get("external_id"),
                    duration_seconds,
                    base: Box::new(base),
                }
            }
        } else if let Some(keys) = keys()? {
            keys
        } else if get("sso_session").is_some() || get("sso_start_url").is_some() {
            self.sso(name)?
        } else if let Some(command) = get("credential_process") {
            let process = CredentialProcess::new(&command, &self.environment.working_dir);
            let process = process.ok_or_else(|| bad("has a credential_process that is no command".to_owned()))?;
            CredentialSource::Supplied(CredentialSupplier::new(move || process.run()))
        } else {
            return Ok(None);
        };
        Ok(Some(Credentials { source, origin }))
    }

    /// The token of `aws sso login` lies in a file named for the session, or else for the address of the portal.
    fn sso(&self, name: &str) -> Result<CredentialSource> {
        let session = self.profiles.get(name, "sso_session");
        let get = |key: &str| {
            let of_session =
                session.as_ref().and_then(|session| self.profiles.get(&format!("sso-session {session}"), key));
            of_session.or_else(|| self.profiles.get(name, key)).ok_or_else(|| {
                Error::new(codes::BAD_SETTING, format!("the profile `{name}` uses SSO and has no `{key}`"))
            })
        };
        let named_for = match &session {
            Some(session) => session.clone(),
            None => get("sso_start_url")?,
        };
        let digest: String = Sha1::digest(named_for.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(CredentialSource::Sso {
            account_id: get("sso_account_id")?,
            role_name: get("sso_role_name")?,
            region: get("sso_region")?,
            token_file: self.profiles.home.join(".aws/sso/cache").join(format!("{digest}.json")),
        })
    }

    fn environment_web_identity(&self) -> Option<Credentials> {
        let variable = |name| self.environment.variable(name);
        let (token_file, role_arn) = (variable("AWS_WEB_IDENTITY_TOKEN_FILE")?, variable("AWS_ROLE_ARN")?);
        let source = CredentialSource::WebIdentity {
            role_arn: role_arn.to_owned(),
            session_name: variable("AWS_ROLE_SESSION_NAME").unwrap_or("logq").to_owned(),
            token_file: self.environment.working_dir.join(token_file),
        };
        Some(Credentials { source, origin: "AWS_WEB_IDENTITY_TOKEN_FILE in the environment".to_owned() })
    }

    /// ECS gives a path or a URL, EKS a URL and a file with a token.
    fn container(&self) -> Option<Credentials> {
        let variable = |name| self.environment.variable(name);
        let url = match variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            Some(path) => format!("{CONTAINER}{path}"),
            None => variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")?.to_owned(),
        };
        let source = CredentialSource::Container {
            url,
            authorization: variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(Secret::new),
            authorization_file: variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
                .map(|file| self.environment.working_dir.join(file)),
        };
        Some(Credentials { source, origin: "the container".to_owned() })
    }

    fn instance(&self) -> Result<Credentials> {
        let looked = format!("neither the environment nor {} has any", self.profiles.credentials);
        if flag(self.environment, "AWS_EC2_METADATA_DISABLED")? {
            return Ok(Credentials { source: CredentialSource::Anonymous, origin: format!("nobody: {looked}") });
        }
        let endpoint = self.environment.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or(INSTANCE).to_owned();
        let origin = format!("the EC2 instance, since {looked}");
        Ok(Credentials { source: CredentialSource::InstanceMetadata { endpoint }, origin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of variables and of the two files.
    fn config_of(variables: &[(&str, &str)], config: &str, credentials: &str) -> Result<S3Config> {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/config"), config).unwrap();
        std::fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
        let home_variable = ("HOME".to_owned(), home.path().display().to_string());
        let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let environment = Environment {
            variables: variables.chain([home_variable]).collect(),
            working_dir: "/work".into(),
            ..Environment::default()
        };
        super::config(S3Layer::default(), &environment)
    }

    const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "env"), ("AWS_SECRET_ACCESS_KEY", "s")];

    #[track_caller]
    fn check(variables: &[(&str, &str)], config: &str, credentials: &str, expect: &str) {
        let found = match config_of(variables, config, credentials) {
            Ok(found) => format!("{}: {:?}", found.credentials.origin, found.credentials.source),
            Err(error) => error.message().to_owned(),
        };
        assert!(found.contains(expect), "{found}");
    }

    #[test]
    fn the_environment_comes_first() {
        let file = "[default]\naws_access_key_id = file\naws_secret_access_key = a+b/c#d;e=\n";
        check(&KEYS, "", file, "in the environment: Keys { key_id: \"env\", secret: <secret>, session_token: None }");
        check(&[], "", file, "the profile `default`: Keys { key_id: \"file\"");
        check(&KEYS[..1], "", file, "AWS_SECRET_ACCESS_KEY is not set");
        let found = config_of(&[], "", file).unwrap();
        assert!(
            matches!(found.credentials.source, CredentialSource::Keys { secret, .. } if secret.expose() == "a+b/c#d;e=")
        );
    }

    #[test]
    fn profiles() {
        let config = "[default]\nregion = eu-west-1\ns3 =\n  max_concurrent_requests = 20\n\n[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\nregion = us-west-2\n[profile loop]\nrole_arn = r\nsource_profile = loop2\n[profile loop2]\nrole_arn = r\nsource_profile = loop\n";
        let credentials = "[base]\naws_access_key_id = K\naws_secret_access_key = S\n";
        check(&[("AWS_PROFILE", "role")], config, credentials, "AssumeRole { role_arn: \"arn:aws:iam::1:role/r\"");
        check(&[("AWS_PROFILE", "role")], config, "", "its source has no credentials");
        check(&[("AWS_PROFILE", "loop")], config, "", "is the source of itself");
        check(&[("AWS_PROFILE", "other")], config, "", "AWS_PROFILE is `other`, and no file has such a profile");
        let region = |variables| config_of(variables, config, credentials).unwrap().region;
        assert_eq!(region(&[("AWS_PROFILE", "role")]).as_deref(), Some("us-west-2"));
        assert_eq!(region(&[("AWS_REGION", "x")]).as_deref(), Some("x"));
        check(&[], "[default]\nnothing\n[", "", "neither `[section]` nor `key = value`");
    }

    #[test]
    fn processes() {
        let config = "[default]\ncredential_process = /opt/helper --account 'a b'\n[profile bad]\ncredential_process = 'x\n[profile role]\nrole_arn = r\nsource_profile = default\n";
        check(&[], config, "", "the profile `default`: Supplied(<the caller>)");
        check(&[("AWS_PROFILE", "bad")], config, "", "the profile `bad` has a credential_process that is no command");
        check(&[("AWS_PROFILE", "role")], config, "", "base: Credentials { source: Supplied(<the caller>)");
        check(&[], config, "[default]\naws_access_key_id = K\naws_secret_access_key = S\n", "Keys");
    }

    #[test]
    fn sso_sessions() {
        let config = "[profile x]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = reader\n\n[sso-session corp]\nsso_region = eu-central-1\nsso_start_url = https://corp.awsapps.com/start\n";
        // sha1("corp")
        check(&[("AWS_PROFILE", "x")], config, "", "region: \"eu-central-1\"");
        check(&[("AWS_PROFILE", "x")], config, "", "cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json");
    }

    #[test]
    fn what_machines_have() {
        let web = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "r")];
        check(&web, "", "", "WebIdentity { role_arn: \"r\", session_name: \"logq\", token_file: \"/t\" }");
        let task = [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")];
        check(&task, "", "", "the container: Container { url: \"http://169.254.170.2/v2/x\"");
        check(&[], "", "", "the EC2 instance, since neither the environment nor");
        check(&[("AWS_EC2_METADATA_DISABLED", "true")], "", "", "Anonymous");
    }

    #[test]
    fn endpoints() {
        let endpoint =
            |variables| config_of(variables, "[default]\nendpoint_url = http://file\n", "").unwrap().endpoint;
        assert_eq!(endpoint(&[]).as_deref(), Some("http://file"));
        assert_eq!(endpoint(&[("AWS_ENDPOINT_URL", "http://all")]).as_deref(), Some("http://all"));
        let both = [("AWS_ENDPOINT_URL", "http://all"), ("AWS_ENDPOINT_URL_S3", "http://s3")];
        assert_eq!(endpoint(&both).as_deref(), Some("http://s3"));
        let ignored = [("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"), ("AWS_ENDPOINT_URL", "http://all")];
        assert_eq!(endpoint(&ignored), None);
    }
}
