//! The command line, declared.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use launchpath_model::world::DEFAULT_ENDPOINT;
use launchpath_rehearse::contract::Protocol;
use launchpath_report::Format;

use crate::query::Query;

/// Finds where the launch of an Amazon Bedrock AgentCore Runtime breaks, proves why, and checks the fix.
#[derive(Debug, Parser)]
#[command(name = "launchpath", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  healthy, and everything decisive was seen
  1  broken: the cause is confirmed or likely
  3  could not tell
  4  healthy, with warnings
  2  malformed input   130  interrupted   252  usage or unreadable input
  253  environment or credentials   254  the service refused everything   255  a bug";

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// When to use colour; NO_COLOR is respected
    #[arg(long, global = true, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    pub(crate) color: When,
    /// Columns of text output [default: the terminal's, else 100]
    #[arg(long, global = true, value_name = "COLUMNS")]
    pub(crate) width: Option<usize>,
    /// Select from the JSON of the answer with a JMESPath expression, as for the AWS CLI; the result is JSON
    #[arg(long, global = true, value_name = "EXPRESSION", value_parser = Query::parse)]
    pub(crate) query: Option<Query>,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

/// How much text output shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HowMuch {
    Normal,
    Full,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Diagnose a runtime: live (read-only), or from a saved bundle
    Diagnose(DiagnoseArguments),
    /// Collect the evidence into a bundle and diagnose nothing
    Collect(CollectArguments),
    /// Compare two launches: what differs, and which difference can explain how the first one ends
    Compare(CompareArguments),
    /// Run an image here under the service's contract, and say which clause breaks first
    Rehearse(Box<RehearseArguments>),
    /// Replace every identity in a saved bundle by a stable pseudonym, so that it can be shown to others
    Redact(RedactArguments),
    /// Explain a kind of fault, or list the catalogue
    Explain(ExplainArguments),
    /// Print the minimum IAM policy that collection needs, or check which of it a caller has
    Permissions(Box<PermissionsArguments>),
    /// Look into an image or a code zip without running it: what it starts, and what is missing for that
    Inspect(InspectArguments),
    /// Scan log files of any size for tracebacks and other signatures of a failed start
    Logs(LogsArguments),
    /// Answer a reachability question from saved evidence, or a file of them
    Reach(ReachArguments),
    /// Answer a permission question from policy documents or saved evidence, or a file of them
    Can(CanArguments),
    /// Re-check the certificate of a verdict against its bundle, by a separate small checker
    Verify(VerifyArguments),
    /// Print the script that completes this command line in a shell
    Completions(CompletionsArguments),
    /// Print or write the manual
    Man(ManArguments),
}

/// How to reach AWS, as for the AWS CLI.
#[derive(Debug, Args)]
pub(crate) struct AwsArguments {
    /// Profile of the AWS configuration files
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Region [default: environment, profile, or the runtime's ARN]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Address that replaces every service's own
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// Seconds one call may take, its retries included
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) call_timeout: u64,
    /// Seconds after which the report is written from what came
    #[arg(long, value_name = "SECONDS", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=36000))]
    pub(crate) deadline: u64,
}

/// What a diagnosis is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A report.
    Report(Format),
    /// The certificate, which needs the bundle beside the diagnosis.
    Certificate,
}

/// The name of the certificate among the formats.
const CERTIFICATE: &str = "certificate";

/// The output formats by name, so that help and completions list them.
fn forms() -> impl TypedValueParser<Value = Form> {
    let names = Format::ALL.map(Format::as_str).into_iter().chain([CERTIFICATE]);
    PossibleValuesParser::new(names).try_map(|name| match name.as_str() {
        CERTIFICATE => Ok(Form::Certificate),
        name => name.parse::<Format>().map(Form::Report),
    })
}

