//! `sign expert`: tokens of Expert, and links that sign in.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use portcullis_core::public_origin::{PublicOrigin, judge_target};
use portcullis_core::scheme::signature::{CARRIER, Form, is_key, sign};
use portcullis_core::seal::MacKey;
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;

use super::{read_secret, say};

/// What stands in a parameter of a query as it is (RFC 3986, section 2.3).
const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Subcommand)]
pub(in crate::cli) enum ExpertCommand {
    /// The header that a call carries; it counts for five minutes
    Token(SignedArgs),
    /// The address that signs a browser in; it counts for five minutes
    Link {
        #[command(flatten)]
        signed: SignedArgs,
        /// The site, as `https://help.example.com`
        #[arg(long)]
        origin: String,
        /// Where the browser goes then; without, the token of the session is all it gets
        #[arg(long, value_name = "URL")]
        redirect: Option<String>,
    },
}

#[derive(Args)]
pub(in crate::cli) struct SignedArgs {
    /// The key, as `portcullis server-token create` says it
    #[arg(long)]
    key: String,
    /// On whose behalf: a number, or `=` and a login name
    #[arg(long)]
    user: String,
    /// Sign in the older form, with nothing between the parts
    #[arg(long)]
    older: bool,
}

pub(super) fn run(command: ExpertCommand, now: Timestamp) -> anyhow::Result<()> {
    match command {
        ExpertCommand::Token(signed) => {
            say(&format!("X-Deki-Token: {}\n", signed.token(now)?.expose_text()));
        }
        ExpertCommand::Link { signed, origin, redirect } => {
            let origin = PublicOrigin::parse(&origin)?;
            if let Some(target) = &redirect {
                judge_target(target, std::slice::from_ref(&origin))?;
            }
            let token = signed.token(now)?;
            let escaped = |text| utf8_percent_encode(text, PARAMETER);
            let token = escaped(token.expose_text());
            let redirect = redirect.as_deref().map(escaped);
            let more = redirect.map(|target| format!("&redirect={target}")).unwrap_or_default();
            say(&format!("{origin}/@api/deki/users/authenticate?{CARRIER}={token}{more}\n"));
        }
    }
    Ok(())
}

impl SignedArgs {
    fn token(&self, now: Timestamp) -> anyhow::Result<SecretBuf> {
        anyhow::ensure!(is_key(self.key.as_bytes()), "a key has 64 hex digits in lower case");
        let secret = MacKey::of_text(read_secret()?.expose());
        let form = if self.older { Form::Older } else { Form::Documented };
        let signed = sign(form, (&self.key, &secret), now, &self.user);
        signed.context("a user is a number, or `=` and a login name")
    }
}
