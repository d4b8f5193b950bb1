"""The digital twin: a small consortium of synthetic hospitals with DICOM files, reports and manifests."""
