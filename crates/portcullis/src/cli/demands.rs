//! What a guard and a listener can demand alike, on the command line.

use clap::Args;
use ipnet::IpNet;
use portcullis_core::ability::{Ability, BadAbility};
use portcullis_core::guard::{Definition, Preset};
use portcullis_core::policy::parse_network;

#[derive(Args)]
pub(super) struct Demands {
    /// A network that callers must come from (CIDR); repeat for more
    #[arg(long = "network", value_parser = parse_network)]
    networks: Vec<IpNet>,
    /// Demand nothing but a network
    #[arg(long, requires = "networks", conflicts_with = "schemes")]
    network_only: bool,
    /// Demand a certificate of the client besides; see `tls.client_ca` of the configuration
    #[arg(long)]
    client_certificate: bool,
    /// The ability that callers must hold
    #[arg(long)]
    ability: Option<String>,
    /// Tell the upstream who sends a request under these names; repeat for more
    #[arg(long = "identity", value_name = "PRESET", value_parser = preset, default_value = "portcullis")]
    identity: Vec<Preset>,
    /// Tell the upstream so under a signature besides
    #[arg(long)]
    assertion: bool,
    /// Hand the credential to the upstream
    #[arg(long)]
    pass_credential: bool,
}

impl Demands {
    /// The schemes that are left of those that were named.
    pub(super) fn schemes(&self, named: Vec<String>) -> Vec<String> {
        if self.network_only { Vec::new() } else { named }
    }

    /// `definition` with them.
    pub(super) fn of(self, definition: Definition) -> Result<Definition, BadAbility> {
        Ok(Definition {
            networks: (!self.networks.is_empty()).then_some(self.networks),
            client_certificate: self.client_certificate,
            ability: self.ability.as_deref().map(Ability::parse).transpose()?,
            identity: self.identity,
            assertion: self.assertion,
            pass_credential: self.pass_credential,
            ..definition
        })
    }
}

/// The preset of this name.
fn preset(name: &str) -> Result<Preset, String> {
    let names = || Preset::ALL.map(Preset::as_str).join("`, `");
    Preset::parse(name).ok_or_else(|| format!("expected one of `{}`", names()))
}