/// What to collect about which runtime.
#[derive(Debug, Args)]
pub(crate) struct SubjectArguments {
    /// Endpoint of the runtime
    #[arg(long = "endpoint", value_name = "NAME", default_value = DEFAULT_ENDPOINT)]
    pub(crate) endpoint: String,
    /// A runtime that works, to compare with: id, name or ARN
    #[arg(long, value_name = "RUNTIME")]
    pub(crate) against: Option<String>,
    /// Make one test invocation with this payload and record how it ends (the only call that is not read-only)
    #[arg(long, value_name = "PAYLOAD")]
    pub(crate) invoke: Option<String>,
    /// The error you saw, as text: it narrows the search and is never taken as proof
    #[arg(long, value_name = "TEXT")]
    pub(crate) saw: Option<String>,
}

impl SubjectArguments {
    /// An endpoint, and nothing else.
    pub(crate) fn of_endpoint(name: &str) -> Self {
        Self { endpoint: name.to_owned(), against: None, invoke: None, saw: None }
    }
}

/// Pseudonyms in the place of identities.
#[derive(Debug, Args)]
pub(crate) struct RedactionArguments {
    /// Replace accounts, resource ids, names, addresses and hosts by stable pseudonyms; verdict and causes stay the same
    #[arg(long)]
    pub(crate) redact: bool,
    /// File with a secret that makes pseudonyms the same in several bundles [default: the bundle's own digest]
    #[arg(long, value_name = "FILE", requires = "redact")]
    pub(crate) redact_key: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RedactArguments {
    /// The bundle: file, directory or zip
    #[arg(value_name = "BUNDLE")]
    pub(crate) bundle: PathBuf,
    /// Where the redacted bundle goes: a .json or .zip file, or a directory (ending in /)
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: PathBuf,
    /// File with a secret that makes pseudonyms the same in several bundles [default: the bundle's own digest]
    #[arg(long, value_name = "FILE")]
    pub(crate) redact_key: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DiagnoseArguments {
    /// The runtime: id, name or ARN
    #[arg(value_name = "RUNTIME", required_unless_present = "bundle")]
    pub(crate) runtime: Option<String>,
    /// Saved evidence instead of a live account: a bundle (file, directory, zip) or loose AWS CLI outputs
    #[arg(long, value_name = "PATH", conflicts_with_all = ["profile", "region", "endpoint_url", "invoke", "save_bundle"])]
    pub(crate) bundle: Option<PathBuf>,
    /// Every runtime that the bundle describes, each by the calls about it: a line each (`--format json` or `jsonl` has all)
    #[arg(long, requires = "bundle", conflicts_with_all = ["runtime", "image", "logs", "apply_fixes_to", "saw", "endpoint", "against", "redact"])]
    pub(crate) all: bool,
    /// The runtime's image, at hand: it is inspected, and rehearsed in a sandbox, and both count as evidence (see `launchpath
    /// rehearse`)
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,
    /// Log files of the runtime, at hand, of any size: exports, what `aws logs tail` or `filter-log-events` printed, plain text, also
    /// gzipped; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) logs: Vec<PathBuf>,
    /// Keep the evidence of a live run here, to diagnose it again later
    #[arg(long, value_name = "PATH")]
    pub(crate) save_bundle: Option<PathBuf>,
    /// Write the evidence as it would be after the safest plan of repairs to this new bundle, so that anybody can check the
    /// proof; nothing in AWS is changed
    #[arg(long, value_name = "OUT")]
    pub(crate) apply_fixes_to: Option<PathBuf>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = forms())]
    pub(crate) format: Form,
    /// Write the report to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// How much text output shows: everything with `full`, the list of calls included
    #[arg(long, value_enum, default_value_t = HowMuch::Normal, value_name = "DETAIL")]
    pub(crate) detail: HowMuch,
    #[command(flatten)]
    pub(crate) subject: SubjectArguments,
    #[command(flatten)]
    pub(crate) redaction: RedactionArguments,
    #[command(flatten)]
    pub(crate) aws: AwsArguments,
}

