//! The authority's address and the credential, from options, variables and the profile.

use std::collections::BTreeMap;
use std::path::PathBuf;

use client::{Client, Plain};
use serde::{Deserialize, Serialize};

use crate::credential::{self, Credential};
use crate::failure::{Failure, Result};
use crate::folders::{Folders, no_home, write_private};

/// The profile when none is named.
const DEFAULT: &str = "default";

/// Options that every command takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Common {
    /// The address of the authority, such as `https://tokens.example.org`.
    #[arg(long, global = true, env = "NLP_URL", value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The profile, which selects a stored authority and account.
    #[arg(long, global = true, env = "NLP_PROFILE", value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// A file that contains the token to use, or `-` for standard input. `NLP_TOKEN` and `NOLAPSE_TOKEN` take precedence.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Allow connections to other machines without TLS. Anybody on the network can then read the credential.
    #[arg(long, global = true, env = "NLP_INSECURE_HTTP", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) insecure_http: bool,
}

/// The file of profiles.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Profiles {
    /// By name.
    #[serde(default)]
    pub(crate) profiles: BTreeMap<String, Profile>,
}

/// An authority that the user signed in to.
#[derive(Debug, Default, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Profile {
    /// Its address.
    pub(crate) url: String,
}

/// The settings of this run.
#[derive(Debug)]
pub(crate) struct Settings {
    common: Common,
    profile: String,
    folders: Folders,
}

impl Settings {
    pub(crate) fn new(common: Common) -> Result<Self> {
        let profile = common.profile.clone().unwrap_or_else(|| DEFAULT.to_owned());
        let good =
            !profile.is_empty() && profile.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !good || profile.starts_with('.') {
            return Err(Failure::usage(format!("{profile:?} is not a valid name of a profile"))
                .next("use letters, digits, '-', '_' and '.'"));
        }
        Ok(Self { common, profile, folders: Folders::from_environment() })
    }

    pub(crate) fn profile(&self) -> &str {
        &self.profile
    }

    pub(crate) const fn folders(&self) -> &Folders {
        &self.folders
    }

    /// The address of the authority: the option or variable, else the profile's.
    pub(crate) fn url(&self) -> Result<String> {
        if let Some(url) = self.common.url.as_ref().filter(|url| !url.is_empty()) {
            return Ok(url.clone());
        }
        self.profile_url()?.ok_or_else(|| {
            Failure::usage("the address of the authority is not set")
                .next("set NLP_URL or --url, or sign in: nlp login --url URL")
        })
    }

    /// The address of the authority that this profile signed in to.
    pub(crate) fn profile_url(&self) -> Result<Option<String>> {
        Ok(self.profiles()?.profiles.remove(&self.profile).map(|profile| profile.url))
    }

    /// A client without a credential.
    pub(crate) fn client(&self) -> Result<Client> {
        self.client_of(&self.url()?)
    }

    /// A client of the authority at this address, without a credential.
    pub(crate) fn client_of(&self, url: &str) -> Result<Client> {
        let plain = if self.common.insecure_http { Plain::Anywhere } else { Plain::LocalOnly };
        Ok(Client::new(url, plain)?)
    }

    /// A client with the credential.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn signed_in(&self) -> Result<Client> {
        let credential = self.required_credential()?;
        Ok(self.client()?.with(credential.secret))
    }

    /// The credential.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn required_credential(&self) -> Result<Credential> {
        if let Some(found) = self.credential()? {
            return Ok(found);
        }
        let signed_out = Failure::signed_out();
        if credential::find(&self.folders, &self.profile)?.is_none() {
            return Err(signed_out);
        }
        let (known, named) = (self.profile_url()?.unwrap_or_else(|| "another authority".to_owned()), self.url()?);
        Err(signed_out
            .after(format!("the key of the profile {} is for {known}, and is not sent to {named}", self.profile))
            .next(format!("nlp login --url {named}, or set NLP_TOKEN, or leave out --url and NLP_URL")))
    }

    /// The credential, from the first place that has one: variable, file or standard input, then what `login` kept for
    /// this authority. A stored key is sent to no other address, whoever set `NLP_URL`.
    pub(crate) fn credential(&self) -> Result<Option<Credential>> {
        match self.given()? {
            Some(found) => Ok(Some(found)),
            None if self.is_where_signed_in()? => credential::find(&self.folders, &self.profile),
            None => Ok(None),
        }
    }

    /// Whether the authority in use is the one that this profile signed in to.
    fn is_where_signed_in(&self) -> Result<bool> {
        let Some(named) = self.common.url.as_deref().filter(|url| !url.is_empty()) else { return Ok(true) };
        let named = named.trim().trim_end_matches('/');
        Ok(self.profile_url()?.is_some_and(|known| known.eq_ignore_ascii_case(named)))
    }

    /// The credential from a variable, a file or standard input.
    pub(crate) fn given(&self) -> Result<Option<Credential>> {
        if let Some(found) = credential::from_variables() {
            return Ok(Some(found));
        }
        self.file()
    }

    /// The credential in the file of `--token-file`.
    pub(crate) fn file(&self) -> Result<Option<Credential>> {
        self.common.token_file.as_deref().map(credential::from_file).transpose()
    }

    /// The file of profiles, read; empty if there is none.
    pub(crate) fn profiles(&self) -> Result<Profiles> {
        let Some(file) = self.folders.profiles_file() else { return Ok(Profiles::default()) };
        match std::fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|error| Failure::new(format!("{} is damaged: {error}", file.display()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Profiles::default()),
            Err(error) => Err(Failure::new(format!("{} cannot be read: {error}", file.display()))),
        }
    }

    /// Stores the address of this profile's authority.
    pub(crate) fn remember(&self, url: &str) -> Result<()> {
        let mut profiles = self.profiles()?;
        profiles.profiles.insert(self.profile.clone(), Profile { url: url.to_owned() });
        self.write(&profiles)
    }

    /// Fails if the file of profiles cannot be written, which is better known before a key is created.
    pub(crate) fn check_writable(&self) -> Result<()> {
        self.write(&self.profiles()?)
    }

    fn write(&self, profiles: &Profiles) -> Result<()> {
        let file = self.folders.profiles_file().ok_or_else(no_home)?;
        let text = serde_json::to_string_pretty(profiles).map_err(|error| Failure::new(error.to_string()))?;
        write_private(&file, &format!("{text}\n"))
    }
}
