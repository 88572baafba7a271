//! Where a service is reached and how a request to it is signed: partitions, global services,
//! overrides.
//!
//! Not here: credentials and sending ([`crate::client`]).

use crate::facts::ServiceFacts;

/// A group of Regions with its own accounts and domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// The second field of an ARN: `aws`, `aws-cn`, …
    pub name: &'static str,
    suffix: &'static str,
    /// The Region that signs for global services.
    global: &'static str,
}

// AWS: https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
const PARTITIONS: &[(&str, Partition)] = &[
    ("cn-", Partition { name: "aws-cn", suffix: "amazonaws.com.cn", global: "cn-north-1" }),
    ("us-gov-", Partition { name: "aws-us-gov", suffix: "amazonaws.com", global: "us-gov-west-1" }),
    ("eusc-", Partition { name: "aws-eusc", suffix: "amazonaws.eu", global: "eusc-de-east-1" }),
];
const COMMERCIAL: Partition = Partition { name: "aws", suffix: "amazonaws.com", global: "us-east-1" };

impl Partition {
    /// The partition of a Region; the commercial one for a Region nobody has heard of.
    pub fn of_region(region: &str) -> Self {
        PARTITIONS
            .iter()
            .find(|(prefix, _)| region.starts_with(prefix))
            .map_or(COMMERCIAL, |(_, partition)| *partition)
    }

    /// The Region in which events of global services (IAM) are logged.
    pub fn global_region(self) -> &'static str {
        self.global
    }
}

/// Where one request goes and what signs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Scheme, host and port, without a slash at the end.
    pub(crate) url: String,
    /// The Region of the signature.
    pub(crate) signing_region: String,
    /// The bucket is part of the host name, so it is left out of the path.
    pub(crate) bucket_in_host: bool,
}

/// The endpoint of a service in a Region; `custom` (any `--endpoint-url`) replaces scheme and host.
pub(crate) fn resolve(
    service: &str,
    facts: &ServiceFacts,
    region: &str,
    bucket: Option<&str>,
    custom: Option<&str>,
) -> Endpoint {
    let partition = Partition::of_region(region);
    let global = matches!(service, "iam" | "route53");
    let signing_region = if global { partition.global } else { region }.to_owned();
    if let Some(custom) = custom {
        let url = custom.trim_end_matches('/').to_owned();
        return Endpoint { url, signing_region, bucket_in_host: false };
    }
    let label = &facts.endpoint;
    let suffix = partition.suffix;
    // A bucket with a dot does not fit the wildcard certificate.
    if let Some(bucket) = bucket.filter(|name| !name.contains('.')) {
        let url = format!("https://{bucket}.{label}.{region}.{suffix}");
        return Endpoint { url, signing_region, bucket_in_host: true };
    }
    // AWS: https://docs.aws.amazon.com/general/latest/gr/iam-service.html and r53.html
    let host = match (service, partition.name) {
        ("iam", "aws") | ("route53", "aws" | "aws-cn") => format!("{label}.{suffix}"),
        ("iam" | "route53", "aws-us-gov") => format!("{label}.us-gov.{suffix}"),
        ("iam" | "route53", _) => format!("{label}.{}.{suffix}", partition.global),
        _ => format!("{label}.{region}.{suffix}"),
    };
    // AWS: Route 53 in China signs for cn-northwest-1,
    // https://docs.amazonaws.cn/en_us/aws/latest/userguide/endpoints-Ningxia.html
    let signing_region = match (service, partition.name) {
        ("route53", "aws-cn") => "cn-northwest-1".to_owned(),
        _ => signing_region,
    };
    Endpoint { url: format!("https://{host}"), signing_region, bucket_in_host: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts;

    fn url(service: &str, region: &str) -> (String, String) {
        let endpoint = resolve(service, facts::service(service).unwrap(), region, None, None);
        (endpoint.url, endpoint.signing_region)
    }

    #[test]
    fn regional_and_global_services_of_three_partitions() {
        for (service, region, host, signing) in [
            ("ec2", "us-east-1", "ec2.us-east-1.amazonaws.com", "us-east-1"),
            ("ecr", "eu-west-1", "api.ecr.eu-west-1.amazonaws.com", "eu-west-1"),
            ("cloudwatch", "us-gov-west-1", "monitoring.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            ("ec2", "cn-north-1", "ec2.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("iam", "eu-west-1", "iam.amazonaws.com", "us-east-1"),
            ("iam", "us-gov-east-1", "iam.us-gov.amazonaws.com", "us-gov-west-1"),
            ("iam", "cn-northwest-1", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("route53", "ap-south-1", "route53.amazonaws.com", "us-east-1"),
        ] {
            assert_eq!(url(service, region), (format!("https://{host}"), signing.to_owned()));
        }
    }

    #[test]
    fn a_custom_endpoint_is_for_every_service_and_path_style() {
        let facts = facts::service("s3").unwrap();
        let custom = resolve("s3", facts, "us-east-1", Some("code"), Some("http://127.0.0.1:5000/"));
        assert_eq!(custom.url, "http://127.0.0.1:5000");
        assert!(!custom.bucket_in_host);
        let real = resolve("s3", facts, "us-west-2", Some("code"), None);
        assert_eq!(real.url, "https://code.s3.us-west-2.amazonaws.com");
        assert!(real.bucket_in_host);
        let dotted = resolve("s3", facts, "us-west-2", Some("my.code"), None);
        assert_eq!(dotted.url, "https://s3.us-west-2.amazonaws.com");
    }
}