#[derive(Debug, Args)]
pub(crate) struct LogsArguments {
    /// Log files, plain or gzipped; `-` for standard input
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text, value_name = "FORMAT")]
    pub(crate) format: AnswerFormat,
    /// Write the report to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CollectArguments {
    /// The runtime: id, name or ARN
    #[arg(value_name = "RUNTIME")]
    pub(crate) runtime: String,
    /// Where the bundle goes: a .json or .zip file, or a directory (ending in /)
    #[arg(short, long, value_name = "PATH", required_unless_present_any = ["dry_run", "script"])]
    pub(crate) output: Option<PathBuf>,
    /// Print the calls and the IAM actions they need; send nothing
    #[arg(long, conflicts_with = "script")]
    pub(crate) dry_run: bool,
    /// Print a script of AWS CLI commands that writes the same bundle, for accounts where this program may not run
    #[arg(long)]
    pub(crate) script: bool,
    #[command(flatten)]
    pub(crate) subject: SubjectArguments,
    #[command(flatten)]
    pub(crate) redaction: RedactionArguments,
    #[command(flatten)]
    pub(crate) aws: AwsArguments,
}

const COMPARE_EXIT_CODES: &str = "\
A runtime is an id, a name or an ARN, with @VERSION for one of its versions and /ENDPOINT for one of its endpoints.

Exit codes:
  0  no difference that was seen can explain how the first one ends
  1  some difference can   3  the first one shows no break to explain
  2  malformed input   252  usage or unreadable input   253  environment or credentials   255  a bug";

#[derive(Debug, Args)]
#[command(after_help = COMPARE_EXIT_CODES)]
pub(crate) struct CompareArguments {
    /// The launch to explain: a runtime, or a saved bundle
    #[arg(value_name = "A")]
    pub(crate) here: String,
    /// The launch to hold it against: a runtime, or a saved bundle
    #[arg(value_name = "B")]
    pub(crate) there: String,
    /// Saved evidence that describes both runtimes
    #[arg(long, value_name = "PATH", conflicts_with_all = ["profile", "region", "endpoint_url"])]
    pub(crate) bundle: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text, value_name = "FORMAT")]
    pub(crate) format: AnswerFormat,
    /// Write the comparison to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// How much text output shows: with `full` also why something could not be compared
    #[arg(long, value_enum, default_value_t = HowMuch::Normal, value_name = "DETAIL")]
    pub(crate) detail: HowMuch,
    #[command(flatten)]
    pub(crate) aws: AwsArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// A fault's code, for example net.endpoint_sg_blocks; without one the catalogue is listed
    #[arg(value_name = "FAULT")]
    pub(crate) fault: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text, value_name = "FORMAT")]
    pub(crate) format: AnswerFormat,
}

const PERMISSIONS_EXIT_CODES: &str = "\
Exit codes of --check:
  0  everything that the case needed is allowed           1  something is refused           3  could not tell
  2  malformed input   252  usage or unreadable input   253  no credentials   255  a bug";

#[derive(Debug, Args)]
#[command(after_help = PERMISSIONS_EXIT_CODES)]
pub(crate) struct PermissionsArguments {
    /// With --check: the runtime whose collection is tried, read-only: id, name or ARN
    #[arg(value_name = "RUNTIME", requires = "check", conflicts_with = "bundle")]
    pub(crate) runtime: Option<String>,
    /// Say of each action whether the caller has it, and what stays undecided without it
    #[arg(long)]
    pub(crate) check: bool,
    /// With --check: a saved case (file, directory, zip) instead of a live account
    #[arg(long, value_name = "PATH", requires = "check", conflicts_with_all = ["profile", "region", "endpoint_url"])]
    pub(crate) bundle: Option<PathBuf>,
    /// Form of the policy [default: json], or of the answer of --check [default: text]
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) format: Option<PolicyForm>,
    /// Partition of the ARNs
    #[arg(long, default_value = "aws", value_name = "PARTITION", conflicts_with = "check")]
    pub(crate) partition: String,
    #[command(flatten)]
    pub(crate) aws: AwsArguments,
}

/// Form of the printed policy or answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PolicyForm {
    Json,
    Cloudformation,
    Terraform,
    Text,
}

const VERIFY_EXIT_CODES: &str = "\
Exit codes:
  0  the certificate holds, and all that the verdict rests on was re-checked
  1  something in it does not hold
  3  nothing fails, and something that the verdict rests on could not be re-checked
  2  malformed input   252  usage or unreadable input   253  environment   255  a bug";

