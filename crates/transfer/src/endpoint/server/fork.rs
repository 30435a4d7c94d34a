//! A session as it stands, once more.

use super::{Download, HostProcess, Server, Upload};
use crate::endpoint::ServerConfig;
use crate::record::Recorder;
use crate::storage::{StoreError, copy_incoming};

impl Server {
    /// A copy that goes its own way from here, with the store of `config`, on another machine. Digests are copied as they
    /// stand, so that no byte is hashed again.
    pub(in crate::endpoint) fn fork(
        &self,
        config: ServerConfig,
        record: Recorder,
        machine: HostProcess,
    ) -> Result<Self, StoreError> {
        let upload = self.upload.as_ref().map(|upload| upload.fork(&config)).transpose()?;
        Ok(Self {
            core: self.core.clone(),
            config,
            record,
            deadline: self.deadline,
            machine: Some(machine),
            leaving: self.leaving,
            failure: self.failure.clone(),
            sent: self.sent,
            listing: self.listing.clone(),
            upload,
            download: self.download.as_ref().map(Download::fork).transpose()?,
            uploaded: self.uploaded.clone(),
            earlier: self.earlier,
        })
    }

    /// Where it records.
    pub(in crate::endpoint) fn recorder(&self) -> &Recorder {
        &self.record
    }
}

impl Upload {
    fn fork(&self, config: &ServerConfig) -> Result<Self, StoreError> {
        let copy = config.store.create(self.hasher.bytes())?;
        let incoming = copy_incoming(&*self.incoming, copy)?;
        Ok(Self { name: self.name.clone(), incoming, hasher: self.hasher.fork()? })
    }
}

impl Download {
    fn fork(&self) -> Result<Self, StoreError> {
        Ok(Self { content: self.content.clone(), hasher: self.hasher.fork()? })
    }
}
