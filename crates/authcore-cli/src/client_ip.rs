//! `authcore client-ip`: by which address a request is counted.

use authcore::ConfigError;
use authcore::rate::{ClientAddresses, ForwardingHeader};
use authcore_testkit::TestHead;
use clap::Args;

use crate::batch::{self, BadLine, Line};
use crate::cli::Asking;
use crate::fault::{Fault, Verdict};
use crate::head;
use crate::json::Object;
use crate::text::{Page, Tone};

/// Whom to believe, and which request.
#[derive(Debug, Args)]
pub(crate) struct ClientIpArgs {
    /// A network whose proxies are believed, as 10.0.0.0/8; may be repeated [default: nobody is]
    #[arg(long, value_name = "CIDR", conflicts_with = "hops")]
    trust: Vec<String>,
    /// How many proxies are in front, each of which appends an address
    #[arg(long, value_name = "N", value_parser = crate::value::whole::<usize>, allow_negative_numbers = true)]
    hops: Option<usize>,
    /// The header that the proxies write: x-forwarded-for or forwarded
    #[arg(long, value_name = "NAME", default_value = "x-forwarded-for")]
    header: ForwardingHeader,
    /// How many bits of an IPv6 address count, 32 to 128
    #[arg(long, value_name = "BITS", default_value_t = 64, value_parser = crate::value::whole::<u8>)]
    #[arg(allow_negative_numbers = true)]
    ipv6_prefix: u8,
    /// The address of the connection's peer, with its port or without
    #[arg(long, value_name = "ADDRESS", value_parser = head::peer, required_unless_present = "batch")]
    #[arg(conflicts_with = "batch")]
    peer: Option<std::net::IpAddr>,
    /// A header field line of the request; may be repeated, and order counts
    #[arg(short = 'H', long, value_name = "'NAME: VALUE'", value_parser = crate::value::field, conflicts_with = "batch")]
    field: Vec<(String, String)>,
    #[command(flatten)]
    asking: Asking,
}

/// Who is believed.
enum Believed {
    Networks(Vec<String>),
    Hops(usize),
}

pub(crate) fn run(args: ClientIpArgs) -> Result<Verdict, Fault> {
    let believed = args.hops.map_or_else(|| Believed::Networks(args.trust.clone()), Believed::Hops);
    // Wrong options are wrong, whatever lines say.
    let option = if args.hops.is_some() { "--hops" } else { "--trust" };
    let addresses = addresses(&believed, args.header, 64).map_err(|error| Fault::of(option, error))?;
    let addresses = addresses.ipv6_prefix(args.ipv6_prefix).map_err(|error| Fault::of("--ipv6-prefix", error))?;
    if args.asking.batch {
        return batch::run(|line, answer| {
            let peer: Option<String> = line.text("peer")?;
            let peer = peer.as_deref().map(head::peer).transpose().map_err(|why| BadLine::member("peer", why))?;
            let head = head::of_line(line, peer)?;
            Ok(match overridden(line, &args, &believed)? {
                Some(addresses) => tell(&addresses, &head, answer),
                None => tell(&addresses, &head, answer),
            })
        });
    }
    let head = head::of_fields(&args.field, args.peer);
    let mut page = Page::stdout();
    if args.asking.json {
        page.line(&tell(&addresses, &head, Object::new()).end())?;
        return Ok(Verdict::Accepted);
    }
    if let (Some(client), Some(counted)) = (addresses.client(&head), addresses.address(&head)) {
        let word = page.mark(Tone::Good, &client.to_string());
        page.line(&word)?;
        page.row("counted as", &counted.to_string())?;
        let by_header = args.peer.is_some_and(|peer| peer.to_canonical() != client);
        page.row("by", if by_header { "the forwarding header" } else { "the connection" })?;
    }
    Ok(Verdict::Accepted)
}

fn addresses(believed: &Believed, header: ForwardingHeader, prefix: u8) -> Result<ClientAddresses, ConfigError> {
    let addresses = match believed {
        Believed::Networks(networks) => ClientAddresses::trusting(networks)?,
        Believed::Hops(hops) => ClientAddresses::hops(*hops)?,
    };
    addresses.header(header).ipv6_prefix(prefix)
}

/// What a line says instead of the options; `None` when it says nothing of it.
fn overridden(line: &Line<'_>, args: &ClientIpArgs, options: &Believed) -> Result<Option<ClientAddresses>, BadLine> {
    let trust: Option<Vec<String>> = line.read("trust", "a list of networks")?;
    let hops: Option<usize> = line.read("hops", "a whole number")?;
    let header = line.text("header")?;
    if trust.is_none() && hops.is_none() && header.is_none() {
        return Ok(None);
    }
    let of_line;
    let (believed, member) = match (trust, hops) {
        (Some(_), Some(_)) => return Err(BadLine("`trust` and `hops` are both there: send one".to_owned())),
        (Some(networks), None) => {
            of_line = Believed::Networks(networks);
            (&of_line, "trust")
        }
        (None, Some(hops)) => {
            of_line = Believed::Hops(hops);
            (&of_line, "hops")
        }
        (None, None) => (options, "header"),
    };
    let refused = |member: &str, why: ConfigError| BadLine::member(member, format!("is refused: {why}"));
    let header = header.map(|name| name.parse()).transpose().map_err(|why| refused("header", why))?;
    addresses(believed, header.unwrap_or(args.header), args.ipv6_prefix).map(Some).map_err(|why| refused(member, why))
}

fn tell(addresses: &ClientAddresses, head: &TestHead, answer: Object) -> Object {
    let client = addresses.client(head).map(|client| client.to_string());
    let key = addresses.address(head).map(|address| address.to_string());
    answer.with("client", client).with("rate_key", key)
}