#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXIT_CODES)]
pub(crate) struct VerifyArguments {
    /// The certificate, as `launchpath diagnose --format certificate` writes it (- for standard input)
    #[arg(value_name = "CERTIFICATE")]
    pub(crate) certificate: PathBuf,
    /// The bundle it is about: file, directory or zip
    #[arg(long, value_name = "PATH")]
    pub(crate) bundle: PathBuf,
    /// Output format
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text, value_name = "FORMAT")]
    pub(crate) format: AnswerFormat,
    /// Write the answer to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// How much text output shows: every statement with `full`
    #[arg(long, value_enum, default_value_t = HowMuch::Normal, value_name = "DETAIL")]
    pub(crate) detail: HowMuch,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArguments {
    /// Write one page per command into this folder instead of the first page to standard output
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Man pages, or one Markdown document of all commands on standard output
    #[arg(long, value_enum, default_value_t = ManForm::Man, value_name = "FORMAT")]
    pub(crate) format: ManForm,
}

/// Form of the manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ManForm {
    Man,
    Markdown,
}

const REACH_EXIT_CODES: &str = "\
Exit codes:
  0  reachable           1  not reachable, or only partly           3  could not tell
  with --flows: 0 when every record was answered, 2 when one could not be read
  2  malformed input   252  usage or unreadable input   255  a bug";

#[derive(Debug, Args)]
#[command(after_help = REACH_EXIT_CODES)]
pub(crate) struct ReachArguments {
    /// Where packets start: a runtime (id, name or ARN), an interface (eni-...), an instance (i-...) or a subnet (subnet-...)
    #[arg(value_name = "FROM", required_unless_present = "flows")]
    pub(crate) from: Option<String>,
    /// Where they go: an address, a host name, an interface, an instance or an AWS service (ecr.api, s3, ...), with :PORT,
    /// :FIRST-LAST or for ICMP :TYPE/CODE [default port: 443 for services and names, every port else]
    #[arg(value_name = "TO[:PORT]", required_unless_present = "flows")]
    pub(crate) to: Option<String>,
    /// The evidence: a bundle (file, directory, zip), or a folder of describe outputs, which is taken as a whole snapshot
    #[arg(long, value_name = "PATH", required_unless_present = "flows")]
    pub(crate) bundle: Option<PathBuf>,
    /// tcp, udp, icmp, icmpv6 or a protocol number
    #[arg(long, value_name = "PROTOCOL", default_value = "tcp")]
    pub(crate) protocol: String,
    /// Security group of the interface in a subnet or of the runtime; repeat for several [default: the runtime's]
    #[arg(long = "security-group", value_name = "GROUP")]
    pub(crate) security_groups: Vec<String>,
    /// Answer every record of this JSON Lines file (- for standard input) with one JSON line; each names its evidence in
    /// `data`, relative to the file's folder, unless --bundle does
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to", "protocol", "security_groups"])]
    pub(crate) flows: Option<PathBuf>,
    /// Output format of one answer; many are always JSON Lines
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text, value_name = "FORMAT")]
    pub(crate) format: AnswerFormat,
    /// Write the answer to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Format of the answer to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswerFormat {
    Text,
    Json,
}

const CAN_EXIT_CODES: &str = "\
Without --bundle a kind of policy that is not given does not exist. With it, roles, trust policies and repository
policies come from the evidence, and what was not collected is not known. For any policy option the word `none`
says that there is no such policy, `unknown` that there may be one.

Exit codes:
  0  allowed             1  denied             3  could not tell
  with --requests: 0 when every record was answered, 2 when one could not be read
  2  malformed input   252  usage or unreadable input   255  a bug";

