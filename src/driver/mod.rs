//! The reactor: the only place with file descriptors.
