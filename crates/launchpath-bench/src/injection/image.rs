//! Faults of the image: what it is, and whether it is there.

use super::Injection;
use super::Shows::{Configured, Happening};
use super::container;
use crate::process::{Does, Process};

pub(super) const ALL: &[Injection] = &[
    Injection {
        fault: "image.arch_mismatch",
        with: &[],
        shows: Configured,
        fits: container,
        named: "Architecture incompatible",
        seen_in: &[&["DescribeImages", "BatchGetImage", "GetImageConfig"]],
        make: |d, _| {
            d.image_arch = "amd64";
            d.creation_refused = Some((
                "ValidationException",
                format!(
                    "Architecture incompatible for uri '{}'. Supported architectures: [arm64]",
                    d.image()
                ),
            ));
        },
    },
    Injection {
        fault: "image.tag_missing",
        with: &[],
        shows: Configured,
        fits: container,
        named: "does not exist",
        seen_in: &[&["DescribeImages"]],
        make: |d, _| d.image_there = false,
    },
    Injection {
        fault: "image.manifest_unsupported",
        with: &[],
        shows: Happening,
        fits: |d| container(d) && !d.old,
        named: "",
        seen_in: &[
            &["DescribeImages", "ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies"],
            &["BatchGetImage", "ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies"],
        ],
        make: |d, _| {
            d.image_index = true;
            d.creation_refused = Some((
                "ValidationException",
                format!(
                    "Access denied while validating ECR URI '{}'. The execution role requires permissions for ecr:GetAuthorizationToken, ecr:BatchGetImage, and ecr:GetDownloadUrlForLayer operations.",
                    d.image()
                ),
            ));
        },
    },
    Injection {
        // The mended image was pushed under the same tag, and the runtime not updated: on V2 the snapshot's image runs. On V1 a
        // session may run either image, and nobody can tell.
        fault: "image.stale_tag",
        with: &["app.startup_exception"],
        shows: Happening,
        fits: |d| container(d) && d.v2,
        named: "",
        seen_in: &[&["DescribeImages"]],
        make: |d, _| {
            d.pushed_again = true;
            d.process = Process::dies(&[
                r#"  File "/app/main.py", line 11, in <module>"#,
                r#"    table = os.environ["TABLE_NAME"]"#,
                "KeyError: 'TABLE_NAME'",
            ]);
        },
    },
    Injection {
        fault: "image.file_permissions",
        with: &[],
        shows: Happening,
        fits: container,
        named: "",
        seen_in: &[&["FilterLogEvents"]],
        make: |d, random| {
            d.process = if random.once_in(2) {
                Process::new(
                    Does::Exits,
                    &[(0, "python: can't open file '/app/main.py': [Errno 13] Permission denied")],
                )
            } else {
                Process::dies(&[
                    r#"  File "/app/main.py", line 4, in <module>"#,
                    "    settings = open('/app/settings.yaml')",
                    "PermissionError: [Errno 13] Permission denied: '/app/settings.yaml'",
                ])
            };
        },
    },
    Injection {
        fault: "image.layers_user_overlay",
        with: &[],
        shows: Configured,
        fits: container,
        named: "",
        seen_in: &[&["FilterLogEvents"], &["DescribeImages", "BatchGetImage", "GetImageConfig"]],
        make: |d, random| {
            d.image_user = "agent";
            d.image_layers = 54 + random.below(30);
            d.process =
                Process::new(Does::Exits, &[(0, "Failed to mount overlay: No such file or directory")]);
        },
    },
    Injection {
        fault: "image.wrong_server_model",
        with: &[],
        shows: Configured,
        fits: container,
        named: "",
        seen_in: &[&["DescribeImages", "BatchGetImage", "GetImageConfig"]],
        make: |d, _| {
            d.entry_point = &["/lambda-entrypoint.sh", "app.handler"];
            d.process = Process::new(Does::FailsItsProbe, &[]);
        },
    },
];