#[derive(Debug, Args)]
#[command(after_help = CAN_EXIT_CODES)]
pub(crate) struct CanArguments {
    /// Who asks: an ARN, an account id, a service (bedrock-agentcore.amazonaws.com), or a role's name with --bundle
    #[arg(value_name = "PRINCIPAL", required_unless_present = "requests")]
    pub(crate) principal: Option<String>,
    /// What for, such as ecr:BatchGetImage
    #[arg(value_name = "ACTION", required_unless_present = "requests")]
    pub(crate) action: Option<String>,
    /// On what: an ARN, or * for actions that know no resources
    #[arg(value_name = "RESOURCE", required_unless_present = "requests")]
    pub(crate) resource: Option<String>,
    /// A condition key of the request; repeat it for several values; a key without = is not in the request
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) context: Vec<String>,
    /// A key that --context does not name is not in the request [default: it is not known]
    #[arg(long)]
    pub(crate) complete_context: bool,
    /// The account that owns the resource, where its ARN does not say
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) resource_account: Option<String>,
    /// Saved evidence: a bundle (file, directory, zip) or loose AWS CLI outputs
    #[arg(long, value_name = "PATH")]
    pub(crate) bundle: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) policies: PolicyArguments,
    /// Answer every record of this JSON Lines file (- for standard input) with one JSON line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["principal", "action", "resource", "context", "complete_context",
        "resource_account", "bundle", "identity_policy", "resource_policy", "boundary", "session_policy", "scp", "rcp",
        "endpoint_policy"])]
    pub(crate) requests: Option<PathBuf>,
    /// Output format of one answer; many are always JSON Lines
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text, value_name = "FORMAT")]
    pub(crate) format: AnswerFormat,
    /// Write the answer to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Policy documents from files: the document itself, or the AWS CLI's answer that holds it.
#[derive(Debug, Args)]
pub(crate) struct PolicyArguments {
    /// Policy of the user, its groups or the role; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) identity_policy: Vec<String>,
    /// Policy of the resource; for sts:AssumeRole the role's trust policy
    #[arg(long, value_name = "FILE")]
    pub(crate) resource_policy: Option<String>,
    /// Permissions boundary
    #[arg(long, value_name = "FILE")]
    pub(crate) boundary: Option<String>,
    /// Session policy; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) session_policy: Vec<String>,
    /// Service control policy, at a level of the organisation if there are several; may be repeated, the root first
    #[arg(long, value_name = "[LEVEL=]FILE")]
    pub(crate) scp: Vec<String>,
    /// Resource control policy, as --scp
    #[arg(long, value_name = "[LEVEL=]FILE")]
    pub(crate) rcp: Vec<String>,
    /// Policy of the VPC endpoint that the request goes through
    #[arg(long, value_name = "FILE")]
    pub(crate) endpoint_policy: Option<String>,
}

/// Which image, and how it is fetched.
#[derive(Debug, Args)]
pub(crate) struct ImageArguments {
    /// The image: an OCI layout (directory, DIR:NAME), an archive (`docker save`, OCI), a code zip (file, s3://BUCKET/KEY), a
    /// root file system (rootfs:DIR), an address in a registry, or a name that the container engine here knows
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,
    /// The platform, where there are several [default: linux/arm64, as the service runs it, else what there is]
    #[arg(long, value_name = "OS/ARCHITECTURE")]
    pub(crate) platform: Option<String>,
    /// Profile of the AWS configuration files
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Region, for code in S3 [default: environment or profile]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Address that replaces every AWS service's own
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
}

const INSPECT_EXIT_CODES: &str = "\
Exit codes:
  0  nothing certain or likely was found   1  something was   3  what the image starts could not be told
  2  the image is damaged or not an image  252 no such image  253 it cannot be fetched";

#[derive(Debug, Args)]
#[command(after_help = INSPECT_EXIT_CODES)]
pub(crate) struct InspectArguments {
    #[command(flatten)]
    pub(crate) image: ImageArguments,
    /// The protocol the runtime is configured for: HTTP, MCP, A2A or AGUI
    #[arg(long, value_name = "PROTOCOL", default_value = "HTTP", value_parser = PossibleValuesParser::new(["HTTP", "MCP", "A2A", "AGUI"]))]
    pub(crate) protocol: String,
    /// Entry point of a code zip, as in the runtime's configuration; repeat it for its parts
    #[arg(long = "entry-point", value_name = "PART")]
    pub(crate) entry_point: Vec<String>,
    /// Output format; json is the public record
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text, value_name = "FORMAT")]
    pub(crate) format: AnswerFormat,
    /// Write the answer to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Add the record to this bundle as evidence, or write a new one where there is none
    #[arg(long, value_name = "PATH")]
    pub(crate) bundle: Option<PathBuf>,
}

