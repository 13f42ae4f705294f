//! `SECRET_KEY` and the admin account.

use clap::Args;

use super::exit::Exit;
use super::{AppEnv, ExposeSecret, Secret, values};

/// Minimum length of `SECRET_KEY` in production, in bytes.
const MIN_SECRET_KEY: usize = 32;

/// Settings of the admin panel.
#[derive(Clone, Debug)]
pub struct AdminConfig {
    /// Signs admin cookies; generated and kept in the store if absent (`SECRET_KEY`).
    pub secret_key: Option<Secret>,
    /// The account to create at start if none exists.
    pub account: Option<AdminAccount>,
}

/// An admin account.
#[derive(Clone, Debug)]
pub struct AdminAccount {
    /// Its name (`ADMIN_USERNAME`).
    pub username: String,
    /// Its password (`ADMIN_PASSWORD`).
    pub password: Secret,
}

/// `SECRET_KEY`, `ADMIN_USERNAME` and `ADMIN_PASSWORD`.
#[derive(Args)]
#[command(next_help_heading = "Access")]
pub struct AdminFlags {
    /// Signs admin cookies (not used by this version); at least 32 bytes in production [default: generated once and kept]
    #[arg(long, value_name = "SECRET", value_parser = values::secret)]
    secret_key: Option<Secret>,
    /// Admin account to create at start if none exists (not supported by this version)
    #[arg(long, value_name = "NAME", value_parser = values::username)]
    admin_username: Option<String>,
    /// Password of that account (not supported by this version)
    #[arg(long, value_name = "SECRET", value_parser = values::secret)]
    admin_password: Option<Secret>,
}

impl AdminFlags {
    /// A key that is long enough for `app_env`, and a whole account or none.
    pub fn complete(self, app_env: AppEnv) -> Result<AdminConfig, Exit> {
        let length = self.secret_key.as_ref().map(|key| key.expose_secret().len());
        if app_env == AppEnv::Production && length.is_some_and(|length| length < MIN_SECRET_KEY) {
            let reason = format!("must be at least {MIN_SECRET_KEY} bytes long in production");
            return Err(Exit::setting("SECRET_KEY", &reason));
        }
        let account = values::both(
            ("ADMIN_USERNAME", self.admin_username),
            ("ADMIN_PASSWORD", self.admin_password),
        )?;
        Ok(AdminConfig {
            secret_key: self.secret_key,
            account: account.map(|(username, password)| AdminAccount { username, password }),
        })
    }
}
