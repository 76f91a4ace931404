//! Amazon's partitions: groups of regions with accounts, buckets and host names of their own.
//!
//! Source: `partitions.json` of botocore, from which Amazon's tools know them. Those for secret networks are left out:
//! nobody could have tried them.

use crate::error::{Error, Result, codes};

/// Where the services of some regions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Partition {
    /// What host names end with.
    pub domain: &'static str,
    /// Who knows where each of its buckets lies.
    pub s3: &'static str,
}

const STANDARD: Partition = Partition { domain: "amazonaws.com", s3: "https://s3.amazonaws.com" };
const CHINA: Partition = Partition { domain: "amazonaws.com.cn", s3: "https://s3.cn-north-1.amazonaws.com.cn" };
const GOVERNMENT: Partition = Partition { domain: "amazonaws.com", s3: "https://s3.us-gov-west-1.amazonaws.com" };

/// How regions start that are known and not supported.
const SECRET: [&str; 4] = ["us-iso-", "us-isob-", "us-isof-", "eu-isoe-"];

impl Partition {
    /// That of a region; the standard one of a region that nobody knows.
    ///
    /// Errors: `BAD_SETTING` for one of the partitions that are left out.
    pub fn of(region: &str) -> Result<Partition> {
        if region.starts_with("cn-") {
            return Ok(CHINA);
        }
        if region.starts_with("us-gov-") {
            return Ok(GOVERNMENT);
        }
        if SECRET.iter().any(|start| region.starts_with(start)) {
            let message = format!("the region `{region}` lies in a partition whose services logq does not know");
            return Err(Error::new(codes::BAD_SETTING, message).with_hint("`AWS_ENDPOINT_URL_S3` says where its S3 is"));
        }
        Ok(STANDARD)
    }

    /// That of whoever says nothing.
    pub fn standard() -> Partition {
        STANDARD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_and_their_partitions() {
        for region in ["us-east-1", "eu-central-1", "il-central-1", "x"] {
            assert_eq!(Partition::of(region).unwrap(), STANDARD);
        }
        assert_eq!(Partition::of("cn-northwest-1").unwrap(), CHINA);
        assert_eq!(Partition::of("us-gov-east-1").unwrap(), GOVERNMENT);
        for region in ["us-iso-east-1", "us-isob-east-1", "us-isof-south-1", "eu-isoe-west-1"] {
            let error = Partition::of(region).unwrap_err();
            assert_eq!(error.code(), codes::BAD_SETTING);
            assert!(error.message().contains(region));
        }
    }
}