const REHEARSE_EXIT_CODES: &str = "\
The process runs in a sandbox like a session: its own namespaces, the image's user and command,
2 processors and 8 GB, nothing reachable but what --network says. Everything is removed afterwards.

Exit codes:
  0  every clause held   1  a clause broke   3  could not tell
  2  malformed input   130  interrupted   252  usage or unreadable input
  253  nothing here can run it   255  a bug";

#[derive(Debug, Args)]
#[command(after_help = REHEARSE_EXIT_CODES)]
pub(crate) struct RehearseArguments {
    #[command(flatten)]
    pub(crate) image: ImageArguments,
    /// What to start instead of the image's own command
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// For a code zip: the image, or root file system (rootfs:DIR), that brings the interpreter. The one that the service uses
    /// cannot be had; the record says which it was
    #[arg(long, value_name = "IMAGE")]
    pub(crate) base: Option<String>,
    /// Entry point of a code zip, as in the runtime's configuration; repeat it for its parts [default: as in --network's bundle]
    #[arg(long = "entry-point", value_name = "PART")]
    pub(crate) entry_point: Vec<String>,
    /// Runtime of a code zip, such as PYTHON_3_12: the base must have that interpreter [default: as in --network's bundle, else
    /// what the base has]
    #[arg(long, value_name = "RUNTIME")]
    pub(crate) runtime: Option<String>,
    /// What the runtime speaks: HTTP, MCP, A2A or AGUI [default: as in --network's bundle, else HTTP]
    #[arg(long, value_name = "PROTOCOL", value_parser = |name: &str| name.parse::<Protocol>())]
    pub(crate) protocol: Option<Protocol>,
    /// Port of protocolConfiguration [default: as in --network's bundle, else the protocol's]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// Path of protocolConfiguration [default: as in --network's bundle, else the protocol's]
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// Payload of the first request: text, or @FILE [default: a harmless prompt]
    #[arg(long, value_name = "JSON|@FILE")]
    pub(crate) payload: Option<String>,
    /// Session id, 33 to 256 characters [default: a new one]
    #[arg(long, value_name = "ID")]
    pub(crate) session_id: Option<String>,
    /// An environment variable; repeat it for several. Its value is neither stored nor shown
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    /// Environment variables from a file, one NAME=VALUE a line
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Vec<PathBuf>,
    /// Seconds to wait until it is healthy [default: twice the service's limit, so that slow is told from never]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=36000))]
    pub(crate) timeout: Option<u64>,
    /// Seconds to wait for the answer to a request
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=36000))]
    pub(crate) request_timeout: u64,
    /// What it reaches: `none` drops everything, `host-blocked` answers look-ups with no such name, `bundle:PATH` lets
    /// through what the VPC in that evidence does, to a stand-in
    #[arg(long, value_name = "NETWORK", default_value = "none")]
    pub(crate) network: String,
    /// Hand your own short-lived credentials to the process through the metadata service [default: false ones]
    #[arg(long)]
    pub(crate) with_credentials: bool,
    /// Keep up to 4 MiB of what it prints, not only the tail
    #[arg(long)]
    pub(crate) keep_output: bool,
    /// What runs it: the sandbox, a container engine on this machine (which sees and holds less), or `auto`: an engine only where no
    /// sandbox can be made
    #[arg(long, value_enum, default_value_t = RehearsalBackend::Auto, value_name = "BACKEND")]
    pub(crate) backend: RehearsalBackend,
    /// Output format
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text, value_name = "FORMAT")]
    pub(crate) format: AnswerFormat,
    /// Write the report to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write the record to this bundle, or add it when the bundle is there (file, directory, zip)
    #[arg(long, value_name = "PATH")]
    pub(crate) bundle: Option<PathBuf>,
    /// How much text output shows: what the contract rests on, too, with `full`
    #[arg(long, value_enum, default_value_t = HowMuch::Normal, value_name = "DETAIL")]
    pub(crate) detail: HowMuch,
}

/// What runs the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RehearsalBackend {
    Auto,
    Sandbox,
    Engine,
}
