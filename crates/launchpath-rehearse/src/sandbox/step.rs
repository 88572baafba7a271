//! The steps of making a sandbox, so that a failure says which one it was.

macro_rules! steps {
    ($($name:ident => $text:literal,)*) => {
        /// A step.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Step {
            $(#[doc = $text] $name,)*
        }

        impl Step {
            const ALL: &[(Self, &str)] = &[$((Self::$name, $text),)*];

            /// What fits after "failed to".
            pub(super) fn text(self) -> &'static str {
                Self::ALL.iter().find(|(step, _)| *step == self).map_or("set up the sandbox", |(_, text)| text)
            }

            pub(super) fn from_number(number: u8) -> Option<Self> {
                Self::ALL.get(usize::from(number)).map(|(step, _)| *step)
            }
        }
    };
}

steps! {
    Clone => "start a process in namespaces of its own",
    Identity => "map the image's user ids",
    Files => "show the image's files with their owners",
    Handshake => "talk to the sandbox's keeper",
    Become => "become the image's root in the keeper",
    Descriptors => "close the descriptors of this process in the sandbox",
    OuterNetwork => "set up the network outside of the sandbox",
    Listen => "open the sockets of the service's side",
    CloneInside => "start the process in namespaces of its own",
    Limit => "put the process under its limits",
    InnerNetwork => "set up the network of the sandbox",
    Pipes => "make the pipes of the process's output",
    Private => "cut the sandbox's mounts off from this machine's",
    Scratch => "make a file system in memory for what the process writes",
    Overlay => "lay a writable file system over the image",
    Proc => "make the process file system",
    Devices => "make the devices",
    Pivot => "make the image the root of the sandbox",
    Attach => "attach the file systems of the sandbox",
    Emulate => "register the emulator",
    Etc => "write the image's host files",
    Host => "name the host",
    Session => "begin a session of its own",
    ResourceLimits => "set resource limits",
    Capabilities => "drop every capability",
    User => "become the image's user",
    Filter => "install the system call filter",
    WorkingDirectory => "enter the working directory",
    Execute => "execute the program",
    Watch => "watch over the process",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_their_step() {
        for (index, (step, text)) in Step::ALL.iter().enumerate() {
            assert_eq!(Step::from_number(u8::try_from(index).unwrap()), Some(*step));
            assert_eq!(step.text(), *text);
            assert_eq!(*step as usize, index);
        }
        assert_eq!(Step::from_number(255), None);
    }
}
