//! Which keys a token is judged by: a key set from a file or a URL, keys from files, or a secret.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use authcore::{Algorithm, ConfigError, Key, KeyRefused, KeyResolver, KeySet, KeySnapshot, Miss, RemoteKeys, Secret};
use clap::Args;

use crate::fault::Fault;
use crate::input;

/// Where the keys are.
#[derive(Clone, Debug, Args)]
pub(crate) struct KeyArgs {
    /// A published key set: a file, or an https URL (http for loopback hosts only)
    #[arg(long, value_name = "FILE_OR_URL", help_heading = "Keys")]
    #[arg(conflicts_with_all = ["jwk", "public_key", "secret_file", "secret_env"])]
    jwks: Option<String>,
    /// A key as JWK, symmetric ones too; may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Keys")]
    jwk: Vec<PathBuf>,
    /// A public key in PEM; RSA is for RS256 unless --algorithms says otherwise; may be repeated
    #[arg(long, value_name = "PEM", help_heading = "Keys")]
    public_key: Vec<PathBuf>,
    /// A file with the shared secret: its bytes, less one line end at the end
    #[arg(long, value_name = "FILE", help_heading = "Keys", conflicts_with = "secret_env")]
    secret_file: Option<PathBuf>,
    /// The environment variable that holds the shared secret
    #[arg(long, value_name = "VAR", help_heading = "Keys")]
    secret_env: Option<String>,
}

/// Keys that are known, or where they are fetched.
pub(crate) enum Keys {
    Local(KeySet),
    Remote(RemoteKeys),
}

impl KeyArgs {
    /// The keys; `None` when no option names any.
    pub(crate) fn keys(&self, algorithms: &[Algorithm]) -> Result<Option<Keys>, Fault> {
        if let Some(place) = &self.jwks {
            return keys_at("--jwks", place).map(Some);
        }
        let mut keys = Vec::new();
        for path in &self.jwk {
            let key = Key::from_jwk(&input::file("--jwk", path)?);
            keys.push(key.map_err(|why| Fault::of("--jwk", format!("{}: {why}", path.display())))?);
        }
        for path in &self.public_key {
            keys.extend(public_keys(path, algorithms)?);
        }
        if let Some((option, secret)) = self.secret()? {
            keys.extend(of_secret(&secret, algorithms).map_err(|why| Fault::of(option, why))?);
        }
        if keys.is_empty() && !self.public_key.is_empty() {
            let names = algorithms.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(",");
            let mend = "add the one that the issuer signs with, as RS256";
            let why = format!("the RSA key that it names serves none of --algorithms {names}: {mend}");
            return Err(Fault::of("--public-key", why));
        }
        Ok((!keys.is_empty()).then(|| Keys::Local(KeySet::new(keys))))
    }

    /// The same, where there have to be some.
    pub(crate) fn required(&self, algorithms: &[Algorithm]) -> Result<Keys, Fault> {
        let mend = "name one of --jwks, --jwk, --public-key, --secret-file and --secret-env";
        self.keys(algorithms)?.ok_or_else(|| Fault::Usage(format!("no keys to judge by: {mend}")))
    }

    fn secret(&self) -> Result<Option<(&'static str, Secret)>, Fault> {
        secret(self.secret_file.as_deref(), self.secret_env.as_deref())
    }
}

/// The shared secret, by whichever option names it.
pub(crate) fn secret(file: Option<&Path>, variable: Option<&str>) -> Result<Option<(&'static str, Secret)>, Fault> {
    match (file, variable) {
        (Some(path), _) => Ok(Some(("--secret-file", input::secret_file("--secret-file", path)?))),
        (None, Some(name)) => Ok(Some(("--secret-env", Secret::new(input::variable("--secret-env", name)?)))),
        (None, None) => Ok(None),
    }
}

/// The published key set at a URL, or in a file.
pub(crate) fn keys_at(option: &str, place: &str) -> Result<Keys, Fault> {
    if is_url(place) {
        return RemoteKeys::at(place).map(Keys::Remote).map_err(|error| Fault::of(option, error));
    }
    let document = input::file(option, Path::new(place))?;
    let set = KeySet::from_json(&document).map_err(|why| Fault::of(option, format!("{place}: {why}")))?;
    Ok(Keys::Local(set))
}

/// Whether it is a URL, of whatever scheme: that one is not served is told better than that there is no such file.
pub(crate) fn is_url(place: &str) -> bool {
    place.contains("://")
}

/// A secret serves HS256, unless the allowed algorithms name others.
fn of_secret(secret: &Secret, algorithms: &[Algorithm]) -> Result<Vec<Key>, ConfigError> {
    let stated = algorithms != Algorithm::ALL;
    let named: Vec<_> = algorithms.iter().filter(|algorithm| stated && algorithm.is_symmetric()).collect();
    if named.is_empty() {
        return Ok(vec![Key::hmac(Algorithm::Hs256, secret)?]);
    }
    named.into_iter().map(|algorithm| Key::hmac(*algorithm, secret)).collect()
}

/// A key in PEM names no algorithm: a curve implies one, and RSA serves those that are allowed.
fn public_keys(path: &Path, algorithms: &[Algorithm]) -> Result<Vec<Key>, Fault> {
    let pem = input::file("--public-key", path)?;
    let refused = |why| {
        let told = match why {
            KeyRefused::Malformed => "it is no public key in PEM: openssl pkey -pubout makes one".to_owned(),
            why => why.to_string(),
        };
        Fault::of("--public-key", format!("{}: {told}", path.display()))
    };
    let implied = Key::from_pem(&pem, None).map_err(refused)?;
    if implied.kind() != "RSA" || algorithms == Algorithm::ALL {
        return Ok(vec![implied]);
    }
    let is_rsa = |algorithm: &&Algorithm| algorithm.name().starts_with(['R', 'P']);
    algorithms.iter().filter(is_rsa).map(|algorithm| Key::from_pem(&pem, Some(*algorithm)).map_err(refused)).collect()
}

impl KeyResolver for Keys {
    fn current(&self, algorithm: Algorithm) -> Option<KeySnapshot<'_>> {
        match self {
            Self::Local(set) => set.current(algorithm),
            Self::Remote(keys) => keys.current(algorithm),
        }
    }

    fn issuer(&self) -> Option<Arc<str>> {
        match self {
            Self::Local(set) => set.issuer(),
            Self::Remote(keys) => KeyResolver::issuer(keys),
        }
    }

    fn after_miss(&self, key_id: Option<&str>) -> Miss {
        match self {
            Self::Local(set) => set.after_miss(key_id),
            Self::Remote(keys) => keys.after_miss(key_id),
        }
    }
}

/// A runtime for what may have to be fetched.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.map_err(|error| Fault::Usage(format!("the runtime does not start: {error}")))
}

/// The algorithms that are allowed: all unless stated.
#[derive(Clone, Debug, Args)]
pub(crate) struct AlgorithmArgs {
    /// The algorithms that are allowed, separated by commas [default: each key's own]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    algorithms: Vec<Algorithm>,
}

impl AlgorithmArgs {
    pub(crate) fn allowed(&self) -> Vec<Algorithm> {
        if self.algorithms.is_empty() { Algorithm::ALL.to_vec() } else { self.algorithms.clone() }
    }
}
